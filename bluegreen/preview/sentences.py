"""What happens to the traffic of one service, in one sentence each."""

from collections.abc import Iterator

from bluegreen.colors import Color
from bluegreen.preview.change import FleetChange, ServiceChange
from bluegreen.preview.document import Op
from bluegreen.preview.fleets import Fleet
from bluegreen.preview.verdict import VerdictClass, verdicts_of
from bluegreen.traffic import TrafficSplit

__all__ = ["sentence_about", "split_text"]

_UNKNOWN = "of an unknown release"


def sentence_about(change: ServiceChange) -> str:
    """What the update does to production traffic, and then to the colors."""
    return "; ".join([_traffic(change), *_colors(change)])


def split_text(change: ServiceChange, *, is_after: bool) -> str:
    """Who has, or gets, which share, with the releases."""
    split = change.after if is_after else change.before
    if split is None:
        return "nothing"
    return ", ".join(
        f"{share} % {_holding(change, color, is_after=is_after)}" for color, share in split if share
    )


def _holding(change: ServiceChange, color: Color, *, is_after: bool) -> str:
    release = change.release_after(color) if is_after else change.release_before(color)
    return f"{color} {release}" if release else f"{color} {_UNKNOWN}"


def _traffic(change: ServiceChange) -> str:
    router = change.router
    if router is not None and router.op is Op.DELETE:
        return f"production traffic ends: the {router.kind} that moves it is removed"
    if router is not None and router.op is Op.REPLACE:
        return (
            f"the {router.kind} that moves production traffic is replaced: for a moment there may "
            f"be none; then {split_text(change, is_after=True)}"
        )
    if router is not None and not router.is_readable:
        return (
            f"production traffic moves: the {router.kind} routes otherwise, and does not say "
            "between which colors"
        )
    return _moves(change)


def _moves(change: ServiceChange) -> str:
    before, after = change.before, change.after
    if after is None and before is None:
        return "nothing here says where production traffic goes"
    if before == after:
        return f"production traffic stays at {split_text(change, is_after=False)}"
    if change.said.is_unreadable:
        to = split_text(change, is_after=True)
        return f"production traffic goes where nobody can tell, and moves to {to}"
    if before is None:
        return f"production traffic starts: {split_text(change, is_after=True)}"
    if after is None:
        return f"production traffic leaves {split_text(change, is_after=False)}"
    return _move(change, before, after)


def _move(change: ServiceChange, before: TrafficSplit, after: TrafficSplit) -> str:
    verdicts = verdicts_of(change)
    (rising,) = after.rising_since(before)
    points = after.share_of(rising) - before.share_of(rising)
    back = "back " if VerdictClass.ROLLBACK in verdicts else ""
    source = _holding(change, rising.other, is_after=False)
    target = _holding(change, rising, is_after=True)
    text = f"{points} % of production traffic moves {back}{source} → {target}"
    if VerdictClass.DEPLOY_AND_SWITCH in verdicts:
        text += ", which is deployed in the same update"
    if after.share_of(rising.other):
        text += f" (then {split_text(change, is_after=True)})"
    if change.said.was_moved_by_hand:
        text += ", after somebody moved it by hand"
    return text


def _colors(change: ServiceChange) -> Iterator[str]:
    for color, fleet in sorted(change.fleets.items()):
        text = _color(change, color, fleet)
        if text:
            yield text


def _color(change: ServiceChange, color: Color, fleet: FleetChange) -> str | None:
    live = "live " if change.share_before(color) else ""
    before, after = fleet.before, fleet.after
    if after is None:
        return f"{live}{_named(fleet.before, color)} is removed"
    if before is None:
        is_first = change.before is None and change.share_after(color)
        # Production starts with it, which is said already.
        return None if is_first else f"{color} gets {after.release or 'its first release'}"
    if fleet.is_new_release:
        return f"{live}{color} changes {before.release or '?'} → {after.release or '?'}"
    what = _otherwise(fleet, before, after)
    return f"{live}{_named(after, color)} {what}" if what else None


def _otherwise(fleet: FleetChange, before: Fleet, after: Fleet) -> str | None:
    if fleet.op is Op.REPLACE:
        return "is replaced"
    if fleet.is_other:
        return "is started differently"
    if before.size != after.size:
        return f"goes from {before.size} to {after.size} members"
    return "is updated, and what changes is not shown" if fleet.is_unclear else None


def _named(fleet: Fleet | None, color: Color) -> str:
    return f"{color} {fleet.release}" if fleet and fleet.release else str(color)
