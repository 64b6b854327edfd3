"""One `pulumi` process, which is told to stop in a way that leaves a true state.

It runs in a session of its own: a Ctrl-C in a terminal reaches us alone, and we pass it on once, so
that the engine finishes the step it is at. A terminal that goes away stops nothing.
"""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

__all__ = ["EngineResult", "Interruption", "run_engine"]


@dataclass(slots=True)
class Interruption:
    """Whether somebody has asked to stop, and what is told when they do."""

    on_request: Callable[[signal.Signals], None] = lambda _: None
    requested: signal.Signals | None = None
    """The first signal that asked to stop; None while nobody has."""

    stop_file: Path | None = None
    """Made at the first request: a program can look for it."""

    _processes: list[subprocess.Popen[str]] = field(default_factory=list)

    @contextmanager
    def watched(self) -> Iterator["Interruption"]:
        """Takes Ctrl-C and SIGTERM as requests to stop, and outlives the terminal."""
        before = {
            signal.SIGINT: signal.signal(signal.SIGINT, self._stop),
            signal.SIGTERM: signal.signal(signal.SIGTERM, self._stop),
            # Not ignored: what is started would inherit that.
            signal.SIGHUP: signal.signal(signal.SIGHUP, lambda *_: None),
        }
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        first = self.requested is None
        self.requested = self.requested or signal.Signals(number)
        if self.stop_file is not None:
            with suppress(OSError):
                self.stop_file.touch()
        for process in self._processes:
            # The second one ends the engine at once, as it does when it is typed at `pulumi`.
            process.send_signal(signal.SIGINT)
        if first:
            # Not here: a signal may come while this thread writes what would be written to again.
            threading.Thread(target=self.on_request, args=(self.requested,)).start()

    @contextmanager
    def passed_on_to(self, process: subprocess.Popen[str]) -> Iterator[None]:
        """Passes requests on to a process while it runs."""
        self._processes.append(process)
        try:
            yield
        finally:
            self._processes.remove(process)


@dataclass(frozen=True, slots=True)
class EngineResult:
    """How one `pulumi` command ended, and what it printed."""

    exit_code: int
    """Negative when a signal killed it."""

    stdout: str
    stderr: str


def run_engine(
    words: Sequence[str],
    *,
    cwd: str,
    environment: Mapping[str, str],
    interruption: Interruption | None = None,
    on_output: Callable[[str], object] | None = None,
    on_error: Callable[[str], object] | None = None,
) -> EngineResult:
    """Runs a command to its end.

    Raises:
        FileNotFoundError: There is no such program.
    """
    # Not in a `with`: its end waits for whoever else holds the pipes.
    process = subprocess.Popen(
        list(words),
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    stdout = _Reader(process.stdout, on_output)
    stderr = _Reader(process.stderr, on_error)
    with (interruption or Interruption()).passed_on_to(process):
        process.wait()
    # What a killed engine has left behind may hold its pipes open; what it said itself is there.
    return EngineResult(process.returncode, stdout.text(), stderr.text())


class _Reader:
    """Collects the lines of a stream."""

    _LEFT_BEHIND_SECONDS = 2.0

    def __init__(self, stream: IO[str] | None, tell: Callable[[str], object] | None) -> None:
        self._lines: list[str] = []
        self._tell = tell
        self._stream = stream
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        if self._stream is None:
            return
        with self._stream as stream:
            for line in stream:
                self._lines.append(line.rstrip("\n"))
                if self._tell is not None:
                    self._tell(self._lines[-1])

    def text(self) -> str:
        self._thread.join(self._LEFT_BEHIND_SECONDS)
        return "\n".join(self._lines)
