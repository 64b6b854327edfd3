"""Files that only this user may read, replaced whole, and a directory of our own for them."""

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bluegreen.errors import ConfigError, DataPlaneError

__all__ = [
    "PrivateDirectory",
    "replace_file",
    "sync_directory",
    "tail",
    "takes_lock",
    "write_private",
]

_MARKER = ".bluegreen-run-directory"
# Nobody else's files are called so, and it is also looked for in folders that are not ours.
_UNFINISHED = ".bluegreen-unfinished"
_LOCK_SECONDS = 120.0
_LOCK_POLL_SECONDS = 0.005
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

    @property
    def is_open_to_others(self) -> bool:
        """Whether somebody has let other users in since it was made."""
        return self.path.exists() and bool(self.path.stat().st_mode & 0o077)

    @property
    def owner(self) -> str | None:
        """Who uses it; None when nobody has claimed it."""
        try:
            return (self.path / _MARKER).read_text(encoding="utf-8").strip() or None
        except OSError:
            return None

    def claim(self, owner: str, formerly: str | None = None) -> None:
        """Notes whose it is, under its lock.

        Args:
            owner: Who is to own it from now on.
            formerly: Another name of the same owner, which a rename has left in it.

        Raises:
            ConfigError: It belongs to somebody else.
            DataPlaneError: That could not be noted.
        """
        problem = self.claim_problem(owner, formerly)
        if problem is not None:
            raise ConfigError([problem])
        if self.owner != owner:
            write_private(self.path / _MARKER, f"{owner}\n")

    def claim_problem(self, owner: str, formerly: str | None = None) -> str | None:
        """Why a claim would be refused; None when it would not."""
        present = self.owner
        if present in {None, owner, formerly}:
            return None
        return (
            f"run directory {self.path} belongs to {present}; nothing was started; choose another "
            "service.onprem.run_directory"
        )

    def problem(self) -> str | None:
        """Why `make` would refuse, as far as that can be told without making anything."""
        present = next(each for each in (self.path, *self.path.parents) if os.path.lexists(each))
        if not present.is_dir():
            return self._not_made(f"{present} is not a directory")
        if not os.access(present, os.R_OK | os.W_OK | os.X_OK):
            return self._not_made(f"this user may not write to {present}")
        if present == self.path and any(self.path.iterdir()) and not self.is_ours:
            return self._foreign()
        return None

    def _foreign(self) -> str:
        return (
            f"run directory {self.path} has files that are not bluegreen's; nothing was started; "
            "set service.onprem.run_directory to one that is empty or does not exist"
        )

    def _not_made(self, why: str) -> str:
        return (
            f"run directory {self.path} could not be made: {why}; nothing was started; "
            "set service.onprem.run_directory to a place that this user can write to"
        )

    def make(self, *subdirectories: str) -> None:
        """Sees to it that the directory is there, readable by this user only.

        Raises:
            ConfigError: There is one with files of somebody else.
            DataPlaneError: It cannot be made.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            # In this order: whoever makes it at the same time marks it before anything else.
            if any(self.path.iterdir()) and not self.is_ours:
                raise ConfigError([self._foreign()])
            self.path.chmod(0o700)
            (self.path / _MARKER).touch(mode=0o600)
            for name in subdirectories:
                (self.path / name).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise DataPlaneError(self._not_made(str(error.strerror))) from error

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
        descriptor = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not takes_lock(descriptor, _LOCK_SECONDS):
                msg = (
                    f"{self.path} has been locked by another update for {_LOCK_SECONDS:g} s; "
                    "nothing was changed; wait for it to end, then run `pulumi up` again"
                )
                raise DataPlaneError(msg)
            yield
        finally:
            os.close(descriptor)


def write_private(path: Path, text: str) -> None:
    """Replaces a file in one step; only this user may read it.

    Raises:
        DataPlaneError: The file could not be written; the old one is untouched.
    """
    try:
        replace_file(path, text)
    except OSError as error:
        msg = f"{path} could not be written: {error.strerror}; it is as it was"
        raise DataPlaneError(msg) from error


def replace_file(path: Path, text: str, prepare: Callable[[int], None] | None = None) -> None:
    """Puts a complete new file in place of the old one; a reader sees one of the two, whole.

    Its content is on the disk before it gets its name; for the name itself to survive a crash of
    the machine see `sync_directory`. What a killed writer has left in the folder is deleted.

    Args:
        path: The file to be replaced; a link is replaced, not followed.
        text: Its new content. What was read with `surrogateescape` is written back as it was.
        prepare: Called with the descriptor of the new file while it is empty and mode 0600.

    Raises:
        OSError: It could not be written; the old one is untouched.
    """
    _delete_unfinished(path.parent)
    descriptor, temporary = _unfinished(path)
    try:
        # Open until it has its name: whoever holds its lock is still writing.
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
            if prepare is not None:
                prepare(file.fileno())
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            temporary.rename(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _unfinished(path: Path) -> tuple[int, Path]:
    """A locked new file beside the one that it is to replace."""
    while True:
        descriptor, name = tempfile.mkstemp(_UNFINISHED, f".{path.name}.", path.parent)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        # Before it was locked, another writer may have taken it for a dead one's.
        if os.fstat(descriptor).st_nlink:
            return descriptor, Path(name)
        os.close(descriptor)


def _delete_unfinished(directory: Path) -> None:
    """Deletes what writers have left that were killed; the lock of one that lives is held."""
    for left in directory.glob(f".*{_UNFINISHED}"):
        # Another user's, or gone since: nothing that this write depends on.
        with contextlib.suppress(OSError), left.open("rb") as file:
            if takes_lock(file.fileno(), 0):
                left.unlink()


def sync_directory(directory: Path) -> None:
    """Makes what was renamed in a directory survive a crash of the machine.

    Raises:
        OSError: The disk did not take it.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def takes_lock(descriptor: int, seconds: float) -> bool:
    """Waits for the exclusive lock of an open file, which closing it lets go; False in vain."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(_LOCK_POLL_SECONDS)
        else:
            return True


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
