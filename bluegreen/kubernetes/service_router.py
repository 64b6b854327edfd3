"""Moves production traffic by the selector of one Service."""

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi_kubernetes.core.v1 import Service

from bluegreen.colors import Color
from bluegreen.kubernetes.color_service import service_spec
from bluegreen.kubernetes.names import COLOR_LABEL, SKIP_AWAIT, Manifest
from bluegreen.kubernetes.router_args import TAKE_OVER, KubernetesRouterArgs
from bluegreen.naming import child_name
from bluegreen.traffic import Route, TrafficSplit

__all__ = ["GUARANTEE", "ServiceRouter", "selector_route"]

GUARANTEE = "single write"
"""The guarantee class: one selector of one object."""


class ServiceRouter(pulumi.ComponentResource):
    """Production traffic of one service behind a Service of Kubernetes.

    Guarantee class: *single write*, the selector. kube-proxy on every node follows by itself, new
    connections at once to a second later; connections that clients keep open stay on the old
    color's members until those end. Cannot split traffic: for a canary use `HttpRouteRouter`.
    """

    active_color: pulumi.Output[str]
    """The active color, as written."""

    guarantee: pulumi.Output[str]
    """The guarantee class."""

    def __init__(
        self, name: str, args: KubernetesRouterArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("bluegreen:index:ServiceRouter", name, {}, opts)
        names = args.names
        metadata: Manifest = {
            "name": names.production,
            "namespace": names.namespace,
            "labels": names.app_labels(),
            "annotations": SKIP_AWAIT | TAKE_OVER,
        }
        self.route = Service(
            child_name(name, "route"),
            metadata=metadata,
            spec=service_spec(args.settings, names.color_labels(args.route.active)),
            opts=pulumi.ResourceOptions(parent=self, hooks=args.hooks, depends_on=list(args.after)),
        )
        self.active_color = self.route.spec.selector.apply(lambda selector: selector[COLOR_LABEL])
        # Known once the write is: a constant would be told even when it was refused.
        self.guarantee = self.active_color.apply(lambda _: GUARANTEE)
        self.register_outputs({"active_color": self.active_color, "guarantee": self.guarantee})


def selector_route(properties: Mapping[str, Any]) -> Route | None:
    """Reads a Service's properties; None when its selector names no color."""
    selector = (properties.get("spec") or {}).get("selector") or {}
    color = selector.get(COLOR_LABEL)
    if color not in set(Color):
        return None
    return Route(Color(color), TrafficSplit.all_to(Color(color)))
