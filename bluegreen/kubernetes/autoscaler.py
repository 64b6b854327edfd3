"""Lets a color's number of members follow its load: a HorizontalPodAutoscaler."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pulumi

from bluegreen.colors import Color
from bluegreen.kubernetes.names import AUTOSCALED, Manifest, ObjectNames
from bluegreen.settings.kubernetes import AutoscalingSettings

if TYPE_CHECKING:
    from pulumi_kubernetes.autoscaling.v2 import HorizontalPodAutoscaler

__all__ = ["autoscaled_bounds", "autoscaler", "bounds_annotation"]

_BEHAVIOR: Manifest = {
    # A color that has just been given traffic is to grow at once, and not to shrink on a lull.
    "scaleUp": {
        "stabilizationWindowSeconds": 0,
        "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
    },
    "scaleDown": {
        "stabilizationWindowSeconds": 300,
        "policies": [{"type": "Percent", "value": 10, "periodSeconds": 60}],
    },
}


def autoscaler(
    resource_name: str,
    names: ObjectNames,
    color: Color,
    settings: AutoscalingSettings,
    opts: pulumi.ResourceOptions,
) -> "HorizontalPodAutoscaler":
    """Owns the number of members of one color's Deployment, in both roles."""
    # A group of its own, which costs those nothing who have no autoscaler.
    from pulumi_kubernetes.autoscaling.v2 import HorizontalPodAutoscaler  # noqa: PLC0415

    name = names.of_color(color)
    utilization = {"type": "Utilization", "averageUtilization": settings.cpu_percent}
    spec: Manifest = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        "minReplicas": settings.min_replicas,
        "maxReplicas": settings.max_replicas,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": utilization}}],
        "behavior": _BEHAVIOR,
    }
    return HorizontalPodAutoscaler(
        resource_name,
        metadata={
            "name": name,
            "namespace": names.namespace,
            "labels": names.color_labels(color),
        },
        spec=spec,
        opts=opts,
    )


def bounds_annotation(settings: AutoscalingSettings) -> dict[str, str]:
    """What a Deployment says when an autoscaler owns its replicas."""
    return {AUTOSCALED: f"{settings.min_replicas}-{settings.max_replicas}"}


def autoscaled_bounds(annotations: Mapping[str, str]) -> tuple[int, int] | None:
    """The fewest and the most members of a Deployment; None where the program owns the number."""
    least, _, most = annotations.get(AUTOSCALED, "").partition("-")
    return (int(least), int(most)) if least.isdecimal() and most.isdecimal() else None
