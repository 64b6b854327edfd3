"""Why somebody rolls back: five classes of incident, and how soon each is usually noticed."""

import re
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Expected", "Trigger", "trigger_of"]

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0


class Trigger(StrEnum):
    """What went wrong with a release."""

    OUTAGE = "outage"
    """Nothing answers any more."""

    ERROR_SPIKE = "error_spike"
    """More requests fail than before."""

    PERFORMANCE = "performance"
    """Answers take longer than before."""

    DATA_CORRUPTION = "data_corruption"
    """What is stored is wrong."""

    LOGIC_BUG = "logic_bug"
    """Answers are wrong."""

    @property
    def expected(self) -> "Expected":
        """How soon it is usually noticed."""
        return _EXPECTED[self]


@dataclass(frozen=True, slots=True)
class Expected:
    """How long it usually takes from the switch until such an incident is noticed."""

    text: str
    """For people."""

    most_seconds: float
    """Later than that is late."""


_EXPECTED = {
    Trigger.OUTAGE: Expected("seconds", _MINUTE),
    Trigger.ERROR_SPIKE: Expected("1-5 min", 5 * _MINUTE),
    Trigger.PERFORMANCE: Expected("5-15 min", 15 * _MINUTE),
    Trigger.DATA_CORRUPTION: Expected("hours-days", 7 * _DAY),
    Trigger.LOGIC_BUG: Expected("minutes-hours", 24 * _HOUR),
}


_WATCH = "bake: "
_FOUND_BY_WATCH = (("requests failed", Trigger.ERROR_SPIKE), ("p95 is", Trigger.PERFORMANCE))


def trigger_of(reason: str) -> Trigger | None:
    """The class that a reason begins with: `error spike: 5xx at 12 %`; None when with none.

    Nothing is guessed from what a person wrote after it: a wrong class would make a wrong
    statistic. What the watch of `bluegreen switch --bake` gives as its reason is known by its
    words.
    """
    if reason.startswith(_WATCH):
        return next((trigger for words, trigger in _FOUND_BY_WATCH if words in reason), None)
    first = re.split(r"[:,;.]", reason, maxsplit=1)[0].strip().lower()
    word = re.sub(r"[\s-]+", "_", first)
    return Trigger(word) if word in set(Trigger) else None
