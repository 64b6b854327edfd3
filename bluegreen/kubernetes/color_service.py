"""Services that are no router: each color's own, for ever, and the test endpoint."""

from collections.abc import Sequence

import pulumi
from pulumi_kubernetes.core.v1 import Service

from bluegreen.colors import Color
from bluegreen.kubernetes.names import SKIP_AWAIT, Manifest, ObjectNames
from bluegreen.settings.service import ServiceSettings

__all__ = ["color_service", "service_spec", "test_service"]


def service_spec(settings: ServiceSettings, selector: dict[str, str]) -> Manifest:
    """A Service of the service's port for whoever the selector names.

    The port has no name: one that is adopted keeps its own, by which others refer to it, and
    kube-proxy would take another name for another port, which has no members at first.
    """
    return {
        "type": "ClusterIP",
        "selector": selector,
        "ports": [
            {
                "port": settings.port,
                "targetPort": settings.kubernetes.container_port,
                "protocol": "TCP",
            }
        ],
    }


def color_service(
    resource_name: str,
    settings: ServiceSettings,
    names: ObjectNames,
    color: Color,
    opts: pulumi.ResourceOptions,
) -> Service:
    """The anchor of one color: its color-pinned address, whatever the roles are."""
    return Service(
        resource_name,
        metadata={
            "name": names.of_color(color),
            "namespace": names.namespace,
            "labels": names.color_labels(color),
            "annotations": SKIP_AWAIT,
        },
        spec=service_spec(settings, names.color_labels(color)),
        opts=opts,
    )


def test_service(
    resource_name: str,
    settings: ServiceSettings,
    names: ObjectNames,
    idle: Color,
    after: Sequence[pulumi.Resource],
    opts: pulumi.ResourceOptions,
) -> Service:
    """Reaches the idle color. A follower: kube-proxy takes a second longer for two changes."""
    return Service(
        resource_name,
        metadata={
            "name": names.test,
            "namespace": names.namespace,
            "labels": names.app_labels(),
            "annotations": SKIP_AWAIT,
        },
        spec=service_spec(settings, names.color_labels(idle)),
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=list(after))),
    )
