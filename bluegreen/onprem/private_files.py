"""A directory of our own: made, locked and deleted by us, and read by nobody else."""

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from bluegreen.errors import ConfigError, DataPlaneError

__all__ = ["PrivateDirectory", "tail", "write_private"]

_MARKER = ".bluegreen-run-directory"
_LOCK_SECONDS = 120.0
_POLL_SECONDS = 0.05
_TAIL_LINES = 20
_TAIL_BYTES = 4096


class PrivateDirectory:
    """The run directory of one service on the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def is_ours(self) -> bool:
        """Whether it was made by this library."""
        return (self.path / _MARKER).is_file()

    def make(self, *subdirectories: str) -> None:
        """Sees to it that the directory is there, readable by this user only.

        Raises:
            ConfigError: There is one with files of somebody else.
            DataPlaneError: It cannot be made.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self.is_ours and any(self.path.iterdir()):
                problem = (
                    f"run directory {self.path} has files that are not bluegreen's; nothing was "
                    "started; set `run_directory` to one that is empty or does not exist"
                )
                raise ConfigError([problem])
            self.path.chmod(0o700)
            (self.path / _MARKER).touch(mode=0o600)
            for name in subdirectories:
                (self.path / name).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            msg = (
                f"run directory {self.path} could not be made: {error.strerror}; nothing was "
                "started; set `run_directory` to a place that this user can write to"
            )
            raise DataPlaneError(msg) from error

    def remove(self) -> None:
        """Deletes the directory with everything in it."""
        try:
            shutil.rmtree(self.path)
        except OSError as error:
            msg = f"{self.path} could not be deleted: {error.strerror}; nothing runs in it any more"
            raise DataPlaneError(msg) from error

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Keeps other threads and processes from changing the same things meanwhile."""
        if not self.is_ours:
            msg = f"{self.path} was not made by bluegreen, or is gone; nothing was changed"
            raise DataPlaneError(msg)
        deadline = time.monotonic() + _LOCK_SECONDS
        with (self.path / ".lock").open("w") as file:
            while not _takes_lock(file.fileno()):
                if time.monotonic() > deadline:
                    msg = (
                        f"{self.path} has been locked by another update for {_LOCK_SECONDS:g} s; "
                        "nothing was changed; wait for it to end, then run `pulumi up` again"
                    )
                    raise DataPlaneError(msg)
                time.sleep(_POLL_SECONDS)
            yield


def write_private(path: Path, text: str) -> None:
    """Replaces a file in one step; only this user may read it."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        fresh.replace(path)
    except OSError as error:
        msg = f"{path} could not be written: {error.strerror}; it is as it was"
        raise DataPlaneError(msg) from error


def tail(path: Path, since: int = 0) -> str:
    """The last 20 lines of a file, at most 4 KiB, from a byte onwards; empty when unreadable."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            # A log that has become shorter was rotated.
            file.seek(max(since if since <= size else 0, size - _TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(lines[-_TAIL_LINES:])


def _takes_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
