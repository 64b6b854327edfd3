"""Events as lines of a file: the on-premises audit trail, and a copy that any platform can have."""

import os
from pathlib import Path

from bluegreen.errors import DataPlaneError
from bluegreen.events.event import Event

__all__ = ["EventFile"]


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
