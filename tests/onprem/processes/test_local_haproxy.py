"""The embedded proxy under its process manager: started, adopted, repaired, never half changed."""

import os
import shutil
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from bluegreen.errors import DataPlaneError
from bluegreen.onprem import local_haproxy, process_fleet
from bluegreen.onprem.haproxy_runtime import HaproxyRuntime
from bluegreen.onprem.run_directory import RunDirectory
from bluegreen.onprem.supervisord import Supervisord
from bluegreen.onprem.traffic_map import MapFile
from tests.onprem.processes.conftest import SERVER
from tests.ports import free_ports

OWNER = "shop/test/shop"
BLUE_IS_LIVE = "shop-blue,shop-green,0"


@pytest.fixture
def provider():
    if not (shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")):
        pytest.skip("there is no haproxy on this machine (Debian: apt-get install haproxy)")
    return local_haproxy._Provider()


@pytest.fixture
def inputs(supervisord):
    production, test, blue, green = free_ports(4)
    Supervisord(supervisord.directory, OWNER).start()
    return {
        "run_directory": str(supervisord.directory),
        "owner": OWNER,
        "service": "shop",
        "bind_address": "127.0.0.1",
        "production_port": production,
        "test_port": test,
        "health_check": {
            "path": "/ready",
            "interval_seconds": 1,
            "timeout_seconds": 1,
            "healthy_threshold": 1,
            "unhealthy_threshold": 1,
        },
        "blue_ports": [blue],
        "green_ports": [green],
    }


@pytest.fixture
def run(supervisord):
    return RunDirectory(supervisord.directory)


@pytest.fixture
def live(provider, inputs, run, scratch, wait_for):
    """A proxy whose blue member answers, and has the traffic."""
    provider.create(inputs)
    script = scratch / "server.py"
    script.write_text(SERVER)
    member = subprocess.Popen(["python3", "-S", "-E", script, str(inputs["blue_ports"][0])])
    runtime = HaproxyRuntime(str(run.stats_socket))
    MapFile(run.traffic_map).write("shop", BLUE_IS_LIVE)
    runtime.set_map(str(run.traffic_map), "shop", BLUE_IS_LIVE)
    wait_for(lambda: runtime.backend("shop-blue").servers_up)
    yield runtime
    member.terminate()
    member.wait(10)


def status(inputs):
    url = f"http://127.0.0.1:{inputs['production_port']}/"
    try:
        return httpx.get(url, trust_env=False).status_code
    except httpx.HTTPError as error:
        return type(error).__name__


class Watch:
    """Asks for production all the time; knows every answer that was not 200."""

    def __init__(self, inputs):
        self.failed, self.count, self._is_over = [], 0, threading.Event()
        self._thread = threading.Thread(target=self._ask, args=(inputs,))

    def _ask(self, inputs):
        while not self._is_over.is_set():
            self.count += 1
            if (answer := status(inputs)) != 200:
                self.failed.append(answer)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        self._thread.join()


def master(supervisord):
    return supervisord.programs()["haproxy"].pid


def test_a_proxy_that_an_earlier_update_has_left_is_adopted(supervisord, provider, inputs, live):
    before = master(supervisord)

    with Watch(inputs) as watch:
        created = provider.create(inputs)

    assert master(supervisord) == before
    assert live.map_value(created.outs["map_path"], "shop") == BLUE_IS_LIVE
    assert watch.count
    assert watch.failed == []


def test_a_lost_socket_is_made_again_without_a_failed_request(
    supervisord, provider, inputs, run, live
):
    before = master(supervisord)
    run.stats_socket.unlink()
    assert provider.diff("", inputs, inputs).changes

    with Watch(inputs) as watch:
        provider.update("", inputs, inputs)

    assert live.worker_pid()
    assert run.stats_socket.stat().st_mode & 0o077 == 0
    assert not (run.path / "renewed.sock").exists()
    assert master(supervisord) == before
    assert watch.failed == []
    assert not provider.diff("", inputs, inputs).changes


def test_a_lost_map_is_written_as_the_proxy_has_it_in_memory(provider, inputs, run, live):
    run.traffic_map.unlink()
    assert provider.diff("", inputs, inputs).changes

    provider.update("", inputs, inputs)

    assert MapFile(run.traffic_map).read("shop") == BLUE_IS_LIVE
    assert live.map_value(str(run.traffic_map), "shop") == BLUE_IS_LIVE


@pytest.mark.parametrize(
    ("key", "setting"),
    [("production_port", "service.port"), ("test_port", "service.onprem.test_port")],
)
def test_a_taken_port_is_named_before_anything_is_changed(
    provider, inputs, run, live, key, setting
):
    before = run.haproxy_config.read_text()
    with socket.create_server(("127.0.0.1", 0)) as other, Watch(inputs) as watch:
        port = other.getsockname()[1]

        with pytest.raises(
            DataPlaneError,
            match=rf"port {port} for the proxy of shop is taken by pid {os.getpid()} \(.+\); the "
            rf"proxy was left as it was; free it or change {setting}",
        ):
            provider.update("", inputs, inputs | {key: port})

    assert run.haproxy_config.read_text() == before
    assert watch.failed == []


def test_a_config_that_is_not_taken_over_is_put_back(
    supervisord, provider, inputs, run, live, wait_for, monkeypatch
):
    before = run.haproxy_config.read_text()
    # Somebody takes the port in the moment after the look.
    monkeypatch.setattr(local_haproxy, "holder_of", lambda *_: None)
    monkeypatch.setattr(local_haproxy, "_START_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as other:
        news = inputs | {"production_port": other.getsockname()[1]}

        with pytest.raises(DataPlaneError, match="did not take over its new config within"):
            provider.update("", inputs, news)

        assert run.haproxy_config.read_text() == before
        # HAProxy pauses the worker that serves while it tries in vain.
        wait_for(lambda: status(inputs) == 200)
        assert live.map_value(str(run.traffic_map), "shop") == BLUE_IS_LIVE
    provider.update("", inputs, news)
    assert status(news) == 200


def test_a_proxy_that_does_not_start_has_taken_no_port(supervisord, provider, inputs):
    with (
        socket.create_server(("127.0.0.1", inputs["production_port"])),
        pytest.raises(DataPlaneError, match="the proxy was not started; free it or change service"),
    ):
        provider.create(inputs)

    assert supervisord.programs() == {}


def test_nothing_is_deleted_in_the_directory_of_somebody_else(
    supervisord, provider, inputs, run, live
):
    members = {"service": "shop", "color": "blue", "drain_seconds": 0}
    stranger = inputs | {"owner": "store/test/store"} | members

    provider.delete("", stranger)
    process_fleet._Provider().delete("", stranger)

    assert live.worker_pid()
    assert run.traffic_map.exists()


def test_clients_are_sent_to_an_address_that_they_can_use(provider, inputs):
    created = provider.create(inputs | {"bind_address": "0.0.0.0"})

    assert created.outs["production_url"] == f"http://127.0.0.1:{inputs['production_port']}"


class Held:
    """A green member that answers its checks at once and everything else when it is told to."""

    def __init__(self, port):
        self.is_free = threading.Event()
        held = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path != "/ready":
                    held.is_free.wait(30)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.is_free.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def held(inputs, live, wait_for):
    """A request that green works on until it is let go, and what it was answered."""
    url = f"http://127.0.0.1:{inputs['test_port']}/"
    pin = {"X-Bluegreen-Color": "green"}
    with Held(inputs["green_ports"][0]) as member, ThreadPoolExecutor(2) as threads:
        wait_for(lambda: live.backend("shop-green").servers_up)
        answer = threads.submit(httpx.get, url, headers=pin, timeout=30, trust_env=False)
        wait_for(lambda: live.backend("shop-green").sessions)
        yield member, answer, threads
        member.is_free.set()


def test_a_color_is_removed_only_when_its_requests_are_finished(inputs, held):
    member, answer, threads = held
    fleet = inputs | {"color": "green", "drain_seconds": 20}

    deleted = threads.submit(process_fleet._Provider().delete, "shop-green", fleet)
    with pytest.raises(TimeoutError):
        deleted.result(1)
    member.is_free.set()

    deleted.result(10)
    assert answer.result(10).status_code == 200


def test_the_wait_for_the_requests_of_a_color_ends(inputs, held):
    _, answer, _ = held
    began = time.monotonic()

    process_fleet._Provider().delete("", inputs | {"color": "green", "drain_seconds": 0.5})

    assert 0.5 <= time.monotonic() - began < 5
    assert not answer.done()
