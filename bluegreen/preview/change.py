"""What a preview does to one service, in this library's words. Plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bluegreen.colors import Color
from bluegreen.preview.document import Op
from bluegreen.preview.fleets import Fleet
from bluegreen.preview.messages import ServiceSaid
from bluegreen.traffic import Route, TrafficSplit

__all__ = ["FleetChange", "RouterChange", "ServiceChange"]


@dataclass(frozen=True, slots=True)
class FleetChange:
    """One color's members, before and after."""

    op: Op
    before: Fleet | None
    after: Fleet | None
    is_other: bool = False
    """Members are replaced: another release, or the same one started differently."""

    is_unclear: bool = False
    """They are updated, and what changes is secret, or was changed by hand."""

    @property
    def is_new_release(self) -> bool:
        """True when the color is to hold another release than before."""
        return (
            self.before is not None
            and self.after is not None
            and self.before.release != self.after.release
        )

    @property
    def is_made(self) -> bool:
        """True when the color has been empty."""
        return self.before is None and self.after is not None

    @property
    def is_removed(self) -> bool:
        """True when the color is to be empty."""
        return self.before is not None and self.after is None

    @property
    def grows(self) -> bool:
        """True when it is to have more members."""
        sizes = self._sizes
        return sizes is not None and sizes[1] > sizes[0]

    @property
    def shrinks(self) -> bool:
        """True when it is to have fewer members."""
        sizes = self._sizes
        return sizes is not None and sizes[1] < sizes[0]

    @property
    def _sizes(self) -> tuple[int, int] | None:
        if self.before is None or self.after is None:
            return None
        before, after = self.before.replicas, self.after.replicas
        return None if before is None or after is None else (before, after)


@dataclass(frozen=True, slots=True)
class RouterChange:
    """What moves production traffic, before and after."""

    op: Op
    kind: str
    """Its type, as people say it."""

    before: Route | None
    after: Route | None
    is_readable: bool = True
    """False when its routing changes, and it does not say between which colors."""


@dataclass(frozen=True, slots=True)
class ServiceChange:
    """One service: its router, its colors, and what its gates said."""

    name: str
    router: RouterChange | None
    """None when the preview did not get so far."""

    fleets: Mapping[Color, FleetChange]
    said: ServiceSaid = field(default_factory=ServiceSaid)
    known_active: Color | None = None
    """What the stack's outputs say about now."""

    known_releases: Mapping[Color, str] = field(default_factory=dict)

    @property
    def before(self) -> TrafficSplit | None:
        """Who has traffic now: as a hook saw it live, else as the last update left it."""
        if self.said.is_there_already:
            return self.after
        if self.said.before is not None or self.said.is_unreadable:
            return self.said.before
        if self.router is not None:
            return self.router.before.split if self.router.before else None
        return TrafficSplit.all_to(self.known_active) if self.known_active else None

    @property
    def after(self) -> TrafficSplit | None:
        """Who is to have traffic."""
        if self.router is None:
            return self.before
        return self.router.after.split if self.router.after else None

    @property
    def active_before(self) -> Color | None:
        """The active color of now."""
        recorded = self.router.before.active if self.router and self.router.before else None
        before = self.before
        if before is not None and len(before.colors) == 1:
            (only,) = before.colors
            return only
        return recorded or self.known_active

    @property
    def active_after(self) -> Color | None:
        """The color that is to be active."""
        if self.router is None:
            return self.active_before
        return self.router.after.active if self.router.after else None

    def release_before(self, color: Color) -> str | None:
        """The release in a color now."""
        change = self.fleets.get(color)
        found = change.before.release if change and change.before else None
        return found or self.known_releases.get(color)

    def release_after(self, color: Color) -> str | None:
        """The release that a color is to hold."""
        change = self.fleets.get(color)
        if change is None:
            return self.known_releases.get(color)
        return change.after.release if change.after else None

    def share_before(self, color: Color) -> int:
        """A color's share of production now."""
        return self.before.share_of(color) if self.before else 0

    def share_after(self, color: Color) -> int:
        """The share that a color is to have."""
        return self.after.share_of(color) if self.after else 0
