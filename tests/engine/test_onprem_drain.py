"""Requests that the old color has begun when traffic moves: finished, or lost."""

import pytest

from bluegreen.load import BackgroundLoad, LoadPlan, Recording
from bluegreen.onprem.supervisord import Supervisord
from tests.engine.onprem_driver import APP, OnPremDriver
from tests.engine.pulumi_stack import Result

# Longer than what lies between the write and the end of the old members, also on a busy machine.
REQUEST_MS = 8000


@pytest.fixture
def both(onprem: OnPremDriver) -> OnPremDriver:
    """Blue is live, green is idle; a member ends at once when it is told to, whatever it holds."""
    onprem.configure("service.onprem.command", f"python3 {APP} --port {{port}} --grace 0")
    onprem.configure("green", {"release": "1.1", "replicas": 1})
    onprem.arrange()
    return onprem


def switch_and_retire(driver: OnPremDriver) -> tuple[Result, Recording]:
    """One `pulumi up` that moves traffic and gives up the old members, under slow requests."""
    driver.configure("active_color", "green")
    driver.configure("retired", {"color": "blue", "release": "1.0"})
    plan = LoadPlan(
        url=f"http://127.0.0.1:{driver.port}/slow?ms={REQUEST_MS}",
        rate=10,
        seconds=120,
        connections=400,
        timeout_seconds=60,
    )
    with BackgroundLoad(plan) as load:
        result = driver.up()
        recording = load.stop()
    # Else nothing was shown: both colors were asked.
    assert recording.by_color()["green"]
    return result, recording


def programs_of(driver: OnPremDriver) -> set[str]:
    return set(Supervisord(driver.run_directory.path).programs())


def test_what_the_old_color_has_begun_is_finished_before_it_is_retired(both: OnPremDriver):
    both.configure("service.drain.timeout_seconds", 60)

    result, recording = switch_and_retire(both)

    assert result.ok, result
    assert recording.failed() == 0
    assert recording.by_color()["blue"]
    assert programs_of(both) == {"haproxy", "green-0"}


def test_without_time_to_drain_what_the_old_color_has_begun_is_lost_and_counted(
    both: OnPremDriver,
):
    both.configure("service.drain.timeout_seconds", 0)

    result, recording = switch_and_retire(both)

    assert result.ok, result
    assert "shop: blue still works on" in result.text
    assert recording.failed() > 0
    assert programs_of(both) == {"haproxy", "green-0"}
