"""Events as lines of a file: the on-premises audit trail, and a copy that any platform can have."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from bluegreen.errors import DataPlaneError
from bluegreen.events.event import Event
from bluegreen.events.reading import UnreadableEventError, read_event

__all__ = ["EventFile", "readable"]

_RECENT_BYTES = 1 << 20


class EventFile:
    """Appends each event as one line of JSON."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def record(self, event: Event) -> None:
        """Appends the event, and returns when it is on the disk.

        Raises:
            DataPlaneError: The file could not be written.
        """
        line = event.to_json() + "\n"
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                # One write of one line: appends of several updates do not mix.
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            msg = f"the event could not be kept in {self._path}: {error.strerror}"
            raise DataPlaneError(msg) from error

    def recent(self) -> Sequence[Event]:
        """The entries in the last MiB of the file; none when there is no file.

        Raises:
            DataPlaneError: The file could not be read.
        """
        try:
            with self._path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _RECENT_BYTES))
                text = file.read().decode(errors="replace")
        except FileNotFoundError:
            return ()
        except OSError as error:
            msg = f"{self._path} cannot be read: {error.strerror}"
            raise DataPlaneError(msg) from error
        return readable(text.splitlines())


def readable(lines: Iterable[str]) -> list[Event]:
    """The entries among some lines: one may be cut off, or of a later version."""
    found = []
    for line in lines:
        try:
            found.append(read_event(line))
        except UnreadableEventError:
            continue
    return found
