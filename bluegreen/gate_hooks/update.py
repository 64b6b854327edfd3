"""What the hooks of one service share during one update."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NoReturn

import pulumi

from bluegreen.colors import Color
from bluegreen.contract import OverrideVariable
from bluegreen.errors import DataPlaneError, RolloutError
from bluegreen.events import (
    Event,
    EventKind,
    Journal,
    RecordedVerdict,
    Trail,
    author,
    commit,
    trigger_of,
)
from bluegreen.events.event_file import EventFile
from bluegreen.gate_hooks.failure import Advice, go_on
from bluegreen.gate_hooks.hook import HookCall
from bluegreen.gate_hooks.timeline import Timeline
from bluegreen.gates.data_plane import DataPlane
from bluegreen.gates.gate import Endpoint, Gate, Subject, Verdict
from bluegreen.overrides import Overrides
from bluegreen.plan import ServicePlan
from bluegreen.settings.service import ServiceSettings
from bluegreen.traffic import Route, TrafficSplit, UnreadableTraffic
from bluegreen.transition import FleetState

__all__ = ["PropertyReaders", "Update"]


@dataclass(frozen=True, slots=True)
class PropertyReaders:
    """How a platform writes the library's facts into its resources' properties."""

    route: Callable[[Mapping[str, Any]], Route | None]
    """Reads a router's properties."""

    fleet: Callable[[Mapping[str, Any]], FleetState]
    """Reads the properties of the resource that carries a fleet's capacity and release."""

    flag_color: Callable[[Mapping[str, Any]], Color | None]
    """Reads an active flag's properties."""


@dataclass(slots=True)
class Update:
    """One service in one `pulumi up` or `pulumi preview`."""

    name: str
    settings: ServiceSettings
    plan: ServicePlan
    overrides: Overrides
    data_plane: DataPlane
    journal: Trail
    gates: Sequence[Gate]
    readers: PropertyReaders

    advice: Advice = go_on
    """What to do when the provider fails."""

    changing: set[Color] = field(default_factory=set)
    """Fleets that this update touches, known once their guard has been asked."""

    used: set[OverrideVariable] = field(default_factory=set)
    """Permissions that something was asked about in this update, whether it got through or not."""

    verdicts: list[Verdict] = field(default_factory=list)
    """What the gates have said in this update."""

    deliveries: Sequence[Journal] = ()
    """Who is told of events beside the journal; what fails there is a warning."""

    stack: str = ""
    """Project and stack, for those who read events of several."""

    timeline: Timeline = field(default_factory=Timeline)
    """How long what takes."""

    @property
    def is_rollback(self) -> bool:
        """A rollback was asked for, and its color is as it was: what is proven may skip gates."""
        return self.plan.is_rollback and self.plan.active_color not in self.changing

    def subject(self, color: Color, live: Route | UnreadableTraffic | None) -> Subject:
        """What the gates judge when this color is to get more traffic."""
        fleet = self.plan.fleets[color]
        active = live.active if isinstance(live, Route) else None
        beside = active if active is not color else None
        return Subject(
            color=color,
            release=fleet.release,
            replicas=fleet.replicas,
            endpoint=self.data_plane.pinned_endpoint(color),
            readiness=self.data_plane.readiness,
            live_color=active,
            is_rollback=self.is_rollback,
            capacity_key=fleet.capacity_key,
            service=self.settings.name,
            live_endpoint=self._pinned(beside) if beside else None,
            live_release=self.running_release(beside) if beside else None,
        )

    def _pinned(self, color: Color) -> Endpoint | None:
        try:
            return self.data_plane.pinned_endpoint(color)
        except DataPlaneError:
            return None

    def release_of(self, color: Color) -> str:
        """The release a color is to hold."""
        fleet = self.plan.fleets.get(color)
        return fleet.release if fleet else "nothing"

    def described(self, split: TrafficSplit) -> str:
        """What is wanted, with the releases behind it, for people."""
        return _described(split, self.release_of)

    def described_live(self, live: Route | UnreadableTraffic | None) -> str:
        """What is live, with the releases that run, for people."""
        if live is None:
            return "nothing"
        if isinstance(live, UnreadableTraffic):
            return f"unreadable ({live})"
        return _described(live.split, self._running_release)

    def running_release(self, color: Color) -> str | None:
        """The release that a color runs; None when nobody can say."""
        try:
            return self.data_plane.release(color)
        except DataPlaneError:
            return None

    def _running_release(self, color: Color) -> str:
        try:
            return self.data_plane.release(color) or "without members"
        except DataPlaneError:
            return "of an unknown release"

    def record(
        self,
        kind: EventKind,
        *,
        before: str,
        after: str,
        reason: str,
        from_color: Color | None = None,
    ) -> None:
        """Writes an entry of the audit trail, and tells everybody who wants to know.

        Raises:
            DataPlaneError: The audit trail did not take it; everybody else has been told.
        """
        rollback = self.is_rollback and kind in _MOVES
        event = Event(
            kind=kind,
            at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            by=author(os.environ),
            service=self.name,
            stack=self.stack,
            from_split=before,
            to_split=after,
            from_color=from_color,
            to_color=self.plan.active_color,
            releases={str(color): self.release_of(color) for color in self.plan.fleets},
            verdicts=tuple(_recorded(verdict) for verdict in self.verdicts),
            reason=reason,
            commit=commit(os.environ),
            rollback=rollback,
            trigger=trigger_of(reason) if rollback else None,
            permissions=self._permissions(),
            durations_seconds=self.timeline.seconds(),
        )
        try:
            self.journal.record(event)
        finally:
            self._deliver(event)

    def _permissions(self) -> dict[str, str]:
        """Those that lifted something, with their reasons."""
        used = self.used if self.is_rollback else self.used - {OverrideVariable.ROLLBACK}
        return {str(name): self.overrides.reason(name) for name in sorted(used)}

    def recent_events(self) -> list[Event]:
        """What the audit trail, and the file beside it, still have.

        Raises:
            DataPlaneError: One of them cannot be read.
        """
        copies = [each for each in self.deliveries if isinstance(each, EventFile)]
        return [event for trail in (self.journal, *copies) for event in trail.recent()]

    def _deliver(self, event: Event) -> None:
        for each in self.deliveries:
            try:
                each.record(event)
            except DataPlaneError as error:
                pulumi.log.warn(f"{self.name}: {error}; the update goes on")

    def refuse(self, call: HookCall, error: RolloutError, *, before: str) -> NoReturn:
        """Stops the step; an update also writes down why. A full disk does not hide the reason."""
        if not call.is_preview:
            try:
                self.record(
                    EventKind.REFUSAL,
                    before=before,
                    after=self.described(self.plan.split),
                    reason=str(error),
                )
            except DataPlaneError as not_recorded:
                call.warn(f"{self.name}: {not_recorded}")
        raise error


_MOVES = {EventKind.SWITCH, EventKind.NOT_FOLLOWED}


def _recorded(verdict: Verdict) -> RecordedVerdict:
    return RecordedVerdict(
        gate=verdict.gate,
        passed=verdict.passed,
        reason=verdict.reason,
        value=verdict.value,
        limit=verdict.limit,
        duration_seconds=round(verdict.duration_seconds, 3),
        result=verdict.mark,
    )


def _described(split: TrafficSplit, release_of: Callable[[Color], str]) -> str:
    return ", ".join(f"{share} % {color} {release_of(color)}" for color, share in split if share)
