"""What the benchmark of AWS makes of figures, and that both programs have the same resources.

Nothing here is timed: how fast it is, `make bench` says, and no test.
"""

import importlib.util
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.aws.asked import PROVIDER, Request, request_table, requests_of
from benchmarks.aws.command import Comparison
from benchmarks.aws.stack import stack_of
from benchmarks.figures import Machine, Memory, Pair, Report, Task
from benchmarks.registration.declare import declare_ours
from benchmarks.registration.services import settings_of
from benchmarks.stack import Done, Stack
from benchmarks.table import Page
from tests.components.conftest import record
from tests.engine.pulumi_stack import ENGINE
from tests.standins.aws_cloud.calls import Call
from tests.standins.haproxy_process import haproxy_binary

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAMS = REPOSITORY / "benchmarks" / "aws"
# What only the library's own guards read.
NOT_PLAIN = "bluegreen:fingerprint"
OURS = "Boto3/1.40 md/Botocore bluegreen"
TERRAFORM = "APN/1.0 HashiCorp/1.0 Terraform/1.5 terraform-provider-aws/5.100"

Resources = dict[tuple[str, str], Any]


def a_call(at: float, action: str, agent: str = TERRAFORM, service: str = "ssm") -> Call:
    return Call(service, action, None, at=at, user_agent=agent)


def resources_of_plain() -> Resources:
    path = PROGRAMS / "plain" / "service.py"
    # Under a name that no other program's module has.
    spec = importlib.util.spec_from_file_location("plain_aws_service", path)
    assert spec is not None
    assert spec.loader is not None
    service = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(service)

    def program() -> None:
        config = settings_of("aws", 0)
        colors = {color: config[color] for color in ("blue", "green")}
        service.declare_service(config["active_color"], config["service"], colors)

    recording = record(program)
    return {(each.type, each.name): each.inputs for each in recording.resources}


def resources_of_ours() -> Resources:
    recording = record(lambda: declare_ours("aws", 1))
    return {
        (each.type, each.name): without_fingerprint(each.inputs)
        for each in recording.resources
        if not each.is_component
    }


def without_fingerprint(value: Any) -> Any:
    """The same without that tag, however tags are written."""
    if isinstance(value, dict):
        return {key: without_fingerprint(each) for key, each in value.items() if key != NOT_PLAIN}
    if isinstance(value, list):
        kept = (each for each in value if not has_fingerprint(each))
        return [without_fingerprint(each) for each in kept]
    return value


def has_fingerprint(tag: Any) -> bool:
    return isinstance(tag, dict) and tag.get("key") == NOT_PLAIN


def rows(page: Page) -> list[str]:
    return page.markdown().splitlines()[2:]


def test_the_plain_program_has_the_same_resources_with_the_same_inputs_as_the_library():
    plain, ours = resources_of_plain(), resources_of_ours()

    assert plain == ours
    assert Counter(kind.rpartition(":")[2] for kind, _ in plain) == {
        "Group": 2,
        "LaunchTemplate": 2,
        "Listener": 2,
        "ListenerRule": 3,
        "LogGroup": 1,
        "MetricAlarm": 6,
        "Parameter": 1,
        "SecurityGroup": 1,
        "TargetGroup": 2,
    }


def test_a_call_is_told_by_who_made_it_and_by_the_program_that_was_at_work():
    notes: list[dict[str, Any]] = [
        {"began": 11.0, "is_preview": True},
        {"by": "router-gate", "started": 12.0, "ended": 13.0, "is_preview": True},
        {"began": 15.0, "is_preview": False},
        {"by": "router-gate", "started": 16.0, "ended": 17.0, "is_preview": False},
        {"by": "flag-record", "started": 18.0, "ended": 19.0, "is_preview": False},
    ]
    calls = [
        a_call(9.0, "GetParameter"),
        a_call(12.5, "GetParameter", OURS),
        a_call(15.5, "GetParameter", OURS),
        a_call(16.5, "GetParameter", OURS),
        a_call(17.5, "PutParameter"),
        a_call(18.5, "PutLogEvents", OURS, "logs"),
        a_call(21.0, "GetParameter"),
    ]

    found = requests_of(calls, Done(10.0, 1.0, "", started=10.0), notes)

    assert found == Counter(
        {
            ("preview", "router-gate", "ssm:GetParameter"): 1,
            ("update", "the program", "ssm:GetParameter"): 1,
            ("update", "router-gate", "ssm:GetParameter"): 1,
            ("update", PROVIDER, "ssm:PutParameter"): 1,
            ("update", "flag-record", "logs:PutLogEvents"): 1,
        }
    )


def test_the_writes_of_the_provider_come_first_with_those_of_the_plain_program_beside_them():
    write, read = "elasticloadbalancing:ModifyListener", "elasticloadbalancing:DescribeListeners"
    ours: Counter[Request] = Counter(
        {
            ("preview", "router-gate", read): 2,
            ("update", PROVIDER, read): 3,
            ("update", PROVIDER, write): 1,
        }
    )
    plain: Counter[Request] = Counter({("update", PROVIDER, write): 1})

    assert rows(Page([request_table(ours, plain)])) == [
        f"| the provider | {write} | 0 | 1 | 1 |",
        f"| the provider | {read} | 0 | 3 | 0 |",
        f"| router-gate | {read} | 2 | 0 | 0 |",
        "| all |  | 2 | 4 | 1 |",
    ]


def test_every_figure_of_a_comparison_is_written_down():
    report = Report(
        baseline="plain",
        machine=Machine(cores=2, load_before=0.42, python="3.11.7", pulumi="3.259.0"),
        pairs=[Pair(task, 2.0, 3.0, 2.0, 2.2) for task in Task],
        write_ms=[],
        plain_memory=Memory(program_mib=50, all_mib=300),
        ours_memory=Memory(program_mib=75, all_mib=330),
    )
    requests: Counter[Request] = Counter({("update", PROVIDER, "ssm:PutParameter"): 1})

    content: Any = Comparison(report, requests, Counter()).content()

    assert json.loads(json.dumps(content))["requests"] == [
        ["update", PROVIDER, "ssm:PutParameter", 1]
    ]
    assert content["report"]["baseline"] == "plain"


def test_without_the_provider_it_says_why_and_that_nothing_was_measured(tmp_path):
    figures = tmp_path / "figures.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "aws", "--into", str(figures)],
        cwd=REPOSITORY,
        env={**os.environ, "BLUEGREEN_TERRAFORM_AWS_PROVIDER": str(tmp_path / "nothing")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("AWS was not measured: ")
    assert len(done.stdout.splitlines()) == 1
    assert not figures.exists()


def test_a_program_starts_without_what_only_gates_need():
    code = (
        "import sys, bluegreen.aws, bluegreen.settings\n"
        "print(*sorted({'httpx', 'boto3', 'botocore'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == []


@pytest.mark.soak
@pytest.mark.skipif(not (ENGINE / "pulumi").exists(), reason="`make setup` makes an engine")
@pytest.mark.skipif(haproxy_binary() is None, reason="haproxy is not installed")
def test_a_switch_is_one_write_of_the_listener_and_hooks_write_only_the_event(region, monkeypatch):
    monkeypatch.setenv("PATH", f"{ENGINE}:{os.environ['PATH']}")
    region.cloud.reset()
    with stack_of(PROGRAMS / "ours", region, 0) as stack:
        stack.deploy()
        # As `benchmarks.measure` does it.
        done = Stack.switch(stack)
        requests, judged_seconds = stack.requests(), stack.judged_seconds()

    assert 0 < judged_seconds < done.seconds
    written = {
        request: count
        for request, count in requests.items()
        if not request[2].partition(":")[2].startswith(("Describe", "Get", "List"))
    }
    assert written == {
        ("update", PROVIDER, "elasticloadbalancing:ModifyListener"): 1,
        ("update", PROVIDER, "elasticloadbalancing:ModifyRule"): 1,
        ("update", PROVIDER, "ssm:PutParameter"): 1,
        ("update", "flag-record", "logs:PutLogEvents"): 1,
    }
    asking = {who for phase, who, _ in requests if phase == "update"}
    assert asking >= {"router-guard", "router-gate", "router-follow", "flag-follow"}
