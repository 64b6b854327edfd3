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
from bluegreen.kubernetes.service_router import (  # noqa: E402
    ServiceRouter,
    ServiceRouterArgs,
)

__all__ = [
    "DeploymentFleet",
    "DeploymentFleetArgs",
    "DeploymentService",
    "DeploymentServiceArgs",
    "ServiceRouter",
    "ServiceRouterArgs",
]
