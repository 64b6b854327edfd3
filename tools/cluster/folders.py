"""The folder that a cluster is in: one user at a time, and never somebody else's files."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tools.cluster.errors import ClusterError, FolderInUseError

__all__ = ["check", "clear", "kind_of", "make", "mounts_below", "reserved"]

# Says that the folder is a cluster's, and of which kind.
MARK = "kind"


def kind_of(folder: Path) -> str | None:
    """What kind of cluster is in the folder; None if there is none."""
    try:
        return (folder / MARK).read_text()
    except (FileNotFoundError, NotADirectoryError):
        return None


def make(folder: Path, kind: str) -> None:
    """Makes an empty folder one of a cluster of that kind."""
    (folder / MARK).write_text(kind)


def check(folder: Path) -> None:
    """Looks at what is there already.

    Raises:
        ClusterError: The folder has files in it that are no cluster's.
    """
    if kind_of(folder) is None and any(folder.iterdir()):
        msg = f"{folder} has files that are no cluster's; nothing was touched; choose another"
        raise ClusterError(msg)


def clear(folder: Path) -> None:
    """Removes what a cluster left in its folder.

    Raises:
        ClusterError: Something is still mounted there.
    """
    if mounts := mounts_below(folder):
        msg = f"{mounts[0]} is still mounted; {folder} was not removed; run: umount {mounts[0]}"
        raise ClusterError(msg)
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != MARK:
            entry.unlink()
    # Last: what is half removed is still known as a cluster's.
    (folder / MARK).unlink(missing_ok=True)


def mounts_below(folder: Path) -> list[str]:
    """What is mounted in the folder, the innermost first."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    # Blanks and the like are written as octal numbers.
    places = [line.split()[4].encode().decode("unicode_escape") for line in lines]
    return sorted((each for each in places if Path(each).is_relative_to(folder)), reverse=True)


@contextmanager
def reserved(folder: Path) -> Iterator[None]:
    """Keeps other commands from working in the folder meanwhile.

    Makes the folder if need be, and removes it if it is empty in the end.

    Raises:
        FolderInUseError: Another command is at work there.
    """
    descriptor = _locked(folder)
    try:
        yield
    finally:
        with suppress(OSError):
            folder.rmdir()
        os.close(descriptor)


def _locked(folder: Path) -> int:
    while True:
        _make_if_missing(folder)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            msg = f"{folder} is in use by another command or test run; nothing was done"
            raise FolderInUseError(msg) from error
        # The one that had it before may have removed it.
        if folder.exists() and os.path.samestat(folder.stat(), os.fstat(descriptor)):
            return descriptor
        os.close(descriptor)


def _make_if_missing(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        msg = f"cannot make the folder {folder}: {error.strerror}; nothing was done"
        raise ClusterError(msg) from error
