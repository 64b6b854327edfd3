"""Processes that outlived the supervisord, or the parent process, that was to end them."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "ProcessNote",
    "end",
    "ends_within",
    "group_of",
    "is_alive",
    "is_noted",
    "read_note",
    "survivors",
]

_PROC = Path("/proc")
_POLL_SECONDS = 0.05
_KILL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class ProcessNote:
    """A process as it was noted when it started; its pid is also its process group."""

    pid: int
    started: int
    """Clock ticks from the machine's start to its own; tells a pid from a later use of it."""

    boot: str
    """The machine's start that the ticks count from."""


@dataclass(frozen=True, slots=True)
class _Process:
    pid: int
    group: int
    started: int


def read_note(journal: Path) -> ProcessNote | None:
    """The process that was noted last in a journal file; None when there is none to be read."""
    try:
        noted = json.loads(journal.read_text())
        return ProcessNote(int(noted["pid"]), int(noted["started"]), str(noted["boot"]))
    except (OSError, ValueError, KeyError):
        return None


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not collected by its parent does not."""
    return _process(pid) is not None


def is_noted(note: ProcessNote) -> bool:
    """Whether the noted process itself still runs, and not a later one with its number."""
    process = _process(note.pid)
    return process is not None and process.started == note.started and note.boot == _boot()


def ends_within(pid: int, seconds: float) -> bool:
    """Waits until a process has ended; False when it still runs after that time."""
    deadline = time.monotonic() + seconds
    while is_alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def group_of(leader: int) -> list[int]:
    """The processes of a process group."""
    return sorted(process.pid for process in _processes() if process.group == leader)


def survivors(notes: Iterable[ProcessNote], marker: str) -> list[int]:
    """The noted processes that still run, and what is left of their process groups.

    Args:
        notes: The processes to look for.
        marker: `NAME=value` from the environment that every process of ours was started with; asked
            for where the noted process itself is gone and only its children could be ours.
    """
    boot = _boot()
    noted = {note.pid: note for note in notes if note.boot == boot}
    if not noted:
        return []
    running = {process.pid: process for process in _processes()}
    found = []
    for process in running.values():
        note = noted.get(process.group)
        if note is None:
            continue
        leader = running.get(note.pid)
        if leader.started == note.started if leader else _has_marker(process.pid, marker):
            found.append(process.pid)
    return sorted(found)


def end(notes: Iterable[ProcessNote], marker: str, grace_seconds: float) -> list[int]:
    """Ends what is left of noted processes, gracefully first, and returns what still runs."""
    notes = list(notes)
    asked: set[int] = set()
    deadline = time.monotonic() + grace_seconds
    while left := survivors(notes, marker):
        if time.monotonic() > deadline:
            return _kill(notes, marker)
        _signal([pid for pid in left if pid not in asked], signal.SIGTERM)
        asked.update(left)
        time.sleep(_POLL_SECONDS)
    return []


def _kill(notes: list[ProcessNote], marker: str) -> list[int]:
    deadline = time.monotonic() + _KILL_SECONDS
    while (left := survivors(notes, marker)) and time.monotonic() < deadline:
        _signal(left, signal.SIGKILL)
        time.sleep(_POLL_SECONDS)
    return left


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _processes() -> Iterator[_Process]:
    for directory in _PROC.glob("[0-9]*"):
        process = _process(int(directory.name))
        if process is not None:
            yield process


def _process(pid: int) -> _Process | None:
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    # A zombie has ended; where process 1 collects nobody's children it stays for ever.
    if fields[0] in "ZX":
        return None
    return _Process(pid, group=int(fields[2]), started=int(fields[19]))


def _has_marker(pid: int, marker: str) -> bool:
    try:
        return marker.encode() in (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return False


def _boot() -> str:
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
