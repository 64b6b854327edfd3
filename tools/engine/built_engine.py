"""The engine for machines that reach only package registries: built once per user, with Go.

Provides the command line and the official program executor, which is a plain file of the same
release's Go SDK. The language host is Python (`language_host.py`), because the official one is
not published as a Go module.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

__all__ = ["EXECUTOR", "VERSION", "EngineUnavailableError", "built_engine"]

VERSION = "3.259.0"
EXECUTOR = "pulumi-language-python-exec"
CLI_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
SDK_MODULE = "github.com/pulumi/pulumi/sdk/v3"
GO_MODULE = Path(__file__).resolve().parent

TERMINAL_PROGRESS_SECONDS = 1.0
LOG_PROGRESS_SECONDS = 20.0
TAIL_LINES = 20


class EngineUnavailableError(Exception):
    """There will be no engine; the text says why and what to do."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status
        """Exit status: 1 something went wrong, 2 something is missing."""


def built_engine(environment: Mapping[str, str]) -> Path:
    """The per-user folder with `pulumi` and the executor, built now if this is the first time.

    Raises:
        EngineUnavailableError: Go is missing or the build failed.
    """
    caches = environment.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    cache = Path(caches, "bluegreen", f"engine-{VERSION}").absolute()
    if _is_complete(cache):
        return cache
    go = shutil.which("go", path=environment.get("PATH", os.defpath))
    if go is None:
        msg = (
            "neither pulumi (3.238 or newer, with its Python language host) nor go is on PATH;"
            " install Pulumi (https://www.pulumi.com/docs/install/)"
            " or Go 1.25 (https://go.dev/dl/) and run this again"
        )
        raise EngineUnavailableError(msg, 2)
    cache.mkdir(parents=True, exist_ok=True)
    with _only_one_builder(cache / "lock"):
        if not _is_complete(cache):
            _build(go, cache, environment)
    return cache


def _is_complete(cache: Path) -> bool:
    return (cache / "pulumi").is_file() and (cache / EXECUTOR).is_file()


@contextmanager
def _only_one_builder(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("another checkout is building the engine; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build(go: str, cache: Path, environment: Mapping[str, str]) -> None:
    linker = f"-s -w -X {SDK_MODULE}/go/common/version.Version=v{VERSION}"
    with tempfile.TemporaryDirectory(prefix="new-", dir=cache) as folder:
        new = Path(folder)
        _say(f"building the Pulumi engine {VERSION} with Go; takes about 3 minutes, once per user")
        _go([go, "build", "-o", str(new / "pulumi"), "-ldflags", linker, CLI_PACKAGE], environment)
        module = _go([go, "list", "-m", "-f", "{{.Dir}}", SDK_MODULE], environment)
        # Without its permissions: the files of Go modules are read-only.
        shutil.copyfile(Path(module.strip(), "python", "cmd", EXECUTOR), new / EXECUTOR)
        for name in (EXECUTOR, "pulumi"):
            (new / name).replace(cache / name)


def _go(command: Sequence[str], environment: Mapping[str, str]) -> str:
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            cwd=GO_MODULE,
            env={**environment, "CGO_ENABLED": "0"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
        )
        try:
            status = _wait_with_progress(process)
        finally:
            # After an interrupt.
            if process.poll() is None:
                process.terminate()
                process.wait()
        if status != 0:
            tail = _text(errors).splitlines()[-TAIL_LINES:]
            msg = "\n".join([f"`go {command[1]}` failed in {GO_MODULE}, its last lines:", *tail])
            raise EngineUnavailableError(msg, 1)
        return _text(output)


def _wait_with_progress(process: subprocess.Popen[bytes]) -> int:
    is_terminal = sys.stderr.isatty()
    interval = TERMINAL_PROGRESS_SECONDS if is_terminal else LOG_PROGRESS_SECONDS
    started = time.monotonic()
    while True:
        try:
            status = process.wait(interval)
        except subprocess.TimeoutExpired:
            line = f"building the engine: {time.monotonic() - started:.0f} s"
            print(line, file=sys.stderr, end="\r" if is_terminal else "\n", flush=True)
        else:
            return status


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
