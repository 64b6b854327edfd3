"""The requirements' switch script and `pulumi up`, each on a stack of its own: the same end."""

import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from bluegreen.traffic import TrafficSplit
from tests.engine import aws_switch_script
from tests.engine.aws_driver import PRODUCTION, AwsDriver, Region, aws_driver
from tests.engine.pulumi_stack import Result

GREEN = TrafficSplit(blue=0, green=100)


@dataclass(frozen=True)
class End:
    """What is there after a switch to green."""

    live: TrafficSplit | None
    answers: Counter[str]
    flag: str
    event_keys: set[str]
    colors_of_the_event: tuple[str, str]
    members: tuple[int, int]
    """Of blue and of green: the old side still runs."""


def the_end(driver: AwsDriver, event: dict[str, Any]) -> End:
    flag = driver.cloud.client("ssm").get_parameter(Name="/shop/active-color")
    sizes = [len(driver.group(color)["Instances"]) for color in ("blue", "green")]
    return End(
        live=driver.live(),
        answers=driver.ask("production"),
        flag=flag["Parameter"]["Value"],
        event_keys={key for key in ("timestamp", "from", "to", "user") if event.get(key)},
        colors_of_the_event=(color_in(event["from"]), color_in(event["to"])),
        members=(sizes[0], sizes[1]),
    )


def color_in(share: str) -> str:
    """`green` of the script, `100 % green 1.1` of the library."""
    (color,) = set(share.split()) & {"blue", "green"}
    return color


def last_event(driver: AwsDriver) -> dict[str, Any]:
    event = driver.events()[-1]
    age = datetime.now(UTC) - datetime.fromisoformat(event["timestamp"])
    assert 0 <= age.total_seconds() < 120
    return event


def deploy_both(driver: AwsDriver) -> None:
    driver.configure("active_color", "blue")
    driver.configure("blue", {"release": "1.0", "replicas": 1})
    driver.configure("green", {"release": "1.1", "replicas": 1})
    driver.arrange()


def run_script(driver: AwsDriver, *words: str) -> subprocess.CompletedProcess[str]:
    place = ["--service", "shop", "--load-balancer", driver.balancer, "--port", str(PRODUCTION)]
    return subprocess.run(
        [sys.executable, aws_switch_script.__file__, *words, *place],
        env={**os.environ, **driver.cloud.environment, "USER": "on-call"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@dataclass(frozen=True)
class ByUpdate:
    """`pulumi config set active_color green && pulumi up`."""

    end: End
    rollback_command: str
    pointer: Counter[str]
    """Who answers at the test endpoint."""

    refreshed: list[str]
    """What a preview with a refresh would change then."""


@dataclass(frozen=True)
class ByScript:
    """The script, and what the stack says of it afterwards."""

    end: End
    output: str
    pointer: Counter[str]
    refreshed: list[str]
    again: subprocess.CompletedProcess[str]
    """The same command a second time."""

    adopted: list[str]
    """What `pulumi up` to the same color changes then."""

    adopted_end: End
    adopted_pointer: Counter[str]


@pytest.fixture
def by_update(region: Region) -> ByUpdate:
    with aws_driver(region) as driver:
        deploy_both(driver)
        switch_by_update(driver)
        return ByUpdate(
            end=the_end(driver, last_event(driver)),
            rollback_command=driver.outputs()["rollback_command"],
            pointer=driver.ask("test"),
            refreshed=driver.stack.preview("--refresh").plan,
        )


@pytest.fixture
def by_script(region: Region) -> ByScript:
    with aws_driver(region) as driver:
        deploy_both(driver)
        done = run_script(driver, "green")
        assert done.returncode == 0, done.stdout + done.stderr
        end, pointer = the_end(driver, last_event(driver)), driver.ask("test")
        refreshed, again = driver.stack.preview("--refresh").plan, run_script(driver, "green")
        adopted = switch_by_update(driver)
        return ByScript(
            end=end,
            output=done.stdout,
            pointer=pointer,
            refreshed=refreshed,
            again=again,
            adopted=adopted.done,
            adopted_end=the_end(driver, last_event(driver)),
            adopted_pointer=driver.ask("test"),
        )


def switch_by_update(driver: AwsDriver) -> Result:
    driver.configure("active_color", "green")
    result = driver.up()
    assert result.ok, result
    return result


@pytest.mark.soak
def test_both_reach_the_same_end_and_only_the_update_tells_the_stack(
    by_update: ByUpdate, by_script: ByScript
):
    # One test for all: two processes that share the tests would each make both services.
    assert by_update.end == by_script.end
    assert by_update.end == End(
        live=GREEN,
        answers=Counter({"green 1.1": 20}),
        flag="green",
        event_keys={"timestamp", "from", "to", "user"},
        colors_of_the_event=("blue", "green"),
        members=(1, 1),
    )
    # Both say the way back.
    assert "pulumi config set active_color blue" in by_update.rollback_command
    assert "To roll back: switch-traffic blue" in by_script.output
    assert "blue is still running" in by_script.output
    # The script leaves the test endpoint at what is in production now.
    assert by_update.pointer == {"blue 1.0": 20}
    assert by_script.pointer == {"green 1.1": 20}
    # The stack hears of it by a refresh, which would move traffic back, or by the same switch.
    assert by_update.refreshed == []
    assert set(by_script.refreshed) == {"shop-route", "shop-flag"}
    assert by_script.adopted == ["router", "flag"]
    assert by_script.adopted_end == by_update.end
    assert by_script.adopted_pointer == by_update.pointer
    # A second time it does nothing.
    assert by_script.again.returncode == 0
    assert "green is already active" in by_script.again.stdout


@pytest.mark.parametrize("words", [(), ("purple",)])
def test_the_script_takes_no_other_color(words: tuple[str, ...]):
    done = subprocess.run(
        [
            *(sys.executable, aws_switch_script.__file__, *words),
            *("--service", "shop", "--load-balancer", "none"),
        ],
        env={**os.environ, "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stdout.startswith("Usage: ")
