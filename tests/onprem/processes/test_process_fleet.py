"""The members as a resource: what is left of a failure, and how long an end may take."""

import time

import pytest

from bluegreen.errors import DataPlaneError
from bluegreen.onprem import members, orphans
from bluegreen.onprem.process_fleet import _Provider
from bluegreen.onprem.traffic_map import MapFile
from tests.ports import free_ports


@pytest.fixture
def inputs(supervisord, server, scratch, monkeypatch):
    monkeypatch.setattr(members, "_START_SECONDS", 0)
    # Only the first one ever becomes ready.
    command = f"sh -c 'test {{index}} = 0 && exec {server} {{port}}; exit 1'"
    return {
        "run_directory": str(supervisord.directory),
        "service": "shop",
        "color": "blue",
        "release": "1.0",
        "command": command,
        "env": {},
        "directory": str(scratch),
        "ports": list(free_ports(2)),
        "replicas": 1,
        "readiness_path": "/ready",
        "start_timeout_seconds": 2,
        "stop_seconds": 5,
        "drain_seconds": 60,
    }


def test_of_members_that_could_not_be_made_none_is_left(supervisord, inputs):
    with pytest.raises(DataPlaneError, match="blue member 1 of shop did not become ready"):
        _Provider().create(inputs | {"replicas": 2})

    assert supervisord.programs() == {}


def test_members_with_traffic_outlive_a_lost_state_and_a_failure(supervisord, inputs):
    _Provider().create(inputs)
    before = supervisord.programs()["blue-0"].pid
    MapFile(supervisord.directory / "traffic.map").write("shop", "shop-blue,shop-green,0")

    with pytest.raises(DataPlaneError, match="blue member 1 of shop did not become ready"):
        _Provider().create(inputs | {"replicas": 2})

    assert supervisord.programs()["blue-0"].pid == before
    assert orphans.is_alive(before)


def test_a_refresh_without_a_process_manager_changes_nothing(supervisord, inputs, kill_daemon):
    created = _Provider().create(inputs).outs
    assert created["running"] == 1
    supervisord.take("blue-0")
    assert _Provider().read("shop-blue", created).outs == created | {"running": 0}
    kill_daemon()

    assert _Provider().read("shop-blue", created).outs == created


def test_without_a_proxy_there_is_nothing_to_wait_for(supervisord, inputs):
    provider = _Provider()
    created = provider.create(inputs).outs
    began = time.monotonic()

    provider.delete("shop-blue", created)

    assert time.monotonic() - began < 10
    assert supervisord.programs() == {}
