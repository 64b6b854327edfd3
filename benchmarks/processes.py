"""How much memory a command and everything it started has."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Memory

__all__ = ["MemoryWatch"]

_PROC = Path("/proc")
_POLL_SECONDS = 0.02
_KIB_PER_MIB = 1024
# What Pulumi's own launcher of Python programs is called.
_PROGRAM = b"pulumi-language-python-exec"


@dataclass(frozen=True, slots=True)
class _Process:
    is_program: bool
    peak_kib: int
    resident_kib: int


class MemoryWatch:
    """Looks 50 times a second at a session: what was started there and did not leave it."""

    def __init__(self, session: int) -> None:
        self._session = session
        self._program_kib = 0
        self._all_kib = 0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory", daemon=True)
        self._thread.start()

    def stop(self) -> Memory:
        """Ends the watch and says what it saw."""
        self._is_over.set()
        self._thread.join()
        return Memory(self._program_kib / _KIB_PER_MIB, self._all_kib / _KIB_PER_MIB)

    def _watch(self) -> None:
        while not self._is_over.wait(_POLL_SECONDS):
            processes = list(_processes_of(self._session))
            self._all_kib = max(self._all_kib, sum(each.resident_kib for each in processes))
            peaks = (each.peak_kib for each in processes if each.is_program)
            self._program_kib = max(self._program_kib, *peaks, 0)


def _processes_of(session: int) -> Iterator[_Process]:
    for folder in _PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended
            # The name in brackets may have spaces and brackets of its own.
            after_name = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(after_name[3]) != session:
                continue
            fields = dict(
                line.split(":", 1) for line in (folder / "status").read_text().splitlines()
            )
            # A process that is ending has no memory any more.
            if "VmHWM" in fields:
                yield _Process(
                    is_program=_PROGRAM in (folder / "cmdline").read_bytes(),
                    peak_kib=int(fields["VmHWM"].split()[0]),
                    resident_kib=int(fields["VmRSS"].split()[0]),
                )
