"""Moments and times as a person reads them."""

from datetime import UTC, datetime
from math import isfinite

__all__ = ["counted", "duration", "moment_of", "written"]

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_SHORT_SECONDS = 60


def moment_of(text: str) -> datetime:
    """The moment that ISO 8601 names."""
    return datetime.fromisoformat(text)


def written(text: str) -> str:
    """A moment in UTC, to the second."""
    return f"{moment_of(text).astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def duration(seconds: float) -> str:
    """How long, in its two largest units: `3 d 4 h`; below a minute to a tenth of a second."""
    if not isfinite(seconds):
        return "?"
    if seconds < _SHORT_SECONDS:
        return f"{seconds:.1f} s"
    left = round(seconds)
    parts: list[tuple[int, str]] = []
    for size, name in _UNITS:
        number, left = divmod(left, size)
        if number or parts:
            parts.append((number, name))
    return " ".join(f"{number} {name}" for number, name in parts[:2] if number)


def counted(number: int, word: str) -> str:
    """`1 switch`, `2 switches`."""
    ending = "es" if word.endswith("ch") else "s"
    return f"{number} {word}{'' if number == 1 else ending}"
