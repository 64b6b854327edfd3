"""What the on-premises platform does after something was lost, killed, renamed or refused."""

import json
import os
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from bluegreen.colors import Color
from bluegreen.onprem.haproxy_runtime import HaproxyRuntime
from bluegreen.onprem.run_directory import RunDirectory
from bluegreen.onprem.supervisord import Supervisord
from bluegreen.traffic import TrafficSplit
from tests.engine.onprem_driver import APP, SLOTS, OnPremDriver

BLUE = TrafficSplit.all_to(Color.BLUE)


@pytest.fixture
def both(onprem: OnPremDriver) -> OnPremDriver:
    """Blue 1.0 is live, green 1.1 is deployed and idle."""
    onprem.configure("green", {"release": "1.1", "replicas": 1})
    onprem.arrange()
    return onprem


def supervisord_of(driver: OnPremDriver) -> Supervisord:
    return Supervisord(driver.run_directory.path)


def pids_of(driver: OnPremDriver) -> dict[str, int | None]:
    return {name: each.pid for name, each in supervisord_of(driver).programs().items()}


def properties_of(driver: OnPremDriver, name: str) -> dict[str, Any]:
    (found,) = [each for each in driver.stack.resources() if each["urn"].endswith(f"::{name}")]
    return dict(found["outputs"])


def eventually(is_true: Callable[[], bool], seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.05)


def answers_at(driver: OnPremDriver) -> dict[str, int]:
    try:
        return dict(driver.ask("production", 4))
    except httpx.HTTPError:
        return {}


def test_a_renamed_service_does_not_take_over_the_run_directory_of_the_other(
    onprem: OnPremDriver,
):
    run = onprem.stack.directory / ".bluegreen/run/one/for/all"
    onprem.run_directory = RunDirectory(run)
    onprem.configure("service.onprem.run_directory", str(run))
    assert onprem.up().ok
    before = pids_of(onprem)

    onprem.configure("service.name", "store")
    refused = onprem.up()
    onprem.configure("service.name", "shop")
    put_back = onprem.up()

    assert not refused.ok
    assert "belongs to shop/test/shop; nothing was started; choose another" in refused.text
    assert "Traceback" not in refused.text
    assert put_back.ok, put_back
    assert put_back.done == []
    assert pids_of(onprem) == before
    assert onprem.ask("production") == {"blue 1.0": 20}


def test_more_slots_change_no_member_and_need_no_permission(onprem: OnPremDriver):
    onprem.configure("service.onprem.slots", SLOTS - 1)
    assert onprem.up().ok
    before = pids_of(onprem)
    onprem.configure("service.onprem.slots", SLOTS)

    result = onprem.up()

    assert result.ok, result
    assert pids_of(onprem) == before


def test_a_live_release_stays_protected_when_the_process_manager_was_killed(
    onprem: OnPremDriver,
):
    assert onprem.up().ok
    pid = supervisord_of(onprem).pid()
    assert pid
    os.kill(pid, signal.SIGKILL)

    assert onprem.refresh().ok
    replicas = properties_of(onprem, "shop-blue-members")["replicas"]
    onprem.configure("blue.release", "1.0.1")
    result = onprem.up()

    assert replicas == 1
    assert not result.ok
    assert "blue has 100 % of production traffic" in result.text
    assert onprem.ask("production") == {"blue 1.0": 20}


def test_a_refresh_says_what_runs_and_leaves_what_is_wanted_and_what_is_encrypted(
    onprem: OnPremDriver,
):
    onprem.configure("blue.replicas", 2)
    assert onprem.up().ok
    supervisord_of(onprem).take("blue-1")

    assert onprem.refresh().ok
    properties = properties_of(onprem, "shop-blue-members")

    assert (properties["running"], properties["replicas"]) == (1, 2)
    for name in ("env", "fingerprint"):
        assert "ciphertext" in properties[name], name


def test_of_a_color_that_could_not_be_made_nothing_is_left(onprem: OnPremDriver):
    assert onprem.up().ok
    onprem.configure("service.onprem.start_timeout_seconds", 6)
    command = f"sh -c 'test {{index}} = 0 && exec python3 {APP} --port {{port}}; sleep 2; exit 1'"
    onprem.configure("green", {"release": "1.1", "replicas": 2, "command": command})

    failed = onprem.up()

    assert not failed.ok
    assert "green member 1 of shop did not become ready" in failed.text
    assert sorted(supervisord_of(onprem).programs()) == ["blue-0", "haproxy"]
    onprem.configure("green", None)
    assert onprem.up().ok


def test_what_runs_and_is_not_in_the_state_is_adopted(both: OnPremDriver):
    (urn,) = [
        each["urn"] for each in both.stack.resources() if each["urn"].endswith("::shop-haproxy")
    ]
    # What an update leaves that was killed before its engine could write the state.
    forgotten = both.stack.run("state", "delete", urn, "--target-dependents", "--yes")
    assert forgotten.ok, forgotten
    before = pids_of(both)

    result = both.up()

    assert result.ok, result
    assert {"shop-haproxy", "router", "blue fleet"} <= set(result.done)
    assert pids_of(both) == before
    assert both.ask("production") == {"blue 1.0": 20}


def test_a_lost_stats_socket_and_a_lost_map_are_made_again_without_moving_traffic(
    onprem: OnPremDriver,
):
    assert onprem.up().ok
    before = pids_of(onprem)

    onprem.run_directory.traffic_map.unlink()
    with_map = onprem.up()
    onprem.run_directory.stats_socket.unlink()
    with_socket = onprem.up()

    assert with_map.ok, with_map
    assert "shop-blue,shop-green,0" in onprem.run_directory.traffic_map.read_text()
    assert with_socket.ok, with_socket
    assert onprem.live() == BLUE
    assert pids_of(onprem) == before
    assert onprem.ask("production") == {"blue 1.0": 20}


def test_a_taken_port_leaves_the_proxy_and_its_config_as_they_were(onprem: OnPremDriver):
    assert onprem.up().ok
    outputs = onprem.outputs()
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        onprem.configure("service.port", taken)

        result = onprem.up()

    assert not result.ok
    assert f"port {taken} for the proxy of shop is taken by pid {os.getpid()}" in result.text
    # Neither are they gone from what the command shows.
    assert f'    production_url  : "{outputs["production_url"]}"' in result.text
    assert onprem.outputs() == outputs
    assert result.seconds < 20
    assert onprem.ask("production") == {"blue 1.0": 20}
    haproxy = pids_of(onprem)["haproxy"]
    assert haproxy
    os.kill(haproxy, signal.SIGKILL)
    eventually(lambda: pids_of(onprem)["haproxy"] not in {None, haproxy})
    eventually(lambda: answers_at(onprem) == {"blue 1.0": 4})


def test_a_damaged_or_lost_flag_comes_back_with_the_time_of_the_last_switch(both: OnPremDriver):
    both.configure("service.retention_hours", 24)
    both.configure("active_color", "green")
    assert both.up().ok
    flag = both.run_directory.active_flag
    before = json.loads(flag.read_text())

    flag.write_text('{"color": ')
    refreshed = both.refresh()
    damaged = both.up()
    after_damage = json.loads(flag.read_text())
    flag.unlink()
    both.configure("retired", {"color": "blue", "release": "1.0"})
    retired = both.up()

    assert refreshed.ok, refreshed
    assert damaged.ok, damaged
    assert damaged.done == ["flag"]
    history = [(each["since"], each["previous"]) for each in (before, after_damage)]
    assert history == [(before["since"], "blue")] * 2
    # The flag is written again before the color is retired, and its time has not begun anew.
    assert not retired.ok
    assert "blue 1.0 must stay able to serve until" in retired.text
    assert json.loads(flag.read_text())["since"] == before["since"]
    assert HaproxyRuntime(str(both.run_directory.stats_socket)).backend("shop-blue").servers_up
