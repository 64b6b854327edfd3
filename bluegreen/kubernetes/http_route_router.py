"""Moves production traffic by the weights of one HTTPRoute of the Gateway API."""

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from bluegreen.colors import Color
from bluegreen.kubernetes.names import ACTIVE, SKIP_AWAIT, Manifest, ObjectNames
from bluegreen.kubernetes.router_args import TAKE_OVER, KubernetesRouterArgs
from bluegreen.naming import child_name
from bluegreen.settings.kubernetes import GatewaySettings
from bluegreen.settings.service import ServiceSettings
from bluegreen.traffic import Route, TrafficSplit

__all__ = ["API_VERSION", "GUARANTEE", "HttpRouteRouter", "route_spec", "weights_route"]

API_VERSION = "gateway.networking.k8s.io/v1"
GUARANTEE = "single write"
"""The guarantee class: the weights of one rule of one object."""


class HttpRouteRouter(pulumi.ComponentResource):
    """Production traffic of one service behind a Gateway.

    Guarantee class: *single write*: one HTTPRoute, which always names both colors' Services. The
    gateway follows by itself, and routes requests: kept connections follow too. How fast, and
    whether at the same moment in all of its instances, is the gateway's own.
    """

    active_color: pulumi.Output[str]
    """The active color, as written."""

    guarantee: pulumi.Output[str]
    """The guarantee class."""

    def __init__(
        self, name: str, args: KubernetesRouterArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("bluegreen:index:HttpRouteRouter", name, {}, opts)
        names = args.names
        metadata: Manifest = {
            "name": names.production,
            "namespace": names.namespace,
            "labels": names.app_labels(),
            # In the same write: a canary may have more than half of the traffic.
            "annotations": SKIP_AWAIT | TAKE_OVER | {ACTIVE: str(args.route.active)},
        }
        self.route = CustomResource(
            child_name(name, "route"),
            api_version=API_VERSION,
            kind="HTTPRoute",
            metadata=metadata,
            spec=route_spec(args.settings, names, args.route),
            opts=pulumi.ResourceOptions(parent=self, hooks=args.hooks, depends_on=list(args.after)),
        )
        # The SDK sets what its class does not declare.
        written: pulumi.Output[Any] = vars(self.route)["metadata"]
        self.active_color = written.apply(lambda metadata: metadata["annotations"][ACTIVE])
        # Known once the write is: a constant would be told even when it was refused.
        self.guarantee = self.active_color.apply(lambda _: GUARANTEE)
        self.register_outputs({"active_color": self.active_color, "guarantee": self.guarantee})


def route_spec(settings: ServiceSettings, names: ObjectNames, route: Route) -> Manifest:
    """The specification of the HTTPRoute; the last rule is production."""
    gateway = settings.kubernetes.gateway
    if gateway is None:
        msg = "an HTTPRoute needs service.kubernetes.gateway"
        raise ValueError(msg)
    production = {
        "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
        "backendRefs": [
            _backend(settings, names, color, weight=share) for color, share in route.split
        ],
    }
    return {
        "parentRefs": [_parent(gateway)],
        **({"hostnames": list(gateway.hostnames)} if gateway.hostnames else {}),
        "rules": [*_pinned(settings, names, gateway), production],
    }


def _parent(gateway: GatewaySettings) -> dict[str, str]:
    parent = {"name": gateway.name}
    if gateway.namespace is not None:
        parent["namespace"] = gateway.namespace
    if gateway.section_name is not None:
        parent["sectionName"] = gateway.section_name
    return parent


def _pinned(
    settings: ServiceSettings, names: ObjectNames, gateway: GatewaySettings
) -> list[dict[str, Any]]:
    """A rule for each color that never changes, where somebody asked for the header."""
    if gateway.pin_header is None:
        return []
    return [
        {
            "matches": [{"headers": [{"name": gateway.pin_header, "value": str(color)}]}],
            "backendRefs": [_backend(settings, names, color, weight=1)],
        }
        for color in Color
    ]


def _backend(
    settings: ServiceSettings, names: ObjectNames, color: Color, *, weight: int
) -> dict[str, Any]:
    return {"name": names.of_color(color), "port": settings.port, "weight": weight}


def weights_route(properties: Mapping[str, Any]) -> Route | None:
    """Reads an HTTPRoute's properties; None when its last rule does not split two colors."""
    annotations = (properties.get("metadata") or {}).get("annotations") or {}
    active = annotations.get(ACTIVE)
    rules = (properties.get("spec") or {}).get("rules") or [{}]
    weights = _weights(rules[-1].get("backendRefs") or [])
    total = sum(weights.values())
    if active not in set(Color) or set(weights) != set(Color) or total <= 0:
        return None
    blue = round(100 * weights[Color.BLUE] / total)
    return Route(Color(active), TrafficSplit(blue=blue, green=100 - blue))


def _weights(backends: list[Mapping[str, Any]]) -> dict[Color, int]:
    found: dict[Color, int] = {}
    for backend in backends:
        color = str(backend.get("name", "")).rpartition("-")[2]
        if color in set(Color):
            # Without a weight it counts 1 (Gateway API v1).
            found[Color(color)] = int(backend.get("weight", 1))
    return found if len(found) == len(backends) else {}
