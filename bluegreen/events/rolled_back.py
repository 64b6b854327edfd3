"""Which releases were rolled back and not switched to again since. A pure function."""

from collections.abc import Iterable
from dataclasses import dataclass

from bluegreen.colors import Color
from bluegreen.events.event import Event, EventKind

__all__ = ["RolledBack", "rolled_back"]


@dataclass(frozen=True, slots=True)
class RolledBack:
    """A rollback from a release in a color."""

    color: Color
    release: str
    at: str
    by: str
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.color} {self.release} was rolled back at {self.at} by {self.by}: {self.reason}"
        )


def rolled_back(
    events: Iterable[Event], service: str, color: Color, release: str
) -> RolledBack | None:
    """The rollback that still stands; None when there was none, or a switch to it came after.

    Args:
        events: The trail, of any order.
        service: Whose events count.
        color: Where the release is.
        release: Which one.
    """
    for event in sorted(events, key=lambda each: each.at, reverse=True):
        is_about = event.service == service and event.releases.get(color) == release
        if event.kind is not EventKind.SWITCH or not is_about:
            continue
        if event.rollback and event.from_color is color:
            return RolledBack(color, release, event.at, event.by, event.reason)
        if event.to_color is color:
            return None
    return None
