"""May this update do what the plan asks for, given what is live? Pure decisions.

Three things are compared: what the config *wants*, what Pulumi's state has *recorded*, and what
is *live* in the data plane.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from bluegreen.colors import Color
from bluegreen.traffic import Route, UnreadableTraffic

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
    live: Route | UnreadableTraffic | None,
    is_rollback: bool = False,
) -> Transition:
    """Decides whether the router may be written, and whose share would rise.

    Args:
        wanted: The route of the plan.
        recorded: The route in Pulumi's state; None when the router is not in the state.
        live: What the data plane has now; None when it has nothing yet.
        is_rollback: True when somebody asked for the way back; drift does not hold that up.
    """
    live_split = live.split if isinstance(live, Route) else None
    # Traffic that cannot be read gives no color a share that could be counted on.
    rising = wanted.split.rising_since(live_split)
    if live is None:
        return Transition(Situation.FIRST, rising)
    if live_split == wanted.split:
        return Transition(Situation.FINISH, rising)
    if recorded is not None and live_split == recorded.split:
        return Transition(Situation.PROCEED, rising)
    if is_rollback or (recorded is not None and recorded.active is wanted.active):
        return Transition(Situation.REPAIR, rising)
    return Transition(
        Situation.CONFLICT, rising, refusal=_conflict(wanted=wanted, recorded=recorded, live=live)
    )


_UNMOVED = "production traffic has not been moved by this update"


def _conflict(*, wanted: Route, recorded: Route | None, live: Route | UnreadableTraffic) -> str:
    if isinstance(live, UnreadableTraffic):
        return _unreadable(wanted=wanted, recorded=recorded, live=live)
    if recorded is None:
        return (
            f"production traffic is at {live.split}, but no router is recorded in this stack, and "
            f"this update wants {wanted.split}: another stack or an earlier one left it there; "
            f"{_UNMOVED}; set active_color and canary to what is live to take it over"
        )
    return (
        f"production traffic is at {live.split}, but the last update left it at {recorded.split} "
        f"and this one wants {wanted.split}: somebody else moved it; {_UNMOVED}; `pulumi refresh` "
        f"takes over what is live, or `pulumi config set active_color {recorded.active}` repairs it"
    )


def _unreadable(*, wanted: Route, recorded: Route | None, live: UnreadableTraffic) -> str:
    """Nothing can take over what cannot be read: neither a refresh nor another config."""
    text = f"where production traffic goes cannot be read: {live}; {_UNMOVED}"
    if recorded is None:
        return (
            f"{text}; no router is recorded in this stack that it could be moved back to; take "
            "out of the router what this library did not write, and run `pulumi up` again"
        )
    return (
        f"{text}; the last update left it at {recorded.split} and this one wants {wanted.split}; "
        f"`pulumi config set active_color {recorded.active}` repairs it, and can be set back then"
    )


@dataclass(frozen=True, slots=True)
class FleetState:
    """What a color holds: what runs there, and how much of it."""

    release: str
    fingerprint: str
    """Changes whenever anything but the number of members changes."""

    replicas: int
    """Members it is to have; under an autoscaler the fewest, unless its present size is known."""

    autoscaled_to: int | None = None
    """The most that an autoscaler makes of it; None where the program says the number."""

    limit_key: str = "service.kubernetes.autoscaling.max_replicas"
    """The key of the config that says the most."""

    @property
    def is_autoscaled(self) -> bool:
        """True when the number of members is an autoscaler's, not the program's."""
        return self.autoscaled_to is not None

    @property
    def most_replicas(self) -> int:
        """No number above that is left alone."""
        return self.replicas if self.autoscaled_to is None else self.autoscaled_to


@dataclass(frozen=True, slots=True)
class FleetChange:
    """What an update would do to one color."""

    is_new_release: bool
    """Members are replaced: another release, or the same one started differently."""

    is_shrink: bool

    @property
    def is_nothing(self) -> bool:
        """True when no member is ended or replaced."""
        return not (self.is_new_release or self.is_shrink)


def fleet_change(before: FleetState | None, after: FleetState) -> FleetChange:
    """Compares a color before and after; a color that did not exist loses nothing."""
    if before is None:
        return FleetChange(is_new_release=False, is_shrink=False)
    return FleetChange(
        is_new_release=before.fingerprint != after.fingerprint,
        is_shrink=after.most_replicas < before.replicas,
    )


def judge_live_change(
    color: Color,
    before: FleetState,
    after: FleetState,
    *,
    share: int,
    wanted_share: int,
    is_allowed: bool,
) -> str | None:
    """Why the members of a color with a share must not be changed so; None when they may."""
    change = fleet_change(before, after)
    # A color that loses its share in this update is shrunk after that, and guarded then.
    is_shrink_with_share = change.is_shrink and wanted_share > 0
    if share == 0 or is_allowed or not (change.is_new_release or is_shrink_with_share):
        return None
    if wanted_share == 0:
        way = "take its traffic away in an update of its own, and deploy to it after that"
    elif change.is_new_release:
        way = f"deploy to {color.other} and switch"
    else:
        way = _way_to_stay(color, before, after)
    return (
        f"{color} has {share} % of production traffic and {_changed(before, after)}; nothing was "
        f"changed; {way}, or allow it once with BLUEGREEN_ALLOW_LIVE_CHANGE='{color}:why'"
    )


def _way_to_stay(color: Color, before: FleetState, after: FleetState) -> str:
    key = after.limit_key if after.is_autoscaled else f"{color}.replicas"
    return f"keep them with `pulumi config set --path {key} {before.replicas}`"


def _changed(before: FleetState, after: FleetState) -> str:
    if before.release != after.release:
        return f"its release would change from {before.release} to {after.release}"
    if before.fingerprint != after.fingerprint:
        return (
            f"release {before.release} would be started differently (command, environment, "
            "folder or port)"
        )
    bound = "at most " if after.is_autoscaled else ""
    return f"it would shrink from {before.replicas} to {bound}{after.most_replicas} members"


def judge_retention(
    color: Color,
    release: str,
    *,
    idle_since: datetime | None,
    now: datetime,
    retention_hours: float,
) -> str | None:
    """Why an idle color must not lose members yet; None when its retention is over.

    `idle_since` is when the active flag last changed; None means that it never did, so that no
    switch has ever made this color a rollback target.
    """
    if idle_since is None or retention_hours == 0:
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
