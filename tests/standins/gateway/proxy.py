"""One HAProxy that does what a `Routing` says, without a reload wherever that can be."""

import contextlib
import ctypes
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bluegreen.errors import DataPlaneError
from bluegreen.onprem.haproxy_runtime import HaproxyRuntime
from tests.standins.gateway.configuration import Structure, render, shares_of
from tests.standins.gateway.routing import Endpoints, Routing
from tests.standins.gateway.slots import Slot, assign, free_slots

__all__ = ["Proxy", "haproxy_binary"]

FEWEST_SLOTS = 16
_LIMIT_SECONDS = 30.0
_FORMER_WORKER = re.compile(r"^(\d+)\s+worker\s", re.MULTILINE)
_PR_SET_PDEATHSIG = 1  # prctl(2)


def haproxy_binary() -> str | None:
    """Where HAProxy is on this machine."""
    return shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")


class Proxy:
    """A HAProxy of its own in a folder of its own; one thread may use it."""

    def __init__(self, binary: str, port: int, folder: Path) -> None:
        self._binary, self._port, self._folder = binary, port, folder
        self._structure = Structure.of(Routing(), (), FEWEST_SLOTS)
        self._slots: dict[str, tuple[Slot, ...]] = {}
        self._shares: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._runtime = HaproxyRuntime(str(folder / "worker.sock"), timeout_seconds=10)

    def start(self) -> None:
        """Starts it without any route; returns when it answers.

        Raises:
            DataPlaneError: it does not, for example because somebody has the port.
        """
        self._write()
        # -dW: a warning is an error.
        command = [self._binary, "-W", "-db", "-dW", "-S", str(self._master), "-f", self._config]
        with (self._folder / "haproxy.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, preexec_fn=_end_with_parent
            )
        self._wait(lambda: self._worker() is not None, "haproxy did not start")

    @property
    def is_running(self) -> bool:
        """False once it has ended by itself, or was ended by somebody else."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Ends it, and its workers with it."""
        if self._process:
            self._process.terminate()
            self._process.wait(_LIMIT_SECONDS)

    def follow(self, routing: Routing) -> bool:
        """Makes the proxy do what is asked for; returns whether that took a reload."""
        slots = self._assign(routing)
        known = max((len(each) for each in slots.values()), default=FEWEST_SLOTS)
        structure = Structure.of(routing, self._structure.backends, known)
        shares = {rule.key: shares_of(rule) for rule in routing.rules}
        before, self._slots = self._slots, slots
        if structure != self._structure:
            self._structure, self._shares = structure, shares
            self._reload()
            return True
        changed = {key: value for key, value in shares.items() if self._shares.get(key) != value}
        self._shares = shares
        if changed or slots != before:
            # First: a worker that somebody else's reload begins must know it too.
            self._write()
        # Who is new can take requests before any are sent there; who leaves does so last.
        self._change_servers(before, lambda slot: slot.state == "ready")
        self._change_shares(changed)
        self._change_servers(before, lambda slot: slot.state != "ready")
        return False

    @property
    def _config(self) -> str:
        return str(self._folder / "haproxy.cfg")

    @property
    def _map(self) -> Path:
        return self._folder / "shares.map"

    @property
    def _master(self) -> Path:
        return self._folder / "master.sock"

    def _assign(self, routing: Routing) -> dict[str, tuple[Slot, ...]]:
        wanted: dict[str, Endpoints] = dict.fromkeys(self._slots, Endpoints())
        wanted |= {backend.name: each for backend, each in routing.endpoints.items()}
        count = self._structure.slots
        while True:
            found = {
                name: assign(_at_least(self._slots.get(name, ()), count), endpoints)
                for name, endpoints in wanted.items()
            }
            complete = {name: slots for name, slots in found.items() if slots is not None}
            if len(complete) == len(found):
                return complete
            count *= 2

    def _change_servers(
        self, before: Mapping[str, Sequence[Slot]], is_meant: Callable[[Slot], bool]
    ) -> None:
        for name, slots in self._slots.items():
            for old, new in zip(before[name], slots, strict=True):
                if old != new and is_meant(new):
                    self._change_server(name, old, new)

    def _change_server(self, backend: str, old: Slot, new: Slot) -> None:
        server = f"{backend}/{new.name}"
        if new.place and new.place != old.place:
            address, _, port = new.place.rpartition(":")
            self._tell(f"set server {server} addr {address.strip('[]')} port {port}", "chang")
        self._tell(f"set server {server} state {new.state}", "")

    def _change_shares(self, changed: Mapping[str, str]) -> None:
        for key, value in changed.items():
            self._runtime.set_map(str(self._map), key, value)
            self._tell_former(f"set map {self._map} {key} {value}")

    def _tell(self, line: str, expected: str) -> None:
        answer = self._runtime.command(line)
        if expected not in answer or (answer and not expected):
            msg = f"haproxy answered {line!r} with {answer!r}"
            raise DataPlaneError(msg)
        self._tell_former(line)

    def _tell_former(self, line: str) -> None:
        # A worker from before a reload still has connections, and a routing of its own. What it
        # answers does not matter: it may be gone by now, or not know that backend.
        _, _, former = self._ask_master("show proc").partition("# old workers")
        for pid in _FORMER_WORKER.findall(former.partition("# programs")[0]):
            self._ask_master(f"@!{pid} {line}")

    def _ask_master(self, line: str) -> str:
        answers: list[str] = []

        def has_answered() -> bool:
            # While it becomes another program at a reload, it refuses connections.
            with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
                answers.append(_exchange(self._master, line))
            return bool(answers)

        self._wait(has_answered, f"haproxy's master was not told {line!r}")
        return answers[0]

    def _reload(self) -> None:
        self._write()
        checked = subprocess.run(
            [self._binary, "-c", "-q", "-dW", "-f", self._config],
            capture_output=True,
            text=True,
            check=False,
        )
        if checked.returncode:
            msg = f"haproxy refuses the configuration of this gateway: {checked.stderr}"
            raise DataPlaneError(msg)
        before = self._worker()
        # Not by a signal: HAProxy 2.6 loses one in the first milliseconds of its master.
        self._ask_master("reload")
        self._wait(lambda: self._worker() not in (None, before), "haproxy did not reload")
        # For a few milliseconds both take connections, one of them by the rules of before.
        stopped = f"({before}) : Proxy gateway stopped"
        self._wait(lambda: stopped in self._log(), "the former worker takes connections")

    def _write(self) -> None:
        lines = [f"{key} {value}\n" for key, value in sorted(self._shares.items())]
        self._map.write_text("".join(lines), encoding="utf-8")
        text = render(
            self._structure,
            {name: self._slots.get(name, ()) for name in self._structure.backends},
            port=self._port,
            socket_path=self._folder / "worker.sock",
            map_path=self._map,
        )
        Path(self._config).write_text(text, encoding="utf-8")

    def _worker(self) -> int | None:
        try:
            return self._runtime.worker_pid()
        except DataPlaneError:
            return None

    def _log(self) -> str:
        return (self._folder / "haproxy.log").read_text(encoding="utf-8", errors="replace")

    def _wait(self, is_true: Callable[[], bool], otherwise: str) -> None:
        end = time.monotonic() + _LIMIT_SECONDS
        while not is_true():
            if not self.is_running or time.monotonic() > end:
                msg = f"{otherwise}; its log ends with: {self._log()[-1000:]}"
                raise DataPlaneError(msg)
            time.sleep(0.005)


def _exchange(path: Path, line: str) -> str:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_LIMIT_SECONDS)
        connection.connect(str(path))
        connection.sendall(line.encode() + b"\n")
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


def _at_least(slots: Sequence[Slot], count: int) -> tuple[Slot, ...]:
    return (*slots, *(each for each in free_slots(count) if each.number > len(slots)))


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
