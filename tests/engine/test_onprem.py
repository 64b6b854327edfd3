"""What only the on-premises platform has, on the real engine."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bluegreen.colors import Color
from bluegreen.onprem.haproxy_runtime import HaproxyRuntime
from bluegreen.onprem.supervisord import Supervisord
from bluegreen.onprem.traffic_map import MapFile
from bluegreen.traffic import TrafficSplit
from tests.engine.onprem_driver import SLOTS, OnPremDriver, onprem_driver, two_services
from tests.engine.pulumi_stack import PulumiStack
from tests.ports import free_ports

PROGRAMS = Path(__file__).parent / "programs"
BLUE = TrafficSplit.all_to(Color.BLUE)
GREEN = TrafficSplit.all_to(Color.GREEN)


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def is_running(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


class Request:
    """A request on its way, in a thread of its own."""

    def __init__(self, url: str) -> None:
        self._answer = ""
        self._thread = threading.Thread(target=self._ask, args=(url,), daemon=True)
        self._thread.start()

    def _ask(self, url: str) -> None:
        try:
            answer = httpx.get(url, timeout=60)
        except httpx.HTTPError as error:
            self._answer = type(error).__name__
            return
        names = ("X-Bluegreen-Color", "X-Bluegreen-Release")
        is_whole = answer.is_success
        self._answer = " ".join(answer.headers[name] for name in names) if is_whole else "no"

    def answer(self) -> str:
        self._thread.join(60)
        return self._answer


def programs_of(driver: OnPremDriver) -> dict[str, int | None]:
    programs = Supervisord(driver.run_directory.path).programs()
    return {name: state.pid for name, state in sorted(programs.items())}


def pids_of(driver: OnPremDriver) -> list[int]:
    supervisord = Supervisord(driver.run_directory.path)
    programs = supervisord.programs().values()
    return [*(each.pid for each in programs if each.pid), supervisord.pid() or 0]


def test_destroy_leaves_no_process_port_socket_or_file(onprem: OnPremDriver):
    onprem.configure("green", {"release": "1.1", "replicas": 2})
    onprem.arrange()
    pids = pids_of(onprem)
    ports = range(onprem.port, onprem.port + 2 + 2 * SLOTS)
    # The controls: what is to be gone was there.
    assert len(pids) == 5
    assert all(is_running(pid) for pid in pids)
    assert sum(listening(port) for port in ports) == 5

    result = onprem.destroy()

    assert result.ok, result
    assert not any(is_running(pid) for pid in pids)
    assert not any(listening(port) for port in ports)
    assert not (onprem.stack.directory / ".bluegreen" / "run").exists()


def test_what_runs_survives_the_process_group_of_the_command_that_started_it(
    onprem: OnPremDriver,
):
    process = onprem.stack.start("up", "--yes")
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stdout + stderr

    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)

    assert onprem.ask("production") == {"blue 1.0": 20}


def test_an_up_brings_everything_back_after_a_reboot(onprem: OnPremDriver):
    onprem.configure("green", {"release": "1.1", "replicas": 1})
    onprem.configure("active_color", "green")
    onprem.arrange()
    for pid in reversed(pids_of(onprem)):
        os.kill(pid, signal.SIGKILL)
    time.sleep(0.5)
    assert not listening(onprem.port)

    preview = onprem.preview()
    result = onprem.up()

    assert preview.ok, preview
    assert result.ok, result
    assert onprem.live() == GREEN
    assert onprem.ask("production") == {"green 1.1": 20}


def test_a_restarted_proxy_comes_back_with_the_color_that_was_live(onprem: OnPremDriver):
    onprem.configure("green", {"release": "1.1", "replicas": 1})
    onprem.configure("active_color", "green")
    onprem.arrange()
    haproxy = Supervisord(onprem.run_directory.path).programs()["haproxy"].pid
    assert haproxy

    os.kill(haproxy, signal.SIGKILL)
    end = time.monotonic() + 15
    while time.monotonic() < end:
        try:
            if set(onprem.ask("production", 1)) == {"green 1.1"}:
                break
        except httpx.HTTPError:
            time.sleep(0.1)

    assert onprem.live() == GREEN
    assert onprem.ask("production") == {"green 1.1": 20}


def test_a_lost_flag_is_written_again(onprem: OnPremDriver):
    onprem.arrange()
    onprem.run_directory.active_flag.unlink()

    result = onprem.up()

    assert result.done == ["flag"]
    assert json.loads(onprem.run_directory.active_flag.read_text())["color"] == "blue"


def test_the_flag_says_who_is_active_since_when_and_by_whom(onprem: OnPremDriver):
    assert onprem.up(BLUEGREEN_BY="the pipeline").ok

    flag = json.loads(onprem.run_directory.active_flag.read_text())

    assert flag["color"] == "blue"
    assert flag["release"] == "1.0"
    assert flag["by"] == "the pipeline"
    assert flag["since"].endswith("+00:00")
    assert flag["previous"] is None


def test_a_member_that_died_for_good_is_drift(onprem: OnPremDriver):
    onprem.arrange()
    Supervisord(onprem.run_directory.path).take("blue-0")

    preview = onprem.preview()
    result = onprem.up()

    assert preview.plan == ["blue fleet"]
    assert result.ok, result
    assert result.done == ["blue fleet"]
    assert onprem.ask("production") == {"blue 1.0": 20}


def test_a_taken_port_is_named_and_nothing_is_started(onprem: OnPremDriver):
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", onprem.port + 2))
        other.listen()

        result = onprem.up()

    assert result.exit_code != 0
    assert f"port {onprem.port + 2} for blue member 0 is taken" in result.text
    assert "Traceback" not in result.text
    assert onprem.live() is None


def test_sockets_and_files_are_closed_to_other_users(onprem: OnPremDriver):
    onprem.arrange()
    run = onprem.run_directory

    assert run.path.stat().st_mode & 0o777 == 0o700
    for path in (run.stats_socket, run.path / "supervisor.sock", run.journal):
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_secret_reaches_the_members_and_nothing_else(onprem: OnPremDriver):
    secret = "hunter2-visibly-fake"
    onprem.stack.run("config", "set", "--secret", "--path", "shop:blue.env.PASSWORD", secret)
    texts = [onprem.preview().text, onprem.up().text]
    onprem.configure("green", {"release": "1.1", "replicas": 1, "env": {"APP_MODE": "broken"}})
    onprem.configure("active_color", "green")
    texts.append(onprem.up().text)
    (member,) = [
        each
        for name, each in Supervisord(onprem.run_directory.path).programs().items()
        if name == "blue-0"
    ]
    environment = Path(f"/proc/{member.pid}/environ").read_bytes()
    texts += [
        Path(f"/proc/{member.pid}/cmdline").read_text(),
        onprem.stack.run("stack", "export", "--stack", "test").stdout,
        onprem.run_directory.journal.read_text(),
        json.dumps(onprem.outputs()),
    ]

    assert f"PASSWORD={secret}".encode() in environment
    assert not [text for text in texts if secret in text]


def test_a_request_in_flight_is_finished_before_its_color_shrinks(onprem: OnPremDriver):
    onprem.configure("green", {"release": "1.1", "replicas": 1})
    onprem.configure("service.drain", {"timeout_seconds": 30, "stop_seconds": 1})
    onprem.arrange()
    onprem.configure("active_color", "green")
    onprem.configure("retired", {"color": "blue", "release": "1.0"})
    slow = Request(f"http://127.0.0.1:{onprem.port}/slow?ms=12000")

    result = onprem.up()

    assert result.ok, result
    assert result.done == ["router", "flag", "blue fleet"]
    # Without the wait its process would have been killed a second after SIGTERM.
    assert slow.answer() == "blue 1.0"


def test_another_time_to_stop_restarts_no_member(onprem: OnPremDriver):
    onprem.arrange()
    before = pids_of(onprem)
    onprem.configure("service.drain", {"stop_seconds": 7})

    result = onprem.up()

    assert result.ok, result
    assert pids_of(onprem) == before


def test_a_drain_is_bounded_and_says_how_much_is_left(onprem: OnPremDriver):
    onprem.configure("green", {"release": "1.1", "replicas": 1})
    onprem.configure("service.drain", {"timeout_seconds": 1, "stop_seconds": 1})
    onprem.arrange()
    onprem.configure("active_color", "green")
    onprem.configure("retired", {"color": "blue", "release": "1.0"})
    slow = Request(f"http://127.0.0.1:{onprem.port}/slow?ms=25000")

    result = onprem.up()

    assert result.ok, result
    assert "blue still works on 1 requests after 1 seconds" in result.text
    assert slow.answer() != "blue 1.0"


def test_a_health_check_that_live_members_do_not_pass_is_refused(onprem: OnPremDriver):
    onprem.arrange()
    onprem.configure("service.health_check.path", "/healthz-typo")

    preview, refused = onprem.preview(), onprem.up()

    for result in (preview, refused):
        assert result.exit_code != 0
        assert "does not pass the new health check /healthz-typo: 404" in result.text
    assert refused.done == []
    assert onprem.ask("production") == {"blue 1.0": 20}


def test_the_slots_of_live_members_cannot_be_moved(onprem: OnPremDriver):
    onprem.arrange()
    moved = {"blue": onprem.port + 3, "green": onprem.port + 3 + SLOTS}
    onprem.configure("service.onprem.member_ports", moved)

    # Without its preview, which refuses the same.
    refused = onprem.stack.run("up", "--yes", "--skip-preview")

    assert refused.exit_code != 0
    assert "would not be one of its slots any more" in refused.text
    assert onprem.ask("production") == {"blue 1.0": 20}


def test_more_slots_touch_the_proxy_and_no_member(onprem: OnPremDriver):
    onprem.arrange()
    before = [pid for name, pid in programs_of(onprem).items() if name != "haproxy"]
    onprem.configure("service.onprem.member_ports.green", onprem.port + 2 + SLOTS + 1)
    onprem.configure("service.onprem.slots", SLOTS + 1)

    result = onprem.up()

    assert result.ok, result
    assert "shop-haproxy" in result.done
    assert "router" not in result.plan
    assert [pid for name, pid in programs_of(onprem).items() if name != "haproxy"] == before
    assert onprem.ask("production") == {"blue 1.0": 20}


def test_a_map_file_that_says_something_else_is_drift(onprem: OnPremDriver):
    onprem.configure("green", {"release": "1.1", "replicas": 1})
    onprem.arrange()
    # A killed update leaves this: the file was written, the command was not sent.
    MapFile(onprem.run_directory.traffic_map).write("shop", "shop-green,shop-blue,0")

    result = onprem.up()

    assert result.ok, result
    assert result.done == ["router"]
    kept = MapFile(onprem.run_directory.traffic_map).read("shop")
    assert kept == "shop-blue,shop-green,0"


def test_two_stacks_on_one_machine_do_not_touch_each_other(onprem: OnPremDriver):
    with onprem_driver() as other:
        for driver in (onprem, other):
            driver.configure("active_color", "blue")
            driver.configure("blue", {"release": "1.0", "replicas": 1})
            driver.configure("green", {"release": "1.1", "replicas": 1})
            driver.arrange()

        onprem.configure("active_color", "green")
        assert onprem.up().ok
        assert (onprem.live(), other.live()) == (GREEN, BLUE)
        assert onprem.destroy().ok

        assert other.ask("production") == {"blue 1.0": 20}
        assert other.up().done == []


@pytest.fixture
def services() -> Iterator[tuple[PulumiStack, int]]:
    with two_services(PROGRAMS / "two_services") as (stack, first):
        for name in ("shop", "store"):
            stack.configure_in(name, "green", {"release": "1.1", "replicas": 1})
        yield stack, first


def test_two_services_in_one_stack_are_switched_one_by_one(services: tuple[PulumiStack, int]):
    stack, _ = services
    assert stack.up().ok
    stack.configure_in("store", "active_color", "green")

    result = stack.up()

    assert result.ok, result
    assert result.done == ["store-route", "store-flag"]
    outputs = stack.outputs()
    assert (outputs["shop_active_color"], outputs["store_active_color"]) == ("blue", "green")


def test_a_refused_service_does_not_stop_the_other_from_being_whole(
    services: tuple[PulumiStack, int],
):
    stack, first = services
    stack.configure_in("store", "green.env", {"APP_MODE": "broken"})
    assert stack.up().ok
    stack.configure_in("store", "active_color", "green")

    result = stack.up()

    assert result.exit_code != 0
    assert "store: green: release: refused" in result.text
    assert httpx.get(f"http://127.0.0.1:{first}/version").json()["color"] == "blue"
    store = first + 2 + 2 * SLOTS
    assert httpx.get(f"http://127.0.0.1:{store}/version").json()["color"] == "blue"


EXTERNAL_CONFIG = """
global
  stats socket {directory}/stats.sock mode 600 level admin
  stats socket ipv4@127.0.0.1:{stats_port} level admin
defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 5s
frontend production
  bind 127.0.0.1:{port}
  http-request set-var(txn.backend) "str(shop),map({directory}/traffic.map,none),field(1,',')"
  use_backend %[var(txn.backend)]
backend left
  http-request return status 200 content-type text/plain string left
backend right
  http-request return status 200 content-type text/plain string right
"""


@pytest.fixture
def external() -> Iterator[tuple[PulumiStack, Path, int, int]]:
    """An HAProxy with backends of its own names, started by somebody else."""
    directory = Path(tempfile.mkdtemp(prefix="bg-"))
    port, _ = free_ports(2)
    (directory / "traffic.map").write_text("# ours\nother left,right,0\n")
    (directory / "haproxy.cfg").write_text(
        EXTERNAL_CONFIG.format(directory=directory, port=port, stats_port=port + 1)
    )
    binary = shutil.which("haproxy") or "/usr/sbin/haproxy"
    process = subprocess.Popen([binary, "-db", "-f", str(directory / "haproxy.cfg")])
    while not listening(port):
        time.sleep(0.02)
    stack = PulumiStack(directory, main=PROGRAMS / "external")
    stack.configure("map_path", f"{directory}/traffic.map")
    stack.configure("active_color", "blue")
    yield stack, directory, port, port + 1
    process.terminate()
    process.wait(10)
    shutil.rmtree(directory)


@pytest.mark.parametrize("address", ["socket", "port"])
def test_a_proxy_that_was_there_before_is_driven_over_socket_or_port(
    external: tuple[PulumiStack, Path, int, int], address: str
):
    stack, directory, port, stats_port = external
    stats = f"{directory}/stats.sock" if address == "socket" else f"127.0.0.1:{stats_port}"
    stack.configure("stats_socket", stats)
    url = f"http://127.0.0.1:{port}"

    assert stack.up().ok
    assert httpx.get(url).text == "left"
    stack.configure("active_color", "green")
    result = stack.up()

    assert result.ok, result
    assert result.done == ["shop-route"]
    assert httpx.get(url).text == "right"
    content = (directory / "traffic.map").read_text()
    assert "other left,right,0" in content
    assert "shop right,left,0" in content
    assert stack.outputs() == {"active_color": "green", "guarantee": "single write"}

    assert stack.destroy().ok
    value = HaproxyRuntime(stats).map_value(f"{directory}/traffic.map", "shop")
    assert value == "none,none,0"
