"""A drill on a copy of a stack, and an approval: the command on the real engine."""

import signal
import time
from pathlib import Path

import pytest

from tests.engine.command import ended, start, typed
from tests.engine.drilled import assert_drilled
from tests.engine.onprem_driver import OnPremDriver, service_settings


def files_of(driver: OnPremDriver) -> set[Path]:
    return {
        path.relative_to(driver.stack.directory)
        for path in driver.stack.directory.rglob("*")
        if "engine" not in path.relative_to(driver.stack.directory).parts
        and "__pycache__" not in path.parts
    }


def test_a_drill_switches_and_rolls_back_a_copy_and_leaves_nothing(onprem: OnPremDriver):
    onprem.configure("green", {"release": "1.1", "replicas": 1})
    onprem.configure("service.windows", {"freeze": [{"first": "2001-01-01", "last": "2101-01-01"}]})
    onprem.configure("service.events", {"file": "told.jsonl"})
    written, files = onprem.stack.config_file.read_text(), files_of(onprem)

    done = typed(onprem.stack, "drill", "--path", "/version", "--rate", "50", "--json")

    assert_drilled(done)
    # The stack itself was only read, and nothing is left of the copy.
    assert onprem.stack.config_file.read_text() == written
    assert files_of(onprem) == files
    assert onprem.outputs() == {}
    stacks = onprem.stack.run("stack", "ls", "--json")
    assert "drill-" not in stacks.stdout


def test_a_drill_that_is_stopped_leaves_nothing_either(onprem: OnPremDriver):
    onprem.configure("green", {"release": "1.1", "replicas": 1})
    written = onprem.stack.config_file.read_text()

    process = start(onprem.stack, "drill", "--path", "/version", "--rate", "20")
    assert process.stderr is not None
    said = ""
    # In the update that makes the copy: the engine ends the step that it is at.
    while "the copy is drill-" not in said:
        said += (line := process.stderr.readline())
        assert line, said
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    done = ended(process)

    assert done.exit_code == 1, done
    assert "stopped by SIGINT; the stack itself was not touched" in done.stderr
    assert onprem.stack.config_file.read_text() == written
    assert "drill-" not in onprem.stack.run("stack", "ls", "--json").stdout


@pytest.mark.soak
def test_a_limit_that_is_missed_is_told_by_the_exit_status(onprem: OnPremDriver):
    onprem.configure("green", {"release": "1.1", "replicas": 1})

    done = typed(onprem.stack, "drill", "--path", "/no/such/page", "--rate", "20", "--json")

    # What is asked for is not there: every request is lost, and production cannot be watched.
    assert done.exit_code == 1, done
    figures = {each["name"]: each["value"] for each in done.json["figures"]}
    assert figures["lost requests"] > 20
    assert figures["rollback"] is None
    assert "drill-" not in onprem.stack.run("stack", "ls", "--json").stdout


def test_an_approval_lets_a_color_with_its_release_have_traffic(onprem: OnPremDriver):
    onprem.configure("green", {"release": "1.1", "replicas": 1})
    onprem.configure("blue.replicas", 1)
    onprem.arrange()
    gates = service_settings(onprem.port)["gates"]
    onprem.configure("service.gates", gates | {"approve": True})

    refused = typed(onprem.stack, "switch")
    other = typed(onprem.stack, "approve", "--release", "1.2")
    approved = typed(onprem.stack, "approve", "--release", "1.1", "--json", BLUEGREEN_BY="ann")
    again = typed(onprem.stack, "approve", BLUEGREEN_BY="bob")
    switched = typed(onprem.stack, "switch")

    assert refused.exit_code == 1, refused
    assert "nobody has approved anything" in refused.text
    assert other.exit_code == 1, other
    assert "green holds 1.1 in Pulumi.test.yaml, not 1.2; nothing was approved" in other.stderr
    assert approved.json.items() >= {"color": "green", "release": "1.1", "by": "ann"}.items()
    assert again.exit_code == 0, again
    assert switched.exit_code == 0, switched
    (verdict,) = [each for each in onprem.events()[-1]["verdicts"] if each["gate"] == "approval"]
    assert verdict["passed"]
    assert verdict["value"].startswith("bob at ")


def test_the_doctor_says_what_is_missing_and_changes_nothing(onprem: OnPremDriver):
    onprem.configure("green", {"release": "1.1", "replicas": 1})
    events = {"file": "no/folder/told.jsonl", "webhook": {"url_env": "CHAT"}}
    onprem.configure("service.events", events)

    fresh = typed(onprem.stack, "doctor", "--json", CHAT="http://127.0.0.1:9/")
    onprem.configure("green.replicas", "many")
    wrong = typed(onprem.stack, "doctor", "--quick")
    nowhere = typed(onprem.stack, "doctor", "--quick", "--json", PATH="/nonexistent")

    assert fresh.exit_code == 0, fresh
    found = [(each["name"], each["level"]) for each in fresh.json["checks"]]
    assert found[:6] == [
        ("engine", "fine"),
        ("SDK", "fine"),
        ("project", "fine"),
        ("config", "fine"),
        ("packages", "fine"),
        ("haproxy", "fine"),
    ]
    # Nothing is deployed yet, and the folder is not there; the program says the latter as well.
    assert found[6:10] == [
        ("events", "warning"),
        ("events", "fine"),
        ("state", "warning"),
        ("program", "fine"),
    ]
    assert onprem.outputs() == {}
    assert wrong.exit_code == 1
    assert 'green.replicas: "many" is not a whole number' in " ".join(wrong.stdout.split())
    assert nowhere.exit_code == 1
    assert nowhere.json["checks"][0] == {
        "name": "engine",
        "level": "missing",
        "found": "the program `pulumi` is not on PATH",
        "fix": "install the Pulumi command line, 3.238 or newer",
    }
