"""What the route's provider says about the write that it has made."""

import fcntl
import threading
import time
from datetime import datetime
from typing import Any

import pytest

from bluegreen.colors import Color
from bluegreen.onprem.haproxy_router import _Provider
from tests.onprem.haproxy.proxy import SERVICE

WATCH_SECONDS = 0.25
HELD_SECONDS = 1.0


@pytest.fixture
def inputs(proxy) -> dict[str, Any]:
    return {
        "stats_socket": str(proxy.config.socket_path),
        "map_path": str(proxy.config.map_path),
        "map_key": SERVICE,
        "active_color": "green",
        "blue_percent": 0,
        "green_percent": 100,
        **{f"{color}_backend": proxy.traffic.backends[color] for color in Color},
    }


def test_the_time_of_the_write_is_that_of_the_move_and_not_the_end_of_the_watch_after_it(inputs):
    outputs = _Provider().update("", {}, inputs).outs
    now = time.time()

    # The clock of the day may be set a little meanwhile.
    assert now - datetime.fromisoformat(outputs["written_at"]).timestamp() > WATCH_SECONDS - 0.02


def test_the_durable_write_counts_the_map_file_and_the_runtime_command_does_not(inputs, proxy):
    lock = proxy.config.map_path.with_name("traffic.map.lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    threading.Timer(HELD_SECONDS, lock.close).start()

    outputs = _Provider().update("", {}, inputs).outs

    held_ms = HELD_SECONDS * 1000
    assert outputs["durable_write_ms"] > held_ms / 2
    assert 0 < outputs["write_ms"] < outputs["durable_write_ms"] - held_ms / 2
