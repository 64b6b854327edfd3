"""What the gates may ask the thing that carries the traffic."""

from datetime import datetime
from typing import Protocol

from bluegreen.colors import Color
from bluegreen.gates.gate import Endpoint, Readiness
from bluegreen.traffic import Route

__all__ = ["DataPlane"]


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

    def production_endpoint(self) -> Endpoint:
        """The address that clients use."""

    def last_switch(self) -> datetime | None:
        """When the active flag last changed its color; None when it never did."""
