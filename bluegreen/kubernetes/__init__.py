"""Deployments of Kubernetes behind a Service or an HTTPRoute, as Pulumi components."""

from bluegreen.kubernetes.extra import check_extra

check_extra()

from bluegreen.kubernetes.deployment_fleet import (  # noqa: E402  # would fail without the extra
    DeploymentFleet,
    DeploymentFleetArgs,
)
from bluegreen.kubernetes.deployment_service import (  # noqa: E402
    DeploymentService,
    DeploymentServiceArgs,
)
from bluegreen.kubernetes.http_route_router import HttpRouteRouter  # noqa: E402
from bluegreen.kubernetes.router_args import KubernetesRouterArgs  # noqa: E402
from bluegreen.kubernetes.service_router import ServiceRouter  # noqa: E402

__all__ = [
    "DeploymentFleet",
    "DeploymentFleetArgs",
    "DeploymentService",
    "DeploymentServiceArgs",
    "HttpRouteRouter",
    "KubernetesRouterArgs",
    "ServiceRouter",
]
