"""A HAProxy of a test's own: started, told things, reloaded without losing requests, ended."""

import contextlib
import ctypes
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from bluegreen.errors import DataPlaneError
from bluegreen.onprem.haproxy_runtime import HaproxyRuntime

__all__ = ["HaproxyProcess", "haproxy_binary"]

_LIMIT_SECONDS = 30.0
_FORMER_WORKER = re.compile(r"^(\d+)\s+worker\s", re.MULTILINE)
_PR_SET_PDEATHSIG = 1  # prctl(2)


def haproxy_binary() -> str | None:
    """Where HAProxy is on this machine."""
    return shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")


class HaproxyProcess:
    """A HAProxy in a folder of its own; one thread may use it.

    Whoever uses it writes `config` and `map`. The configuration has a `stats socket` at `worker`,
    and the frontend of the given name.
    """

    def __init__(self, binary: str, folder: Path, frontend: str) -> None:
        self._binary, self._folder, self._frontend = binary, folder, frontend
        self._process: subprocess.Popen[bytes] | None = None
        self._runtime = HaproxyRuntime(str(self.worker_socket), timeout_seconds=10)

    @property
    def config(self) -> Path:
        """Its configuration."""
        return self._folder / "haproxy.cfg"

    @property
    def map(self) -> Path:
        """Its map."""
        return self._folder / "shares.map"

    @property
    def worker_socket(self) -> Path:
        """Where the worker is told things."""
        return self._folder / "worker.sock"

    @property
    def is_running(self) -> bool:
        """False once it has ended by itself, or was ended by somebody else."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Starts it with what is written; returns when it answers.

        Raises:
            DataPlaneError: it does not, for example because somebody has the port.
        """
        # -dW: a warning is an error.
        config, master = str(self.config), str(self._master)
        command = [self._binary, "-W", "-db", "-dW", "-S", master, "-f", config]
        with (self._folder / "haproxy.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, preexec_fn=_end_with_parent
            )
        self._wait(lambda: self._worker() is not None, "haproxy did not start")

    def stop(self) -> None:
        """Ends it, and its workers with it."""
        if self._process:
            self._process.terminate()
            self._process.wait(_LIMIT_SECONDS)

    def reload(self) -> None:
        """Takes over what is written; returns when only the new worker takes connections.

        Raises:
            DataPlaneError: it refuses the configuration, or does not reload.
        """
        checked = subprocess.run(
            [self._binary, "-c", "-dW", "-f", str(self.config)],
            capture_output=True,
            text=True,
            check=False,
        )
        if checked.returncode:
            msg = f"haproxy refuses the configuration: {checked.stderr}"
            raise DataPlaneError(msg)
        before = self._worker()
        # Not by a signal: HAProxy 2.6 loses one in the first milliseconds of its master.
        self._ask_master("reload")
        self._wait(lambda: self._worker() not in (None, before), "haproxy did not reload")
        # For a few milliseconds both take connections, one of them by the rules of before.
        stopped = f"({before}) : Proxy {self._frontend} stopped"
        self._wait(lambda: stopped in self._log(), "the former worker takes connections")

    def set_map(self, key: str, value: str) -> None:
        """Changes the running map, in workers from before a reload too."""
        self._runtime.set_map(str(self.map), key, value)
        self._tell_former(f"set map {self.map} {key} {value}")

    def tell(self, line: str, expected: str) -> None:
        """Sends a line of the runtime API, to workers from before a reload too.

        Raises:
            DataPlaneError: the answer does not have the expected text, or any if none is expected.
        """
        answer = self._runtime.command(line)
        if expected not in answer or (answer and not expected):
            msg = f"haproxy answered {line!r} with {answer!r}"
            raise DataPlaneError(msg)
        self._tell_former(line)

    @property
    def _master(self) -> Path:
        return self._folder / "master.sock"

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


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
