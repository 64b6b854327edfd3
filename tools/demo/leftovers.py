"""What is still there when nothing should be: processes, ports, files."""

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from bluegreen.onprem.ports import taken_by

__all__ = ["MARK", "find_leftovers", "processes_with"]

MARK = "BLUEGREEN_DEMO_RUN"
"""Variable in the environment of every command of a demo; what those start inherits it."""

_PROC = Path("/proc")
# A plugin ends a moment after the command that used it.
_PATIENCE_SECONDS = 5.0
_POLL_SECONDS = 0.1


def find_leftovers(
    run_directory: Path,
    ports: Iterable[int],
    mark: str,
    *,
    patience_seconds: float = _PATIENCE_SECONDS,
) -> list[str]:
    """One line for each thing that has not gone in time; empty when all is gone."""
    end = time.monotonic() + patience_seconds
    ports = list(ports)
    while True:
        found = list(_look(run_directory, ports, mark))
        if not found or time.monotonic() > end:
            return found
        time.sleep(_POLL_SECONDS)


def processes_with(*texts: str) -> Iterator[tuple[int, str]]:
    """Processes of this user whose command line or environment has one of the texts in it."""
    wanted = [os.fsencode(text) for text in texts]
    for folder in sorted(_PROC.glob("[0-9]*"), key=lambda path: int(path.name)):
        with contextlib.suppress(OSError):  # it has ended, or belongs to somebody else
            command = (folder / "cmdline").read_bytes()
            about = command + b"\0" + (folder / "environ").read_bytes()
            if int(folder.name) != os.getpid() and any(text in about for text in wanted):
                yield (
                    int(folder.name),
                    command.replace(b"\0", b" ").decode(errors="replace").strip(),
                )


def _look(run_directory: Path, ports: Iterable[int], mark: str) -> Iterator[str]:
    for pid, command in processes_with(f"{run_directory}/", f"{MARK}={mark}"):
        yield f"process {pid}: {command}"
    for port in ports:
        holder = taken_by(port)
        if holder is not None:
            yield f"port {port}: {holder}"
    if run_directory.exists():
        inside = sorted(str(path) for path in run_directory.rglob("*"))
        yield from (f"file {path}" for path in inside or [str(run_directory)])
