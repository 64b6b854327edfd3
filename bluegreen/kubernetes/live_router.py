"""What the data plane and the guards ask a router's own object in the cluster."""

from typing import Any, Protocol

from bluegreen.traffic import Route, TrafficSplit

__all__ = ["LiveRouter"]


class LiveRouter(Protocol):
    """The object that moves production traffic, as it is in the cluster now.

    Each method raises `DataPlaneError` when the API server gives no usable answer.
    """

    @property
    def kind(self) -> str:
        """Its kind, for people."""

    @property
    def routing_fields(self) -> tuple[str, ...]:
        """The path of the field that says where traffic goes."""

    def object(self) -> dict[str, Any] | None:
        """The object; None before the first write."""

    def route(self) -> Route | None:
        """Who is active and who gets which share; None before the first write.

        Raises `UnreadableTrafficError` when it says what this library never wrote.
        """

    def follows(self, wanted: TrafficSplit) -> tuple[bool, str]:
        """Whether what is behind the object goes by `wanted` as far as the API can tell."""
