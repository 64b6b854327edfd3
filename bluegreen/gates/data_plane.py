"""What the gates may ask the thing that carries the traffic."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bluegreen.colors import Color
from bluegreen.gates.answers import Answer, ask
from bluegreen.gates.gate import Endpoint, Readiness
from bluegreen.traffic import Route, TrafficSplit

__all__ = ["DataPlane", "HttpProduction", "Production"]


class Production(Protocol):
    """The address that clients use, as it can be asked from here."""

    @property
    def name(self) -> str:
        """Who is asked, for people."""

    def answer(self, path: str, timeout_seconds: float) -> Answer:
        """One answer over a connection of its own; raises `UnusableAnswerError` without one."""


@dataclass(frozen=True, slots=True)
class HttpProduction:
    """Production at an address that is reached from where the update runs."""

    endpoint: Endpoint

    @property
    def name(self) -> str:
        """Its address."""
        return self.endpoint.url

    def answer(self, path: str, timeout_seconds: float) -> Answer:
        """Asks it; raises `UnusableAnswerError` without an answer."""
        return ask(self.endpoint, "GET", path, timeout_seconds)


class DataPlane(Protocol):
    """The live side of one service. Every question is answered by asking, never from memory.

    Each method raises `DataPlaneError` when the answer cannot be had.
    """

    def live_route(self) -> Route | None:
        """Who is active and who gets which share of production now; None before the first write.

        Raises `UnreadableTrafficError` when the router says what this library never wrote.
        """

    def readiness(self, color: Color) -> Readiness:
        """How many members of a color are ready, and how many it is meant to have now."""

    def release(self, color: Color) -> str | None:
        """The release that a color's members run now; None when it has no members."""

    def sessions(self, color: Color) -> int | None:
        """Requests a color is working on now; None where they cannot be counted."""

    def pinned_endpoint(self, color: Color) -> Endpoint:
        """The address that reaches this color whatever the roles are."""

    def production(self) -> Production | None:
        """Who can be asked what production answers; None when nobody here can."""

    def control_view(self, wanted: TrafficSplit) -> tuple[bool, str]:
        """Whether traffic follows as far as the router's own side can tell, and what it says.

        Asked after `live_route` has said that `wanted` is written, where production is not asked.
        """

    def last_switch(self) -> datetime | None:
        """When the active flag last changed its color; None when it never did."""

    def flagged(self) -> Color | None:
        """The color that the active flag names; None where there is no readable one."""

    def left_behind(self, color: Color) -> str | None:
        """What stays on a color that has just lost its traffic, for people; None for nothing."""
