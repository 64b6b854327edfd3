"""What users and their traffic notice when a part is killed, hangs, lies or cannot write."""

import os
import signal
import time
from collections.abc import Callable

import pytest

from bluegreen.onprem.orphans import is_alive
from bluegreen.onprem.supervisord import Supervisord
from tests.engine.onprem_driver import OnPremDriver
from tests.engine.onprem_load import traffic_on


@pytest.fixture
def both(onprem: OnPremDriver) -> OnPremDriver:
    """Blue 1.0 is live with two members, green 1.1 is deployed and idle."""
    onprem.configure("blue.replicas", 2)
    onprem.configure("green", {"release": "1.1", "replicas": 2})
    result = onprem.up()
    assert result.ok, result
    return onprem


def eventually(is_true: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.05)


def supervisord_of(driver: OnPremDriver) -> Supervisord:
    return Supervisord(driver.run_directory.path)


def pids_of(driver: OnPremDriver) -> dict[str, int | None]:
    return {name: each.pid for name, each in supervisord_of(driver).programs().items()}


def kill_supervisord(driver: OnPremDriver) -> None:
    pid = supervisord_of(driver).pid()
    assert pid
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not is_alive(pid))


def test_after_a_killed_process_manager_everything_is_replaced_without_a_failed_request(
    both: OnPremDriver,
):
    before = pids_of(both)
    with traffic_on(both) as traffic:
        kill_supervisord(both)
        preview = both.preview()
        result = both.up()

    assert preview.plan == [
        "shop-supervisor",
        "shop-haproxy",
        "blue fleet",
        "green fleet",
    ]
    assert result.ok, result
    assert traffic.failed == 0
    after = pids_of(both)
    assert after.keys() == before.keys()
    assert not set(after.values()) & set(before.values())
    eventually(lambda: not any(pid and is_alive(pid) for pid in before.values()))
    assert both.up().done == []


def test_a_single_live_member_is_replaced_with_the_help_of_a_spare_slot(onprem: OnPremDriver):
    assert onprem.up().ok
    with traffic_on(onprem) as traffic:
        kill_supervisord(onprem)
        result = onprem.up()

    assert result.ok, result
    assert traffic.failed == 0
    assert sorted(pids_of(onprem)) == ["blue-0", "haproxy"]
