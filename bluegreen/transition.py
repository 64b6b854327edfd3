"""May this update do what the plan asks for, given what is live? Pure decisions.

Three things are compared: what the config *wants*, what Pulumi's state has *recorded*, and what
is *live* in the data plane.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from bluegreen.colors import Color
from bluegreen.traffic import Route, TrafficSplit

__all__ = [
    "FleetChange",
    "FleetState",
    "Situation",
    "Transition",
    "fleet_change",
    "judge_live_change",
    "judge_retention",
    "judge_transition",
]


class Situation(StrEnum):
    """How what is wanted, recorded and live relate."""

    FIRST = "first"
    """Nothing is live yet: the first deployment."""

    PROCEED = "proceed"
    """Live is what was recorded: an ordinary change."""

    FINISH = "finish"
    """Live already is what is wanted: an update was killed after its write."""

    REPAIR = "repair"
    """Somebody moved the traffic by hand; this update moves it back to an unchanged color."""

    CONFLICT = "conflict"
    """Live is neither recorded nor wanted: somebody else is at work."""


@dataclass(frozen=True, slots=True)
class Transition:
    """What a write to the router would mean."""

    situation: Situation
    rising: tuple[Color, ...]
    """The colors whose share of production rises above their live share; these are judged."""

    refusal: str | None = None
    """Why the write must not happen; None when it may."""


def judge_transition(
    *,
    wanted: Route,
    recorded: Route | None,
    live: TrafficSplit | None,
    is_rollback: bool = False,
) -> Transition:
    """Decides whether the router may be written, and whose share would rise.

    Args:
        wanted: The route of the plan.
        recorded: The route in Pulumi's state; None when the router is not in the state.
        live: The split that the data plane has now; None when it has none yet.
        is_rollback: True when somebody asked for the way back; drift does not hold that up.
    """
    rising = wanted.split.rising_since(live)
    if live is None:
        return Transition(Situation.FIRST, rising)
    if live == wanted.split:
        return Transition(Situation.FINISH, rising)
    if recorded is not None and live == recorded.split:
        return Transition(Situation.PROCEED, rising)
    if is_rollback or (recorded is not None and recorded.active is wanted.active):
        return Transition(Situation.REPAIR, rising)
    return Transition(
        Situation.CONFLICT, rising, refusal=_conflict(wanted=wanted, recorded=recorded, live=live)
    )


def _conflict(*, wanted: Route, recorded: Route | None, live: TrafficSplit) -> str:
    unmoved = "production traffic has not been moved by this update"
    if recorded is None:
        return (
            f"production traffic is at {live}, but no router is recorded in this stack, and this "
            f"update wants {wanted.split}: another stack or an earlier one left it there; "
            f"{unmoved}; set active_color and canary to what is live to take it over"
        )
    return (
        f"production traffic is at {live}, but the last update left it at {recorded.split} and "
        f"this one wants {wanted.split}: somebody else moved it; {unmoved}; `pulumi refresh` takes "
        f"over what is live, or `pulumi config set active_color {recorded.active}` repairs it"
    )


@dataclass(frozen=True, slots=True)
class FleetState:
    """What a color holds: what runs there, and how much of it."""

    release: str
    fingerprint: str
    """Changes whenever anything but the number of members changes."""

    replicas: int


@dataclass(frozen=True, slots=True)
class FleetChange:
    """What an update would do to one color."""

    is_new_release: bool
    """Members are replaced: another release, or the same one started differently."""

    is_shrink: bool

    @property
    def ends_members(self) -> bool:
        """True when members that run now are ended."""
        return self.is_new_release or self.is_shrink


def fleet_change(before: FleetState | None, after: FleetState) -> FleetChange:
    """Compares a color before and after; a color that did not exist loses nothing."""
    if before is None or before.replicas == 0:
        return FleetChange(is_new_release=False, is_shrink=False)
    return FleetChange(
        is_new_release=before.fingerprint != after.fingerprint,
        is_shrink=after.replicas < before.replicas,
    )


def judge_live_change(
    color: Color, before: FleetState, after: FleetState, *, share: int, is_allowed: bool
) -> str | None:
    """Why the release of a color with a share must not change; None when it may."""
    if share == 0 or is_allowed or before.fingerprint == after.fingerprint:
        return None
    what = (
        f"its release would change from {before.release} to {after.release}"
        if before.release != after.release
        else f"release {before.release} would be started differently (command or environment)"
    )
    return (
        f"{color} has {share} % of production traffic and {what}; nothing was changed; deploy to "
        f"{color.other} and switch, or allow it once with "
        f"BLUEGREEN_ALLOW_LIVE_CHANGE='{color}:why'"
    )


def judge_retention(
    color: Color,
    release: str,
    *,
    idle_since: datetime | None,
    now: datetime,
    retention_hours: float,
    reason_to_retire_early: str | None,
) -> str | None:
    """Why a retired color must not shrink yet; None when its retention is over.

    `idle_since` is when the active flag last changed; None means that it never did, so that no
    switch has ever made this color a rollback target.
    """
    if idle_since is None or retention_hours == 0 or reason_to_retire_early is not None:
        return None
    due = (idle_since + timedelta(hours=retention_hours)).astimezone(UTC)
    if now >= due:
        return None
    left = math.ceil((due - now) / timedelta(minutes=6)) / 10
    return (
        f"{color} {release} must stay able to serve until {due:%Y-%m-%d %H:%M:%S} UTC "
        f"({left:.1f} of {retention_hours:g} hours left): it is the rollback target; it was not "
        "shrunk; wait, or say BLUEGREEN_RETIRE_EARLY='why'"
    )
