"""Waits until members that were started can take traffic."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bluegreen.onprem.supervisord import Program, ProgramState, ProgramStatus, Supervisord

if TYPE_CHECKING:
    import httpx

__all__ = ["Candidate", "wait_until_ready"]

_POLL_SECONDS = 0.1
_REQUEST_SECONDS = 2.0
_ENDED = frozenset({ProgramStatus.BACKOFF, ProgramStatus.EXITED, ProgramStatus.FATAL})


@dataclass(slots=True)
class Candidate:
    """A member that is waited for, and what is known of it so far."""

    program: Program
    index: int
    port: int
    log_start: int
    """Bytes that its log had before, which say nothing about this start."""

    is_ready: bool = False
    has_failed: bool = False
    """No further waiting would help."""

    reason: str = "it was not asked"
    """Why it is not ready."""

    pid: int | None = None
    has_answered: bool = False

    def look_at(self, state: ProgramState | None) -> None:
        """Judges by the process: the one that answered must be ours, and must still be there."""
        if state is None:
            self._fail("it was taken away while it was waited for")
        elif state.status in _ENDED:
            self._fail("its command ended at once")
        elif self.pid and state.pid != self.pid:
            self._fail("its command ended while it was waited for")
        else:
            self.pid = state.pid
            self.is_ready = state.status is ProgramStatus.RUNNING and self.has_answered

    def ask(self, client: "httpx.Client", path: str) -> None:
        """Asks the member itself; only 200 counts."""
        import httpx  # noqa: PLC0415  # see `wait_until_ready`

        url = f"http://127.0.0.1:{self.port}{path}"
        try:
            status = client.get(url).status_code
        except httpx.HTTPError as error:
            self.has_answered = False
            self.reason = f"GET {url}: {str(error).lower() or type(error).__name__}"
        else:
            self.has_answered = status == httpx.codes.OK
            self.reason = f"GET {url} answered {status}"

    def _fail(self, reason: str) -> None:
        self.has_failed = True
        self.reason = reason


def wait_until_ready(
    supervisord: Supervisord, candidates: Sequence[Candidate], path: str, timeout_seconds: float
) -> list[Candidate]:
    """Waits until all are ready, one has failed or the time is over; returns who is not ready."""
    # Takes a tenth of a second, which an update that starts no member need not wait for.
    import httpx  # noqa: PLC0415

    deadline = time.monotonic() + timeout_seconds
    # A proxy from the environment would be asked for 127.0.0.1, too.
    with httpx.Client(timeout=_REQUEST_SECONDS, trust_env=False) as client:
        while True:
            states = supervisord.programs()
            waiting = [candidate for candidate in candidates if not candidate.is_ready]
            for candidate in waiting:
                candidate.look_at(states.get(candidate.program.name))
            waiting = [candidate for candidate in waiting if not candidate.is_ready]
            is_over = time.monotonic() > deadline or any(each.has_failed for each in waiting)
            if is_over or not waiting:
                return waiting
            for candidate in waiting:
                candidate.ask(client, path)
            time.sleep(_POLL_SECONDS)
