"""Waits for what must happen, so that nothing is measured before it can be."""

import time
from collections.abc import Callable

import httpx

from benchmarks.stack import BenchmarkError
from bluegreen.colors import Color

__all__ = ["eventually", "until_answered_by"]

_POLL_SECONDS = 0.01
_ANSWER_SECONDS = 5.0


def eventually(is_true: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
    """Waits for something that must happen; raises `BenchmarkError` when it does not."""
    end = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > end:
            msg = f"not within {seconds:g} s: {what}"
            raise BenchmarkError(msg)
        time.sleep(_POLL_SECONDS)


def until_answered_by(url: str, color: Color) -> None:
    """Returns when a new connection is answered by a color."""

    def is_answered() -> bool:
        try:
            answer = httpx.get(url, timeout=_ANSWER_SECONDS, trust_env=False)
        except httpx.TransportError:
            return False
        return answer.is_success and answer.headers.get("X-Bluegreen-Color") == color

    eventually(is_answered, f"{url} is answered by {color}")
