"""Waiting that ends: at a time limit, or when the engine asks."""

import threading
import time
from typing import Any

__all__ = ["NotReadyError", "Patience"]

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 0.5


class NotReadyError(Exception):
    """The object is there, but not what was waited for."""

    def __init__(self, text: str, live: dict[str, Any], reasons: list[str]) -> None:
        super().__init__(text)
        self.live = live
        self.reasons = reasons


class Patience:
    """Pauses between two looks at the cluster, for as long as there is time."""

    def __init__(self, seconds: float, cancelled: threading.Event) -> None:
        self._end = time.monotonic() + seconds
        self._cancelled = cancelled
        self._pause = FIRST_PAUSE_SECONDS

    @property
    def is_cancelled(self) -> bool:
        return self._cancelled.is_set()

    @property
    def is_over(self) -> bool:
        """Whether there is no sense in looking again."""
        return self.is_cancelled or time.monotonic() >= self._end

    def pause(self) -> None:
        """Waits a moment, each time a little longer."""
        left = max(self._end - time.monotonic(), 0)
        self._cancelled.wait(min(self._pause, left))
        self._pause = min(self._pause * 1.5, LONGEST_PAUSE_SECONDS)

    def failure(self, live: dict[str, Any], reasons: list[str]) -> NotReadyError:
        """What to raise once it is over."""
        name = live["metadata"]["name"]
        text = (
            f'Resource operation was cancelled for "{name}"'
            if self.is_cancelled
            else f"'{name}' timed out waiting to be Ready"
        )
        return NotReadyError(text, live, reasons)
