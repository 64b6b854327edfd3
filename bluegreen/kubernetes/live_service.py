"""The live side of `ServiceRouter`: what the Service's selector says, and who is behind it."""

from collections.abc import Mapping
from typing import Any

from bluegreen.colors import Color
from bluegreen.errors import UnreadableTrafficError
from bluegreen.kubernetes.cluster import Cluster
from bluegreen.kubernetes.endpoint_slices import slices_of
from bluegreen.kubernetes.members import ready_names
from bluegreen.kubernetes.names import APP_LABEL, COLOR_LABEL, ObjectNames
from bluegreen.kubernetes.service_router import selector_route
from bluegreen.traffic import Route, TrafficSplit

__all__ = ["LiveService"]


class LiveService:
    """Implements `bluegreen.kubernetes.live_router.LiveRouter`."""

    routing_fields = ("spec", "selector", COLOR_LABEL)
    kind = "Service"

    def __init__(self, cluster: Cluster, names: ObjectNames, *, may_adopt: bool) -> None:
        """Looks at one Service.

        Args:
            cluster: Where it is.
            names: What it is called.
            may_adopt: True where only one color exists: a selector from before this library that
                names no color can be taken over then, because it reaches that color only.
        """
        self._cluster = cluster
        self._names = names
        self._may_adopt = may_adopt

    def object(self) -> dict[str, Any] | None:
        """The Service as it is; None before the first write."""
        return self._cluster.get(self._names.core("services", self._names.production))

    def route(self) -> Route | None:
        """Who is active; None before the first write, or where it may be adopted."""
        found = self.object()
        if found is None:
            return None
        selector = found["spec"].get("selector") or {}
        route = selector_route(found)
        if route is not None and selector == self._names.color_labels(route.active):
            return route
        if self._may_adopt and selector == self._names.app_labels():
            return None
        raise UnreadableTrafficError(self._unreadable(selector))

    def follows(self, wanted: TrafficSplit) -> tuple[bool, str]:
        """Whether the Service's endpoints are the wanted color's."""
        color = next(color for color in Color if wanted.share_of(color))
        behind = ready_names(self._slices(self._names.production))
        members = ready_names(self._slices(self._names.of_color(color)))
        name = self._names.production
        if behind and behind == members:
            return True, f"the EndpointSlices of Service {name} list {len(behind)} {color} members"
        return False, (
            f"the EndpointSlices of Service {name} list {len(behind)} members, {color} has "
            f"{len(members)}, and {len(behind & members)} are the same"
        )

    def _slices(self, service: str) -> list[dict[str, Any]]:
        return slices_of(self._cluster, self._names, service)

    def _unreadable(self, selector: Mapping[str, str]) -> str:
        said = ",".join(f"{key}={value}" for key, value in sorted(selector.items())) or "nothing"
        text = f"the selector of Service {self._names.production} is {said}"
        if selector == {APP_LABEL: self._names.service}:
            return f"{text}: it reaches both colors; leave the other color out until it is narrowed"
        return text
