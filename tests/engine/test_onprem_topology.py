"""Changes of a service's shape while it is under load: none of them may lose a request."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bluegreen.onprem.haproxy_runtime import HaproxyRuntime
from bluegreen.onprem.supervisord import Supervisord
from tests.engine.onprem_driver import APP, SLOTS, OnPremDriver, two_services
from tests.engine.onprem_load import traffic_on
from tests.engine.pulumi_stack import PulumiStack
from tests.engine.test_onprem import Request, listening

PROGRAMS = Path(__file__).parent / "programs"
ABRUPT = f"python3 {APP} --port {{port}} --grace 0"
"""Ends at SIGTERM with all it is working on: what is not drained before is lost."""

PERMISSION = {"BLUEGREEN_ALLOW_LIVE_CHANGE": "blue:that is what this test is about"}


@pytest.fixture
def abrupt(onprem: OnPremDriver) -> OnPremDriver:
    """Blue 1.0 is live with three members that drop what they hold when they are ended."""
    onprem.configure("service.onprem.command", ABRUPT)
    onprem.configure("blue.replicas", 3)
    result = onprem.up()
    assert result.ok, result
    return onprem


def haproxy_of(driver: OnPremDriver) -> int:
    pid = Supervisord(driver.run_directory.path).programs()["haproxy"].pid
    assert pid
    return pid


def test_done_the_careless_way_the_same_changes_lose_requests(abrupt: OnPremDriver):
    """The control: fewer members without a drain, another proxy without a take-over."""
    supervisord = Supervisord(abrupt.run_directory.path)
    with traffic_on(abrupt) as members:
        time.sleep(0.5)
        supervisord.take("blue-2", "blue-1")
        time.sleep(0.5)
    haproxy = haproxy_of(abrupt)
    with traffic_on(abrupt) as proxy:
        time.sleep(0.5)
        os.kill(haproxy, signal.SIGTERM)
        end = time.monotonic() + 30
        while not listening(abrupt.port) or haproxy_of(abrupt) == haproxy:
            assert time.monotonic() < end
            time.sleep(0.05)

    assert members.failed > 0
    assert proxy.failed > 0


def test_fewer_members_of_the_live_color_lose_no_request(abrupt: OnPremDriver):
    abrupt.configure("blue.replicas", 1)
    with traffic_on(abrupt) as traffic:
        result = abrupt.up(**PERMISSION)

    assert result.ok, result
    assert result.done == ["blue fleet"]
    assert sorted(Supervisord(abrupt.run_directory.path).programs()) == ["blue-0", "haproxy"]
    assert traffic.failed == 0
    assert traffic.report.answers == {"blue": traffic.report.requests}


def test_a_live_release_that_is_replaced_with_a_permission_loses_no_request(
    abrupt: OnPremDriver,
):
    abrupt.configure("blue.release", "1.0.1")
    with traffic_on(abrupt) as traffic:
        result = abrupt.up(**PERMISSION)

    assert result.ok, result
    assert abrupt.ask("production") == {"blue 1.0.1": 20}
    assert traffic.failed == 0


def test_a_slot_that_a_killed_update_has_left_without_requests_is_drift(abrupt: OnPremDriver):
    runtime = HaproxyRuntime(str(abrupt.run_directory.stats_socket))
    runtime.set_server("shop-blue", "blue-2", "state drain")
    assert runtime.backend("shop-blue").servers_up == 2

    preview, result = abrupt.preview(), abrupt.up()

    assert preview.plan == ["blue fleet"]
    assert result.ok, result
    assert result.done == ["blue fleet"]
    assert runtime.drained_servers("shop-blue") == []
    assert runtime.backend("shop-blue").servers_up == 3


def test_growing_deploying_more_slots_and_another_health_check_lose_no_request(
    onprem: OnPremDriver,
):
    onprem.configure("service.onprem.command", ABRUPT)
    onprem.configure("service.onprem.slots", SLOTS - 1)
    onprem.configure("green", {"release": "1.1", "replicas": 1})
    assert onprem.up().ok
    done = []
    with traffic_on(onprem, "/slow?ms=90", fresh_share=0.5) as traffic:
        for key, value in (
            ("blue.replicas", 2),
            ("green", {"release": "1.2", "replicas": 2}),
            ("service.onprem.slots", SLOTS),
            ("service.health_check.interval_seconds", 1.5),
        ):
            onprem.configure(key, value)
            result = onprem.up()
            assert result.ok, result
            done.append(result.done)

    assert done[:2] == [["blue fleet"], ["green fleet"]]
    assert all("shop-haproxy" in each for each in done[2:])
    assert traffic.failed == 0
    assert traffic.report.answers == {"blue": traffic.report.requests}


def test_a_request_that_a_reload_left_with_the_old_worker_is_waited_for(onprem: OnPremDriver):
    onprem.configure("green", {"release": "1.1", "replicas": 1})
    onprem.configure("service.drain", {"timeout_seconds": 60, "stop_seconds": 1})
    assert onprem.up().ok
    onprem.configure("service.health_check.interval_seconds", 1.5)
    onprem.configure("active_color", "green")
    onprem.configure("retired", {"color": "blue", "release": "1.0"})
    slow = Request(f"http://127.0.0.1:{onprem.port}/slow?ms=20000")

    result = onprem.up()

    assert result.ok, result
    assert result.done == ["shop-haproxy", "router", "flag", "blue fleet"]
    # Without the wait its process would have been killed a second after SIGTERM.
    assert slow.answer() == "blue 1.0"


@pytest.fixture
def services() -> Iterator[tuple[PulumiStack, int]]:
    """Two services in the config, of which the program makes the first; and that one's port."""
    with two_services(PROGRAMS / "configured_services") as (stack, first):
        stack.configure_in("programs", "services", ["shop"])
        result = stack.up()
        assert result.ok, result
        yield stack, first


def test_a_second_service_comes_and_goes_without_touching_the_first(
    services: tuple[PulumiStack, int],
):
    stack, port = services
    with traffic_on(port) as traffic:
        stack.configure_in("programs", "services", ["shop", "store"])
        added = stack.up()
        is_there = listening(port + 2 + 2 * SLOTS)
        stack.configure_in("programs", "services", ["shop"])
        removed = stack.up()

    assert added.ok, added
    assert is_there
    assert removed.ok, removed
    assert not listening(port + 2 + 2 * SLOTS)
    names = {*added.done, *removed.done}
    assert names
    assert all(name.startswith("store") for name in names)
    assert traffic.failed == 0
    assert traffic.report.answers == {"blue": traffic.report.requests}
