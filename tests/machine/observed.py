"""What can be seen of a service from outside, and what an update must never make of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bluegreen.colors import Color
from bluegreen.traffic import Route, TrafficSplit

__all__ = ["Fleet", "Seen", "Wanted", "changed_live_members", "moved_wrongly", "wrongs"]


@dataclass(frozen=True)
class Fleet:
    """The members of one color as they run."""

    releases: frozenset[str] = frozenset()
    members: int = 0
    ready: int = 0


@dataclass(frozen=True)
class Seen:
    """One moment of a service."""

    live: Route | None
    """Who has production traffic; None when nobody, or when it goes where nobody sent it."""

    fleets: Mapping[Color, Fleet]
    flag: Color | None
    previous: Color | None = None
    """Who was active before, as the flag says."""

    def share(self, color: Color) -> int:
        return self.live.split.share_of(color) if self.live else 0


@dataclass(frozen=True)
class Wanted:
    """What one update was asked for, worked out from what was written, not by the library."""

    split: TrafficSplit
    releases: Mapping[Color, str]
    replicas: Mapping[Color, int]
    """What each color of the config is to have after it."""

    is_rollback: bool = False
    live_change: Color | None = None
    """The color whose live members may change."""

    keeps_retention: bool = False
    """There is a retention, longer than any test, and nobody lifted it."""


def wrongs(before: Seen, after: Seen, wanted: Wanted) -> Iterator[str]:
    """What an update must not have done between two moments of it."""
    yield from moved_wrongly(before, after, wanted)
    for color in Color:
        yield from changed_live_members(color, before, after, wanted)
        yield from _ended_too_soon(color, before, after, wanted)


def moved_wrongly(before: Seen, after: Seen, wanted: Wanted) -> Iterator[str]:
    if after.live != before.live:
        if after.live is None or after.live.split != wanted.split:
            yield f"traffic went to {after.live}, wanted is {wanted.split}"
            return
        for color in Color:
            if after.share(color) > before.share(color):
                yield from _not_ready(color, before, after, wanted)
    if after.flag not in {before.flag, None} and after.share(after.flag) == 0:
        yield f"the flag says {after.flag}, which has no traffic"


def _not_ready(color: Color, before: Seen, after: Seen, wanted: Wanted) -> Iterator[str]:
    fleet = after.fleets[color]
    live = 0
    if before.live is not None:
        active = before.live.active
        live = before.fleets[active].members
        if wanted.live_change is active:
            # Who allows its change allows it to be smaller.
            live = min(live, wanted.replicas.get(active, live))
    needed = 1 if wanted.is_rollback else max(1, live, wanted.replicas.get(color, 0))
    if fleet.ready < needed:
        yield f"{color} got traffic with {fleet.ready} of {needed} needed members ready"
    if fleet.releases != {wanted.releases[color]}:
        yield f"{color} got traffic with {set(fleet.releases)}, not {wanted.releases[color]}"


def changed_live_members(color: Color, before: Seen, after: Seen, wanted: Wanted) -> Iterator[str]:
    if not (before.share(color) and after.share(color)) or wanted.live_change is color:
        return
    old, new = before.fleets[color], after.fleets[color]
    if new.ready < old.ready:
        yield f"{color} has traffic and went from {old.ready} ready members to {new.ready}"
    if old.releases and not new.releases <= old.releases:
        yield f"{color} has traffic and went from {set(old.releases)} to {set(new.releases)}"


def _ended_too_soon(color: Color, before: Seen, after: Seen, wanted: Wanted) -> Iterator[str]:
    old, new = before.fleets[color], after.fleets[color]
    # Members that never became ready served nobody.
    if new.ready >= old.ready or wanted.live_change is color:
        return
    if before.share(color):
        yield f"{color} lost members while it had {before.share(color)} %"
    elif wanted.split.share_of(color) == 0 and before.flag is color:
        yield f"{color} lost members before the flag followed the traffic"
    is_target = before.previous is color and before.flag is not color
    is_kept = color not in wanted.releases or old.releases == {wanted.releases[color]}
    if wanted.keeps_retention and is_target and is_kept:
        yield f"{color} lost members within its retention"
