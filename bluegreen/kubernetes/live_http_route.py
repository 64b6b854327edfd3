"""The live side of `HttpRouteRouter`: its weights, and what the gateway says about them."""

from collections.abc import Iterator, Mapping
from typing import Any

from bluegreen.colors import Color
from bluegreen.errors import UnreadableTrafficError
from bluegreen.kubernetes.cluster import Cluster
from bluegreen.kubernetes.http_route_router import API_VERSION, weights_route
from bluegreen.kubernetes.names import ACTIVE, ObjectNames
from bluegreen.traffic import Route, TrafficSplit

__all__ = ["LiveHttpRoute"]


class LiveHttpRoute:
    """Implements `bluegreen.kubernetes.live_router.LiveRouter`."""

    routing_fields = ("spec", "rules")
    kind = "HTTPRoute"

    def __init__(self, cluster: Cluster, names: ObjectNames) -> None:
        self._cluster = cluster
        self._names = names

    def object(self) -> dict[str, Any] | None:
        """The HTTPRoute as it is; None before the first write."""
        path = self._names.group(API_VERSION, "httproutes", self._names.production)
        return self._cluster.get(path)

    def route(self) -> Route | None:
        """Who is active and who gets which share; None before the first write."""
        found = self.object()
        if found is None:
            return None
        route = weights_route(found)
        if route is None:
            raise UnreadableTrafficError(self._unreadable(found))
        return route

    def follows(self, wanted: TrafficSplit) -> tuple[bool, str]:
        """Whether a gateway has taken over what is written now."""
        found = self.object()
        if found is None:
            return False, f"HTTPRoute {self._names.production} is not there"
        parents = (found.get("status") or {}).get("parents") or []
        if not parents:
            return False, f"no gateway has looked at HTTPRoute {self._names.production} yet"
        problems = dict.fromkeys(text for parent in parents for text in _problems(found, parent))
        if problems:
            return False, f"HTTPRoute {self._names.production}: {'; '.join(problems)}"
        accepted = f"{len(parents)} gateways" if len(parents) > 1 else "the gateway"
        return True, f"{accepted} accepted HTTPRoute {self._names.production} with {wanted}"

    def _unreadable(self, found: Mapping[str, Any]) -> str:
        text = f"HTTPRoute {self._names.production}"
        active = (found["metadata"].get("annotations") or {}).get(ACTIVE)
        if active not in set(Color):
            return f"{text} names no active color in its annotation {ACTIVE}"
        services = " and ".join(self._names.of_color(color) for color in Color)
        return f"{text} does not share all traffic between the Services {services}"


def _problems(route: Mapping[str, Any], parent: Mapping[str, Any]) -> Iterator[str]:
    name = parent["parentRef"]["name"]
    conditions = {each["type"]: each for each in parent.get("conditions") or []}
    for kind in ("Accepted", "ResolvedRefs"):
        condition = conditions.get(kind)
        if condition is None:
            yield f"gateway {name} does not say {kind}"
        elif condition.get("observedGeneration", 0) < route["metadata"]["generation"]:
            yield f"gateway {name} has not looked at the last change yet"
        elif condition["status"] != "True":
            yield f"gateway {name} says {condition.get('reason')}: {condition.get('message', '')}"
