"""The client in a process of its own, so that work of the caller does not disturb its pacing."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from types import TracebackType
from typing import IO, Self

from bluegreen.errors import DataPlaneError
from bluegreen.load.plan import LoadPlan
from bluegreen.load.recording import Recording

__all__ = ["HEADERS_VARIABLE", "STARTED_LINE", "BackgroundLoad", "arguments_of"]

STARTED_LINE = b"started\n"
"""What a background client writes before its first request; its recording follows."""

HEADERS_VARIABLE = "BLUEGREEN_LOAD_HEADERS"
"""Holds the headers of a background client, as JSON."""

_START_SECONDS = 30.0
# On top of the time limit of a request: for writing the recording.
_STOP_SECONDS = 20.0


class BackgroundLoad:
    """A load that runs in its own process while the caller does something else.

    It ends by itself when the planned time is over, and at once when the caller's process is gone.
    As a context manager it starts the load, and ends it if `stop` or `wait` was not called.
    """

    def __init__(self, plan: LoadPlan) -> None:
        self.plan = plan
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None
        self._errors: IO[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the client, None when it is not there."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Starts the client and returns when it sends; raises `DataPlaneError` if it does not."""
        if self._process is not None:
            msg = "the load was started before; nothing was started; make another BackgroundLoad"
            raise DataPlaneError(msg)
        # Files without a name: a full pipe would keep the client from ending when nobody reads,
        # and nothing is left behind when the caller dies.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bluegreen.load", "--background", *arguments_of(self.plan)],
            # Not as an argument, which every user of the machine can read: one may be a token.
            env={**os.environ, HEADERS_VARIABLE: json.dumps(dict(self.plan.headers))},
            stdin=subprocess.PIPE,
            stdout=self._output,
            stderr=self._errors,
        )
        end = time.monotonic() + _START_SECONDS
        while not self._is_sending(self._output):
            if self._process.poll() is not None or time.monotonic() > end:
                reason = self._last_error()
                self._end()
                msg = f"the load client did not start: {reason}; nothing was sent"
                raise DataPlaneError(msg)
            time.sleep(0.005)

    def stop(self) -> Recording:
        """Ends the load now, waits for the requests under way and returns what was recorded."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
        return self._collect(self.plan.timeout_seconds + _STOP_SECONDS)

    def wait(self) -> Recording:
        """Waits for the planned end and returns what was recorded."""
        return self._collect(self.plan.seconds + self.plan.timeout_seconds + _STOP_SECONDS)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end()

    def _is_sending(self, output: IO[bytes]) -> bool:
        # The client writes at the offset that this file object shares with it: leave it alone.
        return os.pread(output.fileno(), len(STARTED_LINE), 0) == STARTED_LINE

    def _collect(self, limit_seconds: float) -> Recording:
        process, output = self._process, self._output
        if process is None or output is None or output.closed:
            msg = "the load is not running; there is nothing to collect; call start first"
            raise DataPlaneError(msg)
        try:
            status = process.wait(limit_seconds)
            if status != 0:
                msg = (
                    f"the load client ended with status {status}: {self._last_error()}; no figures"
                )
                raise DataPlaneError(msg)
            output.seek(len(STARTED_LINE))
            return Recording.read(output, name="the recording of the load client")
        except subprocess.TimeoutExpired as error:
            msg = f"the load client did not end within {limit_seconds:g} seconds; no figures"
            raise DataPlaneError(msg) from error
        finally:
            self._end()

    def _last_error(self) -> str:
        if self._errors is None:
            return "no message"
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "no message")

    def _end(self) -> None:
        process = self._process
        if process is not None:
            if process.poll() is None:
                process.kill()
                process.wait()
            if process.stdin is not None:
                process.stdin.close()
        for file in (self._output, self._errors):
            if file is not None:
                file.close()


def arguments_of(plan: LoadPlan) -> Iterator[str]:
    """The command line arguments that make the same plan, but for its headers."""
    yield from ("--url", plan.url)
    yield from ("--rate", repr(plan.rate), "--seconds", repr(plan.seconds))
    yield from ("--connections", str(plan.connections), "--fresh-share", repr(plan.fresh_share))
    yield from ("--timeout", repr(plan.timeout_seconds))
    yield from ("--cookie-clients", str(plan.cookie_clients))
    if plan.test_network is not None:
        yield from ("--test-network", plan.test_network)
    yield from ("--color-header", plan.color_header, "--release-header", plan.release_header)
    if plan.is_remote:
        yield "--remote"
