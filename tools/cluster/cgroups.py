"""Control groups, of either version: one below the root for all that a node starts."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tools.cluster.processes import wait_until

__all__ = ["create_group", "kill_group", "remove_group", "root_folders"]

WAIT_SECONDS = 15.0


def root_folders() -> list[Path]:
    """The root of every hierarchy."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    mounts = [line.partition(" - ") for line in lines]
    return [
        Path(before.split()[4])
        for before, _, after in mounts
        if after.split()[0] in ("cgroup", "cgroup2")
    ]


def create_group(name: str) -> None:
    """Makes the group in every hierarchy."""
    for root in root_folders():
        (root / name).mkdir(exist_ok=True)


def kill_group(name: str) -> None:
    """Kills every process in the group and below."""

    def is_empty() -> bool:
        left = _processes(name)
        for process in left:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        return not left

    wait_until(is_empty, WAIT_SECONDS)


def remove_group(name: str) -> None:
    """Removes the group and all below, which no process is in any more."""

    def is_gone() -> bool:
        for group in _groups(name):
            with suppress(OSError):
                group.rmdir()
        return not any((root / name).exists() for root in root_folders())

    wait_until(is_gone, WAIT_SECONDS)


def _processes(name: str) -> set[int]:
    found: set[int] = set()
    for group in _groups(name):
        with suppress(OSError):
            found.update(map(int, (group / "cgroup.procs").read_text().split()))
    return found


def _groups(name: str) -> Iterator[Path]:
    """The group and those below it, the innermost first."""
    for root in root_folders():
        for folder, _, _ in os.walk(root / name, topdown=False):
            yield Path(folder)
