"""One thing that somebody looked at, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Check", "Level"]


class Level(StrEnum):
    """How it is."""

    FINE = "fine"
    WARNING = "warning"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at and found."""

    name: str
    level: Level
    found: str
    fix: str = ""
    """What to type; empty when it is fine, or when `found` says it."""
