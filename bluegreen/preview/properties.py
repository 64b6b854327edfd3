"""Properties of resources as Pulumi prints them: anything may be anything."""

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["Properties", "mapping", "mappings", "number"]

Properties = Mapping[str, Any]

_MOST = 1_000_000


def mapping(value: object) -> Properties:
    """The value where it is a mapping; else an empty one."""
    return value if isinstance(value, dict) else {}


def mappings(value: object) -> Sequence[Properties]:
    """The mappings in a list; none when it is no list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def number(value: object) -> int | None:
    """A whole number from 0 to a million; None for everything else, an unknown too."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value < _MOST else None
