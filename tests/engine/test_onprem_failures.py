"""What users and their traffic notice when a part is killed, hangs, lies or cannot write."""

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from bluegreen.colors import Color
from bluegreen.onprem.haproxy_runtime import HaproxyRuntime
from bluegreen.onprem.orphans import is_alive
from bluegreen.onprem.supervisord import Supervisord
from bluegreen.onprem.traffic_map import MapFile
from bluegreen.traffic import TrafficSplit
from tests.engine.onprem_driver import OnPremDriver, onprem_driver
from tests.engine.onprem_load import traffic_on
from tests.engine.pulumi_stack import Result

BLUE_VALUE, GREEN_VALUE = "shop-blue,shop-green,0", "shop-green,shop-blue,0"


@pytest.fixture
def both(onprem: OnPremDriver) -> OnPremDriver:
    """Blue 1.0 is live with two members, green 1.1 is deployed and idle."""
    onprem.configure("blue.replicas", 2)
    onprem.configure("green", {"release": "1.1", "replicas": 2})
    onprem.arrange()
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


def runtime_of(driver: OnPremDriver) -> HaproxyRuntime:
    return HaproxyRuntime(str(driver.run_directory.stats_socket))


def file_value(driver: OnPremDriver) -> str | None:
    return MapFile(driver.run_directory.traffic_map).read("shop")


def answers_of(driver: OnPremDriver) -> dict[str, int]:
    try:
        return dict(driver.ask("production", 4))
    except httpx.HTTPError:
        return {}


def steady(seconds: float = 1.0) -> None:
    """Lets the load go on for a while, so that there is something to compare with."""
    time.sleep(seconds)


@contextlib.contextmanager
def thread(target: Callable[[], None], stop: threading.Event) -> Iterator[None]:
    running = threading.Thread(target=target)
    running.start()
    try:
        yield
    finally:
        stop.set()
        running.join()


@contextlib.contextmanager
def running_up(driver: OnPremDriver) -> Iterator[Callable[[], Result]]:
    """`pulumi up` while the test goes on; what is yielded waits for its end."""
    results: list[Result] = []
    running = threading.Thread(target=lambda: results.append(driver.up()))
    running.start()

    def update() -> Result:
        running.join()
        return results[0]

    try:
        yield update
    finally:
        running.join()


@contextlib.contextmanager
def write_held_back(
    driver: OnPremDriver,
) -> Iterator[tuple[Callable[[], Result], Callable[[], None]]]:
    """`pulumi up` up to the moment after its gates and before its write, which `let_go` allows."""
    lock = Path(f"{driver.run_directory.traffic_map}.lock")
    with lock.open("w") as file:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX)
        with running_up(driver) as update:
            try:
                eventually(lambda: is_open_elsewhere(lock), 120)
                yield update, lambda: fcntl.flock(file.fileno(), fcntl.LOCK_UN)
            finally:
                fcntl.flock(file.fileno(), fcntl.LOCK_UN)


def is_open_elsewhere(path: Path) -> bool:
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            is_ours = descriptor.parts[2] == str(os.getpid())
            if not is_ours and descriptor.readlink() == path:
                return True
    return False


@contextlib.contextmanager
def imposter(path: Path, behaviour: str) -> Iterator[None]:
    """A socket in the place of the proxy's: refuses, accepts and is silent, or talks nonsense."""
    path.unlink()
    with socket.socket(socket.AF_UNIX) as server, contextlib.ExitStack() as accepted:
        server.bind(str(path))
        if behaviour == "refuses":
            yield
            return
        server.listen(64)

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection = accepted.enter_context(server.accept()[0])
                    if behaviour == "garbage":
                        connection.recv(1000)
                        connection.sendall(b"<html>\xff\n")
                        connection.close()

        running = threading.Thread(target=serve)
        running.start()
        try:
            yield
        finally:
            # Closing alone does not wake up who waits in accept.
            server.shutdown(socket.SHUT_RDWR)
            running.join()


@contextlib.contextmanager
def tiny_file_system(path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("a small file system is mounted, which needs root")
    path.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", str(path)],
        check=False,
        capture_output=True,
        text=True,
    )
    if mounted.returncode != 0:
        pytest.skip(f"no file system could be mounted: {mounted.stderr.strip()}")
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


@dataclass(frozen=True)
class SmallDisk:
    """A service, and the disk that everything it keeps is on."""

    driver: OnPremDriver
    path: Path

    def fill(self) -> None:
        with (
            contextlib.suppress(OSError),
            (self.path / "filling").open("ab", buffering=0) as file,
        ):
            while True:
                file.write(bytes(4096))

    def empty(self) -> None:
        (self.path / "filling").unlink()


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


@pytest.mark.soak
def test_a_single_live_member_is_replaced_with_the_help_of_a_spare_slot(onprem: OnPremDriver):
    assert onprem.up().ok
    with traffic_on(onprem) as traffic:
        kill_supervisord(onprem)
        result = onprem.up()

    assert result.ok, result
    assert traffic.failed == 0
    assert sorted(pids_of(onprem)) == ["blue-0", "haproxy"]


@pytest.mark.parametrize("part", ["worker", "master"])
def test_a_killed_proxy_is_back_by_itself_with_the_color_that_passed_its_gates(
    both: OnPremDriver, part: str
):
    both.configure("active_color", "green")
    assert both.up().ok
    master = pids_of(both)["haproxy"]
    pid = runtime_of(both).worker_pid() if part == "worker" else master
    assert master
    assert pid
    with traffic_on(both) as traffic:
        steady()
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: pids_of(both)["haproxy"] not in {None, master})
        eventually(lambda: answers_of(both) == {"green 1.1": 4})
        steady()

    assert traffic.report.answers.keys() == {"green"}
    # What was in flight, and what came until supervisord had started another one.
    assert traffic.failed > 0
    assert traffic.outage_seconds < 10
    assert both.up().done == []


def test_a_proxy_killed_between_file_and_memory_does_not_switch_by_itself(both: OnPremDriver):
    both.configure("active_color", "green")
    with write_held_back(both) as (update, let_go):
        worker, master = runtime_of(both).worker_pid(), pids_of(both)["haproxy"]
        assert master
        os.kill(worker, signal.SIGSTOP)
        let_go()
        eventually(lambda: file_value(both) == GREEN_VALUE)
        os.kill(worker, signal.SIGKILL)
        # It may have ended already, because its worker has.
        with contextlib.suppress(ProcessLookupError):
            os.kill(master, signal.SIGKILL)
        result = update()
    eventually(lambda: set(answers_of(both)) == {"blue 1.0"})
    again = both.up()

    assert not result.ok
    assert "haproxy at" in result.text
    assert "Traceback" not in result.text
    assert again.ok, again
    assert "router" in again.done
    assert both.ask("production") == {"green 1.1": 20}


def test_a_member_that_is_lost_while_a_gate_takes_its_time_is_noticed(both: OnPremDriver):
    asked, go = (both.stack.directory / name for name in ("asked", "go"))
    script = f"touch {asked}; until test -e {go}; do sleep 0.05; done"
    both.configure("service.gates.command", {"smoke": {"command": ["sh", "-c", script]}})
    both.configure("service.gates.timeout_seconds", 60)
    both.configure("service.gates.capacity.timeout_seconds", 3)
    both.configure("active_color", "green")
    with traffic_on(both) as traffic, running_up(both) as update:
        eventually(asked.exists)
        supervisord_of(both).take("green-1")
        # Long enough for the gate that only looks to have spoken, and to be outdated.
        time.sleep(2)
        go.touch()
        result = update()

    assert not result.ok
    assert "capacity: 1 of 2 needed members of green are ready" in result.text
    assert "production traffic has not moved" in result.text
    assert traffic.failed == 0
    assert traffic.report.answers == {"blue": traffic.report.requests}


def test_a_color_that_dies_between_its_gates_and_the_write_stops_the_update_there(
    both: OnPremDriver,
):
    both.configure("active_color", "green")
    with traffic_on(both) as traffic:
        with write_held_back(both) as (update, let_go):
            supervisord_of(both).take("green-0", "green-1")
            let_go()
            result = update()
        both.configure("active_color", "blue")
        back = both.up()

    assert not result.ok
    assert "traffic does not follow" in result.text
    assert (
        "the active flag has not; `pulumi up` asks again, or set active_color back" in result.text
    )
    assert "flag" not in result.done
    assert both.run_directory.active_flag.read_text().count("blue") > 0
    assert back.ok, back
    assert both.ask("production") == {"blue 1.0": 20}
    # Nothing is lost before the write or after the way back.
    assert traffic.report.answers.keys() <= {"blue", ""}
    assert traffic.recording is not None
    assert traffic.recording.by_color()["blue"] > 0


@pytest.mark.soak
def test_the_members_of_a_color_that_crash_right_after_its_gates_come_back(both: OnPremDriver):
    both.configure("service.follow.timeout_seconds", 30)
    both.configure("active_color", "green")
    with traffic_on(both) as traffic:
        with write_held_back(both) as (update, let_go):
            for name, pid in pids_of(both).items():
                if name.startswith("green-") and pid:
                    os.kill(pid, signal.SIGKILL)
            let_go()
            result = update()
        steady()

    assert result.ok, result
    assert both.ask("production") == {"green 1.1": 20}
    assert traffic.outage_seconds < 15


@pytest.mark.parametrize(
    "behaviour", ["refuses", "hangs", pytest.param("garbage", marks=pytest.mark.soak)]
)
def test_somebody_else_on_the_proxys_socket(both: OnPremDriver, behaviour: str):
    path = both.run_directory.stats_socket
    with traffic_on(both) as traffic:
        with imposter(path, behaviour):
            both.configure("active_color", "green")
            results = [both.preview(), both.up()]
        if behaviour != "refuses":
            path.unlink()
            both.configure("active_color", "blue")
            assert both.refresh().ok
            results.append(both.up())

    assert results[-1].ok, results[-1]
    assert traffic.failed == 0
    if behaviour == "refuses":
        # A socket that nobody listens on is made again, and then traffic is moved.
        assert results[-1].done == ["shop-haproxy", "router", "flag"]
        assert both.ask("production") == {"green 1.1": 20}
        return
    for refused in results[:-1]:
        assert not refused.ok
        assert f"pid {os.getpid()} (" in refused.text
        assert (
            f"listens at {path} in place of the proxy of shop; nothing was changed" in refused.text
        )
        assert refused.done == []
        assert refused.seconds < 60
    assert both.ask("production") == {"blue 1.0": 20}


def test_a_proxy_that_hangs_is_named_with_the_way_out(both: OnPremDriver):
    worker = runtime_of(both).worker_pid()
    os.kill(worker, signal.SIGSTOP)
    try:
        both.configure("active_color", "green")
        results = [both.preview(), both.up(), both.refresh()]
    finally:
        os.kill(worker, signal.SIGKILL)
    eventually(lambda: answers_of(both) == {"blue 1.0": 4})
    after = both.up()

    for refused in results:
        assert not refused.ok
        assert "the proxy of shop runs and does not answer at" in refused.text
        assert f"nothing was changed; if it stays so, `kill -9 {worker}`" in refused.text
        assert "Traceback" not in refused.text
        assert refused.done == []
        assert refused.seconds < 60
    assert after.ok, after
    assert both.ask("production") == {"green 1.1": 20}


@pytest.mark.soak
def test_a_map_moved_by_hand_in_file_and_memory_is_moved_back(both: OnPremDriver):
    both.move_by_hand("green", 0)
    MapFile(both.run_directory.traffic_map).write("shop", GREEN_VALUE)
    drift = both.preview()
    both.configure("canary", {"color": "green", "percent": 10})
    repaired = both.up()

    assert drift.plan == ["router"]
    assert "traffic was moved by hand; moving it back" in repaired.text
    assert repaired.ok, repaired
    assert file_value(both) == "shop-blue,shop-green,10"


def test_a_map_that_is_written_by_hand_during_the_switch_stops_it(both: OnPremDriver):
    both.configure("active_color", "green")
    stop = threading.Event()

    def writer() -> None:
        while not stop.is_set():
            if file_value(both) == GREEN_VALUE:
                both.move_by_hand("blue")

    with traffic_on(both) as traffic, thread(writer, stop):
        result = both.up()
    again = both.up()

    assert not result.ok
    assert (
        "something else writes this map" in result.text or "somebody else wrote it" in result.text
    )
    assert "flag" not in result.done
    assert traffic.failed == 0
    assert file_value(both) is not None
    assert again.ok, again
    assert both.ask("production") == {"green 1.1": 20}


@pytest.mark.soak
def test_a_map_file_that_is_written_by_hand_during_the_switch_is_drift_afterwards(
    both: OnPremDriver,
):
    both.configure("active_color", "green")
    stop = threading.Event()

    def writer() -> None:
        file = MapFile(both.run_directory.traffic_map)
        while not stop.is_set():
            if file.read("shop") == GREEN_VALUE:
                file.write("shop", BLUE_VALUE)
                return

    with thread(writer, stop):
        result = both.up()
    preview, repaired = both.preview(), both.up()

    # What is live is what was asked for; only the next start of the proxy would differ.
    assert result.ok, result
    assert both.live() == TrafficSplit.all_to(Color.GREEN)
    assert preview.plan == ["router"]
    assert repaired.ok, repaired
    assert file_value(both) == GREEN_VALUE


def test_a_flag_edited_by_hand_is_put_right_with_its_history(both: OnPremDriver):
    flag = both.run_directory.active_flag
    before = json.loads(flag.read_text())
    flag.write_text(json.dumps(before | {"color": "green", "release": "1.1", "previous": "blue"}))

    preview, result = both.preview(), both.up()

    assert preview.plan == ["flag"]
    assert result.ok, result
    assert result.done == ["flag"]
    assert json.loads(flag.read_text()) == before


def test_a_run_directory_that_was_opened_to_others_is_closed_again(onprem: OnPremDriver):
    assert onprem.up().ok
    onprem.run_directory.path.chmod(0o755)

    result = onprem.up()

    assert result.ok, result
    assert result.done == ["shop-supervisor"]
    assert onprem.run_directory.path.stat().st_mode & 0o777 == 0o700


@pytest.fixture
def small_disk() -> Iterator[SmallDisk]:
    """Blue 1.0 is live, green 1.1 is idle; everything they keep is on a disk of 2 MB."""
    with onprem_driver() as driver, tiny_file_system(driver.run_directory.path.parent) as disk:
        driver.configure("active_color", "blue")
        for color, release in (("blue", "1.0"), ("green", "1.1")):
            driver.configure(color, {"release": release, "replicas": 1})
        result = driver.up()
        assert result.ok, result
        yield SmallDisk(driver, disk)
        assert driver.destroy().ok


def test_a_full_disk_stops_a_switch_before_anything_moves(small_disk: SmallDisk):
    driver = small_disk.driver
    driver.configure("active_color", "green")
    with traffic_on(driver) as traffic:
        small_disk.fill()
        refused = driver.up()
        small_disk.empty()
        after = driver.up()

    assert not refused.ok
    assert (
        f"cannot write the traffic map {driver.run_directory.traffic_map}: "
        "No space left on device; the switch did not happen and production traffic has not moved; "
        "repair that and run `pulumi up` again"
    ) in refused.text
    assert refused.done == []
    assert after.ok, after
    assert driver.ask("production") == {"green 1.1": 20}
    assert traffic.failed == 0


@pytest.mark.soak
def test_a_full_disk_stops_a_deploy_and_a_refusal_keeps_its_reason(small_disk: SmallDisk):
    driver = small_disk.driver
    before = pids_of(driver)
    small_disk.fill()
    driver.configure("green.release", "1.2")
    deploy = driver.up()
    left = pids_of(driver)
    driver.configure("green.release", "1.1")
    driver.configure("service.gates.capacity.timeout_seconds", 1)
    driver.configure("service.gates.release.path", "/nowhere")
    driver.configure("service.gates.release.timeout_seconds", 1)
    driver.configure("active_color", "green")
    refused = driver.up()
    small_disk.empty()
    driver.configure("service.gates.release.path", "/version")
    after = driver.up()

    assert not deploy.ok
    assert "could not be written: No space left on device; it is as it was" in deploy.text
    assert "Traceback" not in deploy.text
    assert left == before
    assert not refused.ok
    assert "release: refused" in refused.text
    assert after.ok, after
    assert driver.ask("production") == {"green 1.1": 20}


def test_a_disk_that_fills_up_after_the_write_is_finished_by_the_next_update(
    small_disk: SmallDisk,
):
    driver = small_disk.driver
    driver.configure("service.follow.interval_seconds", 1)
    driver.configure("active_color", "green")
    with traffic_on(driver) as traffic:
        with running_up(driver) as update:
            eventually(lambda: driver.live() == TrafficSplit.all_to(Color.GREEN), 60)
            small_disk.fill()
            failed = update()
        small_disk.empty()
        after = driver.up()

    assert not failed.ok
    assert f"{driver.run_directory.active_flag} could not be written" in failed.text
    assert failed.done == ["router"]
    assert driver.outputs()["active_color"] == "green"
    assert after.done == ["flag"]
    assert traffic.failed == 0
