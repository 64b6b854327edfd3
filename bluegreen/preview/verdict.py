"""What a preview means for production traffic: pure decisions."""

from collections.abc import Iterable, Iterator
from enum import StrEnum

from bluegreen.colors import Color
from bluegreen.preview.change import FleetChange, ServiceChange
from bluegreen.preview.document import Op

__all__ = ["VerdictClass", "gravest", "verdicts_of"]


class VerdictClass(StrEnum):
    """What an update does, gravest first; the words of `--fail-on`."""

    REPLACES_ROUTER = "replaces the router"
    """What moves production traffic is replaced or removed: for a moment there may be none."""

    LIVE_RELEASE = "changes the live release"
    """A color that has traffic gets another release, loses members, or is removed."""

    DEPLOY_AND_SWITCH = "deploy and switch"
    """A color gets a release and production traffic in the same update; a first deployment too."""

    ROLLBACK = "rollback"
    """Traffic moves back, and somebody said so (`BLUEGREEN_ROLLBACK`)."""

    SWITCH = "switch"
    """Production traffic moves to what is deployed already."""

    CANARY = "canary"
    """The active color stays, the idle one's share changes."""

    RETIRE = "retire"
    """A color without traffic loses members, or is removed."""

    DEPLOY_TO_IDLE = "deploy to idle"
    """A color without traffic gets a release, other settings or more members."""

    NO_TRAFFIC_CHANGE = "no traffic change"
    """Nothing of the above."""


_GRAVITY = {verdict: index for index, verdict in enumerate(VerdictClass)}


def gravest(verdicts: Iterable[VerdictClass]) -> VerdictClass:
    """The one that a reader must see first."""
    return min(verdicts, key=_GRAVITY.__getitem__, default=VerdictClass.NO_TRAFFIC_CHANGE)


def verdicts_of(change: ServiceChange) -> tuple[VerdictClass, ...]:
    """All that is true of one service's part of an update, gravest first; never empty."""
    found = {
        *_router(change),
        *_traffic(change),
        *(
            verdict
            for color, fleet in change.fleets.items()
            for verdict in _fleet(change, color, fleet)
        ),
    }
    return tuple(sorted(found, key=_GRAVITY.__getitem__)) or (VerdictClass.NO_TRAFFIC_CHANGE,)


def _router(change: ServiceChange) -> Iterator[VerdictClass]:
    if change.router is not None and change.router.op in {Op.REPLACE, Op.DELETE}:
        yield VerdictClass.REPLACES_ROUTER


def _traffic(change: ServiceChange) -> Iterator[VerdictClass]:
    router = change.router
    if router is None or router.op is Op.DELETE:
        return
    if not router.is_readable:
        yield VerdictClass.SWITCH
        return
    if change.after is None or change.after == change.before:
        return
    rising = change.after.rising_since(change.before)
    is_new = any(_is_deployed(change.fleets.get(color)) for color in rising)
    if change.said.is_rollback:
        yield VerdictClass.ROLLBACK
    elif change.before is not None and change.active_before is change.active_after:
        yield VerdictClass.CANARY
        if is_new:
            yield VerdictClass.DEPLOY_TO_IDLE
    else:
        yield VerdictClass.DEPLOY_AND_SWITCH if is_new else VerdictClass.SWITCH


def _is_deployed(fleet: FleetChange | None) -> bool:
    return fleet is not None and (fleet.is_made or fleet.is_new_release or fleet.is_other)


def _fleet(change: ServiceChange, color: Color, fleet: FleetChange) -> Iterator[VerdictClass]:
    before, after = change.share_before(color), change.share_after(color)
    is_other = fleet.is_new_release or fleet.is_other or fleet.op is Op.REPLACE
    if before > 0:
        is_told = color in change.said.live_changes
        if is_other or is_told or fleet.is_removed or (fleet.shrinks and after > 0):
            yield VerdictClass.LIVE_RELEASE
        elif fleet.shrinks:
            yield VerdictClass.RETIRE
        return
    if after > 0:
        # What it gets on its way to traffic is part of the switch.
        return
    if fleet.is_removed or (fleet.shrinks and not is_other):
        yield VerdictClass.RETIRE
    elif fleet.is_made or is_other or fleet.grows or fleet.is_unclear:
        yield VerdictClass.DEPLOY_TO_IDLE
