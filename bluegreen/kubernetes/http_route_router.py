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
    """Reads an HTTPRoute's properties; None when it does not split two colors, and nothing else."""
    metadata = properties.get("metadata") or {}
    active = (metadata.get("annotations") or {}).get(ACTIVE)
    *pinned, production = (properties.get("spec") or {}).get("rules") or [{}]
    split = _split(metadata.get("name", ""), production.get("backendRefs") or [])
    if active not in set(Color) or split is None or not all(map(_needs_a_header, pinned)):
        return None
    return Route(Color(active), split)


def _split(service: str, backends: list[Mapping[str, Any]]) -> TrafficSplit | None:
    # Without a weight it counts 1 (Gateway API v1).
    weights = {backend.get("name"): int(backend.get("weight", 1)) for backend in backends}
    names = {color: child_name(service, color) for color in Color}
    if len(backends) != len(Color) or set(weights) != set(names.values()):
        return None
    blue, green = weights[names[Color.BLUE]], weights[names[Color.GREEN]]
    if blue + green <= 0:
        return None
    share = round(100 * blue / (blue + green))
    if blue and green:
        # However little it is, it is a share: nobody may take its members away.
        share = min(max(share, 1), 99)
    return TrafficSplit(blue=share, green=100 - share)


def _needs_a_header(rule: Mapping[str, Any]) -> bool:
    """Rules before production's are for those who ask for one color; all else would go astray."""
    matches = rule.get("matches") or [{}]
    return all(match.get("headers") for match in matches)
