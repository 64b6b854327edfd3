"""What the hooks of one service share during one update."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NoReturn

from bluegreen.colors import Color
from bluegreen.contract import OverrideVariable
from bluegreen.errors import DataPlaneError, RolloutError
from bluegreen.events import Event, EventKind, Journal, author, commit
from bluegreen.gate_hooks.failure import Advice, go_on
from bluegreen.gate_hooks.hook import HookCall
from bluegreen.gates.data_plane import DataPlane
from bluegreen.gates.gate import Gate, Verdict
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
    journal: Journal
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

    @property
    def is_rollback(self) -> bool:
        """A rollback was asked for, and its color is as it was: what is proven may skip gates."""
        return self.plan.is_rollback and self.plan.active_color not in self.changing

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

    def _running_release(self, color: Color) -> str:
        try:
            return self.data_plane.release(color) or "without members"
        except DataPlaneError:
            return "of an unknown release"

    def record(
        self, kind: EventKind, *, before: str, after: str, reason: str, **details: str
    ) -> None:
        """Writes an entry of the audit trail."""
        self.journal.record(
            Event(
                kind=kind,
                at=datetime.now(UTC).isoformat(timespec="milliseconds"),
                by=author(os.environ),
                service=self.name,
                from_split=before,
                to_split=after,
                releases={str(color): self.release_of(color) for color in self.plan.fleets},
                verdicts=tuple(str(verdict) for verdict in self.verdicts),
                reason=reason,
                commit=commit(os.environ),
                details=details,
            )
        )

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


def _described(split: TrafficSplit, release_of: Callable[[Color], str]) -> str:
    return ", ".join(f"{share} % {color} {release_of(color)}" for color, share in split if share)
