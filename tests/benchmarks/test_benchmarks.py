"""What the benchmarks make of figures, and that both programs have the same resources.

Nothing here is timed: how fast it is, `make bench` says, and no test.
"""

import io
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.figures import Machine, Memory, Pair, Report, Spread, Task, compare
from benchmarks.onprem_stack import stack_settings
from benchmarks.processes import MemoryWatch
from benchmarks.table import page_of
from tests.engine.pulumi_stack import ENGINE, PulumiStack
from tests.ports import free_ports

PROGRAMS = Path(__file__).resolve().parents[2] / "benchmarks"


def a_pair(
    task: Task, plain_seconds: float, ours_seconds: float, judged_seconds: float = 0.0
) -> Pair:
    return Pair(task, plain_seconds, ours_seconds, 2.0, 2.5, judged_seconds)


def a_report(pairs: list[Pair] | None = None, write_ms: tuple[float, ...] = (0.2,)) -> Report:
    return Report(
        baseline="plain",
        machine=Machine(cores=2, load_before=0.42, python="3.11.7", pulumi="3.259.0"),
        pairs=pairs or [a_pair(task, 2.0, 3.0) for task in Task],
        write_ms=write_ms,
        plain_memory=Memory(program_mib=50, all_mib=300),
        ours_memory=Memory(program_mib=75, all_mib=330),
    )


def shown(report: Report) -> str:
    console = Console(width=80, highlight=False, record=True, file=io.StringIO())
    page_of(report).show(console)
    return console.export_text()


def line_of(text: str, start: str) -> str:
    """The first line that starts so."""
    line = next(line for line in text.splitlines() if line.startswith(start))
    return " ".join(line.split())


def test_the_time_of_gates_is_no_part_of_the_ratio():
    assert a_pair(Task.SWITCH, 4.0, 5.0, judged_seconds=1.0).ratio == 1.0


def test_the_ratio_is_taken_pair_by_pair_so_that_a_slow_moment_weighs_once():
    pairs = [
        a_pair(Task.UP, 1.0, 1.1),
        a_pair(Task.UP, 10.0, 11.0),
        a_pair(Task.UP, 2.0, 8.0),
    ]

    (comparison,) = compare(pairs)

    assert comparison.ratio == Spread(1.1, 1.1, 4.0)
    # The medians beside it would give 4.
    assert (comparison.plain_seconds.median, comparison.ours_seconds.median) == (2.0, 8.0)


def test_each_task_is_compared_for_itself():
    pairs = [a_pair(Task.SWITCH, 1.0, 3.0), a_pair(Task.PREVIEW, 1.0, 2.0)]

    assert [(each.task, each.ratio.median) for each in compare(pairs)] == [
        (Task.PREVIEW, 2.0),
        (Task.SWITCH, 3.0),
    ]


@pytest.mark.parametrize(("ours_seconds", "word"), [(1.15, "met"), (1.16, "missed")])
def test_the_table_says_whether_the_median_ratio_is_within_its_target(ours_seconds, word):
    pairs = [a_pair(task, 1.0, ours_seconds) for task in Task]

    assert line_of(shown(a_report(pairs)), "up, no change").endswith(f"≤ 1.15 {word}")


@pytest.mark.parametrize(("write_ms", "word"), [((1, 5, 90), "met"), ((1, 5.1, 6), "missed")])
def test_the_table_says_whether_the_median_write_is_within_its_target(write_ms, word):
    text = line_of(shown(a_report(write_ms=write_ms)), "the router's write")

    assert text.endswith(f"≤ 5 {word}")
    assert f"({write_ms[0]:.2f} to {write_ms[-1]:.2f})" in text


def test_the_table_shows_every_figure_in_80_columns():
    pairs = [a_pair(task, 98.76, 123.45, 23.45) for task in Task]

    text = shown(a_report(pairs))

    assert "…" not in text
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80
    assert line_of(text, "up, a switch").startswith("up, a switch 98.76 123.45 23.45 1.01 (1.01")
    assert line_of(text, "the program") == "the program 50 75 1.50"


def test_the_same_tables_are_there_as_markdown():
    lines = page_of(a_report()).markdown().splitlines()

    assert lines[0] == "| seconds | plain | bluegreen | gates | ratio | target |"
    assert lines[1] == "|---|---|---|---|---|---|"
    assert lines[2].startswith("| preview, no change | 2.00 | 3.00 | 0.00 | 1.50 (1.50 to 1.50) |")
    assert "| the program | 50 | 75 | 1.50 |" in lines


def test_the_report_keeps_what_was_measured_and_what_follows():
    content = json.loads(a_report().to_json())

    assert content["pairs"][0] == {
        "task": "preview, no change",
        "plain_seconds": 2.0,
        "ours_seconds": 3.0,
        "plain_cpu_seconds": 2.0,
        "ours_cpu_seconds": 2.5,
        "judged_seconds": 0.0,
    }
    assert content["comparisons"][0]["ratio"] == {"min": 1.5, "median": 1.5, "max": 1.5}
    assert content["comparisons"][0]["cpu_ratio"]["median"] == 1.25
    assert content["writes"]["median"] == 0.2


def test_a_session_without_processes_has_no_memory():
    assert MemoryWatch(session=2**22 + 1).stop() == Memory(0.0, 0.0)


# What only the library's own guards read.
NOT_PLAIN = {("pulumi-python:dynamic/onprem:Members", "fingerprint")}


def previewed(program: str, directory: Path) -> dict[str, dict[str, set[str]]]:
    """The resources that a program would create: the keys of their inputs, by type and name."""
    stack = PulumiStack(directory, main=PROGRAMS / program)
    for key, value in stack_settings(free_ports(10)[0]).items():
        stack.configure(key, value)
    events = directory / "seen.json"

    result = stack.run(
        "preview", "--event-log", str(events), BLUEGREEN_BENCH_CLOCK=str(directory / "clock.jsonl")
    )

    assert result.ok, result
    found: dict[str, dict[str, set[str]]] = {}
    for line in events.read_text().splitlines():
        new = json.loads(line).get("resourcePreEvent", {}).get("metadata", {}).get("new")
        if new and not new["type"].startswith(("bluegreen:", "pulumi:")):
            name = new["urn"].split("::")[-1]
            found.setdefault(new["type"], {})[name] = set(new["inputs"])
    return found


@pytest.mark.skipif(
    not (ENGINE / "pulumi").exists() and shutil.which("pulumi") is None,
    reason="no Pulumi engine; `make setup` makes one",
)
def test_the_plain_program_has_the_same_resources_with_the_same_inputs_as_the_library(tmp_path):
    directories = [Path(tempfile.mkdtemp(prefix="bg-", dir=tmp_path)) for _ in range(2)]

    plain, ours = map(previewed, ("plain", "ours"), directories)

    for kind, key in NOT_PLAIN:
        for inputs in ours[kind].values():
            inputs.discard(key)
    assert plain == ours
    assert {kind.rpartition(":")[2]: len(names) for kind, names in plain.items()} == {
        "Supervisor": 1,
        "LocalHaproxy": 1,
        "Members": 2,
        "HaproxyRoute": 1,
        "ActiveFlag": 1,
    }


def test_a_program_starts_without_what_only_gates_and_providers_need():
    code = (
        "import sys, bluegreen.onprem, bluegreen.settings\n"
        "print(*sorted({'httpx', 'jinja2', 'supervisor'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == []


def test_the_plain_program_pays_for_no_import_of_the_library():
    code = "import sys, resources\nprint(*[name for name in sys.modules if 'bluegreen' in name])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROGRAMS / "plain",
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split() == []
