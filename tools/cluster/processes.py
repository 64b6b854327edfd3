"""Programs that go on when the one that started them has ended: found again by pid file."""

import os
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tools.cluster.errors import ClusterError
from tools.cluster.packages import full_path

__all__ = ["Processes", "Usage", "wait_until"]

POLL_SECONDS = 0.05
STOP_SECONDS = 15.0
TAIL_LINES = 15

# In the environment of all that is started, which what they start inherits.
MARK = "BLUEGREEN_CLUSTER"


@dataclass(frozen=True)
class Usage:
    """What a process takes."""

    process: int
    memory_mib: int
    processor_seconds: float


class Processes:
    """The background processes of one folder: `log/NAME.log` and `run/NAME.pid`."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._mark = f"{MARK}={folder}".encode()
        self._logs = folder / "log"
        self._pids = folder / "run"

    def start(self, name: str, command: Sequence[str]) -> None:
        """Starts a program in a session of its own, with what it says in its log."""
        for folder in (self._logs, self._pids):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        log = str(self.log(name))
        process = os.posix_spawn(
            command[0],
            list(command),
            {**os.environ, "PATH": full_path(), MARK: self._folder},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
        # With the moment of its start: the number alone may be another process's by the next time.
        self._pid_file(name).write_text(f"{process} {_started_at(process)}")

    def log(self, name: str) -> Path:
        """What the process says."""
        return self._logs / f"{name}.log"

    def running(self) -> dict[str, int]:
        """The processes that run, by name, in the order in which they were started."""
        files = sorted(self._pids.glob("*.pid"), key=lambda file: file.stat().st_mtime_ns)
        found = {file.stem: self._process(file) for file in files}
        return {name: process for name, process in found.items() if process is not None}

    def is_running(self, name: str) -> bool:
        """Whether the process has been started here and has not ended."""
        return self._process(self._pid_file(name)) is not None

    def stop(self, names: Iterable[str], number: signal.Signals = signal.SIGKILL) -> None:
        """Ends these processes, and returns once they are gone.

        Raises:
            ClusterError: One is still there.
        """
        chosen = list(names)
        for name in chosen:
            self._send(name, number)
        with suppress(TimeoutError):
            wait_until(lambda: not self._any_running(chosen), STOP_SECONDS)
        for name in chosen:
            self._send(name, signal.SIGKILL)
        try:
            wait_until(lambda: not self._any_running(chosen), STOP_SECONDS)
        except TimeoutError as error:
            left = [name for name in chosen if self.is_running(name)]
            msg = f"{', '.join(left)} did not end when killed; nothing else was removed"
            raise ClusterError(msg) from error
        for name in chosen:
            self._pid_file(name).unlink(missing_ok=True)

    def wait_for(
        self, what: str, condition: Callable[[], bool], *, of: Sequence[str], seconds: float = 120
    ) -> None:
        """Waits until the condition holds, as long as the processes that bring it about run.

        Raises:
            ClusterError: One of them ended, or it took too long; the text has its last lines.
        """

        def holds() -> bool:
            for name in of:
                if not self.is_running(name):
                    raise ClusterError(self._with_log(name, f"{name} ended before {what}"))
            return condition()

        try:
            wait_until(holds, seconds)
        except TimeoutError as error:
            text = f"not {what} after {seconds:.0f} s"
            raise ClusterError(self._with_log(of[-1], text)) from error

    def marked(self) -> list[int]:
        """Every process that was started here, or by one that was."""
        found = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        return [process for process in found if self._is_marked(process)]

    def kill_marked(self) -> None:
        """Kills also those that no pid file names, because whoever started them was killed.

        Raises:
            ClusterError: One is still there.
        """
        for process in self.marked():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        try:
            wait_until(lambda: not self.marked(), STOP_SECONDS)
        except TimeoutError as error:
            msg = f"processes {self.marked()} did not end when killed; nothing was removed"
            raise ClusterError(msg) from error

    def _is_marked(self, process: int) -> bool:
        try:
            return self._mark in Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
        except OSError:
            return False

    def usage(self) -> dict[str, Usage]:
        """What each running process takes."""
        return {name: _usage(process) for name, process in self.running().items()}

    def _any_running(self, names: Iterable[str]) -> bool:
        return any(self.is_running(name) for name in names)

    def _send(self, name: str, number: signal.Signals) -> None:
        process = self._process(self._pid_file(name))
        if process is not None:
            with suppress(ProcessLookupError):
                os.kill(process, number)

    def _pid_file(self, name: str) -> Path:
        return self._pids / f"{name}.pid"

    def _process(self, file: Path) -> int | None:
        try:
            process, _, started = file.read_text().partition(" ")
        except FileNotFoundError:
            return None
        if not process.isdigit():
            return None
        _reap(int(process))
        return int(process) if started and _started_at(int(process)) == started else None

    def _with_log(self, name: str, text: str) -> str:
        log = self.log(name)
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        return "\n".join([f"{text}; the last lines of {log}:", *lines[-TAIL_LINES:]])


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    """Asks until the condition holds.

    Raises:
        TimeoutError: It did not in this time.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(POLL_SECONDS)


def _reap(process: int) -> None:
    # A child of this very process stays a zombie until asked for.
    with suppress(ChildProcessError):
        os.waitpid(process, os.WNOHANG)


def _stat(process: int) -> list[str]:
    """The fields of /proc/PID/stat after the name of the program, which may have blanks."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _started_at(process: int) -> str:
    """The moment, in ticks since the machine's start; empty for one that is gone or a zombie."""
    fields = _stat(process)
    return fields[19] if fields and fields[0] not in ("Z", "X") else ""


def _usage(process: int) -> Usage:
    fields = _stat(process) or ["0"] * 22
    ticks = int(fields[11]) + int(fields[12])
    pages = int(fields[21])
    return Usage(
        process,
        memory_mib=pages * os.sysconf("SC_PAGE_SIZE") // 2**20,
        processor_seconds=ticks / os.sysconf("SC_CLK_TCK"),
    )
