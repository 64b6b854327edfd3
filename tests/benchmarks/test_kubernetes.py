"""What the benchmarks of Kubernetes make of figures, and that all programs have the same objects.

Nothing here is timed, and no node is needed: how fast it is, `make bench` says, and no test.
"""

import importlib.util
import io
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from rich.console import Console

from benchmarks.figures import Machine, Memory, Pair, Report, Task
from benchmarks.kubernetes.command import Comparison
from benchmarks.kubernetes.stack import Request
from benchmarks.kubernetes.traffic import both_of
from benchmarks.kubernetes.traffic_figures import ClusterTrafficReport
from benchmarks.registration.declare import declare_ours
from benchmarks.registration.services import settings_of
from benchmarks.table import Page
from benchmarks.traffic.counting import traffic_of
from benchmarks.traffic.figures import Move
from bluegreen.load import Recording
from bluegreen.load.recording import Outcome
from tests.components.conftest import record

REPOSITORY = Path(__file__).resolve().parents[2]
MACHINE = Machine(cores=2, load_before=0.42, python="3.11.7", pulumi="3.259.0")

# What only the library's own guards read, or its take-over of what somebody has patched.
NOT_PLAIN = {"bluegreen.dev/fingerprint", "pulumi.com/patchForce"}
SKIP_AWAIT = "pulumi.com/skipAwait"

Objects = dict[tuple[str, str], Any]


def a_comparison(requests: Counter[Request]) -> Comparison:
    reports = [
        Report(
            baseline=baseline,
            machine=MACHINE,
            pairs=[Pair(task, seconds, 3.0, 2.0, 2.2) for task in Task],
            write_ms=[],
            plain_memory=Memory(program_mib=50, all_mib=300),
            ours_memory=Memory(program_mib=75, all_mib=330),
        )
        for baseline, seconds in (("plain", 2.0), ("awaiting", 12.0))
    ]
    return Comparison(reports, requests)


def a_recording(*asked: tuple[float, str]) -> Recording:
    """Requests by send time and color that answered, "" for a reset; each takes a millisecond."""
    recording = Recording(target_rate=10.0)
    for sent, color in asked:
        recording.add(
            intended=sent,
            sent=sent,
            ended=sent + 0.001,
            outcome=Outcome.OK if color else Outcome.RESET,
            status=200 if color else 0,
            color=color,
        )
    return recording


def shown(page: Page) -> list[str]:
    """The lines on a terminal, with single blanks."""
    console = Console(width=80, highlight=False, record=True, file=io.StringIO())
    page.show(console)
    text = console.export_text()
    assert "…" not in text
    return [" ".join(line.split()) for line in text.splitlines()]


def plain_service() -> ModuleType:
    """The plain program's module, under a name that no other program's has."""
    path = REPOSITORY / "benchmarks" / "kubernetes" / "plain" / "service.py"
    spec = importlib.util.spec_from_file_location("plain_kubernetes_service", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def objects_of_plain(service: ModuleType) -> Objects:
    def program() -> None:
        config = settings_of("kubernetes", 0)
        colors = {color: config[color] for color in ("blue", "green")}
        service.declare_service(config["active_color"], config["service"], colors)

    recording = record(program)
    return {(each.type, each.name): each.inputs for each in recording.resources}


def objects_of_ours() -> Objects:
    recording = record(lambda: declare_ours("kubernetes", 1), project="shop")
    return {
        (each.type, each.name): each.inputs for each in recording.resources if not each.is_component
    }


def without(keys: set[str], value: Any) -> Any:
    """The same without some keys, wherever they are."""
    if isinstance(value, dict):
        return {name: without(keys, each) for name, each in value.items() if name not in keys}
    return [without(keys, each) for each in value] if isinstance(value, list) else value


def keys_in(value: Any) -> set[str]:
    """Every key, wherever it is."""
    if isinstance(value, dict):
        return set(value).union(*map(keys_in, value.values()))
    return set().union(*map(keys_in, value)) if isinstance(value, list) else set()


def test_the_plain_program_has_the_same_objects_as_the_library():
    plain, ours = objects_of_plain(plain_service()), objects_of_ours()

    assert without(NOT_PLAIN, plain) == without(NOT_PLAIN, ours)
    assert Counter(kind.rpartition(":")[2] for kind, _ in plain) == {
        "ConfigMap": 1,
        "Deployment": 2,
        "PodDisruptionBudget": 2,
        "Service": 4,
    }


def test_only_the_awaiting_program_has_the_waits_of_the_provider():
    awaiting = plain_service()
    awaiting.SKIP_AWAIT = {}

    plain, awaited = objects_of_plain(plain_service()), objects_of_plain(awaiting)

    assert {kind for (kind, _), each in plain.items() if SKIP_AWAIT in keys_in(each)} == {
        "kubernetes:apps/v1:Deployment",
        "kubernetes:core/v1:Service",
    }
    assert not any(SKIP_AWAIT in keys_in(each) for each in awaited.values())
    assert plain.keys() == awaited.keys()


def test_each_baseline_has_its_own_ratios_beside_the_same_runs_of_the_library():
    plain, awaiting, _ = a_comparison(Counter()).pages()

    assert "up, a switch 2.00 3.00 0.00 1.50 (1.50 to 1.50) ≤ 1.15 missed" in shown(plain)
    assert "up, a switch 12.00 3.00 0.00 0.25 (0.25 to 0.25) ≤ 1.15 met" in shown(awaiting)


def test_a_write_that_no_provider_measures_has_no_table():
    page = a_comparison(Counter()).pages()[0]

    assert "the router's write" not in page.markdown()
    assert len(page.tables) == 3


def test_requests_are_counted_by_hook_with_those_of_the_preview_beside_them():
    requests: Counter[Request] = Counter(
        {
            ("preview", "router-gate", "GET pods"): 2,
            ("update", "router-gate", "GET pods"): 3,
            ("update", "flag-write", "PATCH configmaps"): 1,
        }
    )

    lines = a_comparison(requests).pages()[-1].markdown().splitlines()

    assert lines[2:] == [
        "| router-gate | GET pods | 2 | 3 |",
        "| flag-write | PATCH configmaps | 0 | 1 |",
        "| all |  | 2 | 4 |",
    ]


def test_every_figure_of_a_comparison_is_written_down():
    requests: Counter[Request] = Counter({("update", "flag-write", "PATCH configmaps"): 1})

    content = json.loads(json.dumps(a_comparison(requests).content()))

    assert [report["baseline"] for report in content["reports"]] == ["plain", "awaiting"]
    assert content["requests"] == [["update", "flag-write", "PATCH configmaps", 1]]


def test_fresh_and_kept_requests_of_a_switch_are_told_apart():
    # Written at 10.5, returned at 11: blue answers for 0.2 s after the return.
    move = Move("blue", "green", started=10.0, returned=11.0, moved=10.5)
    fresh = a_recording((9.5, "blue"), (10.6, ""), (10.9, "green"), (11.2, "blue"), (11.3, "green"))
    kept = a_recording((9.5, "blue"), (10.7, ""), (10.8, ""))

    way = both_of(traffic_of("by hand", fresh, [move], (9.0, 10.0)), kept)

    page = ClusterTrafficReport(MACHINE, [way]).pages()[0]
    (line,) = [line for line in shown(page) if line.startswith("by hand")]
    assert line == "by hand 1 of 5 2 of 3 1 of 2 700 (700 to 700) 1.0"


@pytest.mark.parametrize("part", ["kubernetes", "kubernetes-traffic"])
def test_without_a_node_it_says_why_and_that_nothing_was_measured(part, tmp_path):
    figures = tmp_path / "figures.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", part, "--into", str(figures)],
        cwd=REPOSITORY,
        # Without Go and what it has built, there is no Kubernetes.
        env={**os.environ, "PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Kubernetes was not measured: ")
    assert len(done.stdout.splitlines()) == 1
    assert not figures.exists()
