"""Programs built from Go modules, once per user: the checkouts of one user share them.

Beside the installer of the engine, which runs as a script and imports by bare name; the test
clusters import it as `tools.engine.go_build`.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

__all__ = ["GoModule", "UnavailableError", "cache_folder", "go_on_path", "made_once", "say"]

TERMINAL_PROGRESS_SECONDS = 1.0
LOG_PROGRESS_SECONDS = 20.0
TAIL_LINES = 20


class UnavailableError(Exception):
    """What was asked for will not be there; the text says why and what to do."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status
        """Exit status: 1 something went wrong, 2 something is missing."""


def cache_folder(name: str, environment: Mapping[str, str]) -> Path:
    """Where this user's builds of that name are kept."""
    caches = environment.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(caches, "bluegreen", name).absolute()


def go_on_path(environment: Mapping[str, str]) -> str | None:
    """The Go command, if there is one."""
    return shutil.which("go", path=environment.get("PATH", os.defpath))


def made_once(
    cache: Path, names: Sequence[str], make: Callable[[Path], None], *, what: str
) -> None:
    """Fills the folder with these files unless they are there; one process makes them at a time.

    `make` writes them into a new folder beside, so that a build that fails leaves nothing.
    """

    def is_complete() -> bool:
        return all((cache / name).is_file() for name in names)

    if is_complete():
        return
    cache.mkdir(parents=True, exist_ok=True)
    with _only_one_builder(cache / "lock", what):
        if is_complete():
            return
        with tempfile.TemporaryDirectory(prefix="new-", dir=cache) as folder:
            new = Path(folder)
            make(new)
            for name in names:
                (new / name).replace(cache / name)


@contextmanager
def _only_one_builder(lock: Path, what: str) -> Iterator[None]:
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another checkout is building {what}; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True, kw_only=True)
class GoModule:
    """A folder with a go.mod, and how Go is run in it."""

    folder: Path
    what: str
    """What is built, as the lines on the progress name it."""

    go: str
    environment: Mapping[str, str]

    def run(self, *arguments: str) -> str:
        """What `go` with these arguments prints.

        Raises:
            UnavailableError: It failed; the text has the last lines it said.
        """
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            if self._status_of(arguments, output, errors) != 0:
                tail = _text(errors).splitlines()[-TAIL_LINES:]
                first = f"`go {arguments[0]}` failed in {self.folder}, its last lines:"
                raise UnavailableError("\n".join([first, *tail]), 1)
            return _text(output)

    def _status_of(self, arguments: Sequence[str], output: IO[bytes], errors: IO[bytes]) -> int:
        process = subprocess.Popen(
            [self.go, *arguments],
            cwd=self.folder,
            env={**self.environment, "CGO_ENABLED": "0"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
        )
        try:
            return _wait_with_progress(process, self.what)
        finally:
            # After an interrupt.
            if process.poll() is None:
                process.terminate()
                process.wait()


def _wait_with_progress(process: subprocess.Popen[bytes], what: str) -> int:
    is_terminal = sys.stderr.isatty()
    interval = TERMINAL_PROGRESS_SECONDS if is_terminal else LOG_PROGRESS_SECONDS
    started = time.monotonic()
    while True:
        try:
            status = process.wait(interval)
        except subprocess.TimeoutExpired:
            line = f"building {what}: {time.monotonic() - started:.0f} s"
            print(line, file=sys.stderr, end="\r" if is_terminal else "\n", flush=True)
        else:
            return status


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def say(line: str) -> None:
    """Prints a line about the progress."""
    print(line, file=sys.stderr, flush=True)
