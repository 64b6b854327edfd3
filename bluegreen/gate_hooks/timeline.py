"""How long the parts of one update take, for its events."""

import time
from collections.abc import Callable
from enum import StrEnum

__all__ = ["Moment", "Timeline"]


class Moment(StrEnum):
    """What is noted, each when it is first reached."""

    ASKED = "asked"
    """The router's gates begin."""

    PASSED = "passed"
    """They have let the write pass."""

    WRITTEN = "written"
    """The router has been written; whether traffic follows is asked from now on."""

    FOLLOWED = "followed"
    """Traffic has been seen to follow."""


_PARTS = {
    "gates": (Moment.ASKED, Moment.PASSED),
    "write": (Moment.PASSED, Moment.WRITTEN),
    "follow": (Moment.WRITTEN, Moment.FOLLOWED),
    "cutover": (Moment.PASSED, Moment.FOLLOWED),
}


class Timeline:
    """The moments of one update."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started = clock()
        self._reached: dict[Moment, float] = {}

    def mark(self, moment: Moment) -> None:
        """Notes that a moment is reached; the first time counts."""
        self._reached.setdefault(moment, self._clock())

    def seconds(self) -> dict[str, float]:
        """How long each part took that is over, and the update so far."""
        reached = self._reached
        parts = {
            name: reached[end] - reached[begin]
            for name, (begin, end) in _PARTS.items()
            if begin in reached and end in reached
        }
        parts["update"] = self._clock() - self._started
        return {name: round(duration, 3) for name, duration in parts.items()}
