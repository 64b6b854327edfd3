"""Auto Scaling groups behind an Application Load Balancer, as Pulumi components."""

from bluegreen.aws.extra import check_extra

check_extra()

from bluegreen.aws.alb_router import (  # noqa: E402  # would fail without the extra
    AlbRouter,
    AlbRouterArgs,
)
from bluegreen.aws.asg_fleet import AsgFleet, AsgFleetArgs  # noqa: E402
from bluegreen.aws.asg_service import AsgService, AsgServiceArgs  # noqa: E402
from bluegreen.aws.assumed_role import AssumedRole  # noqa: E402

__all__ = [
    "AlbRouter",
    "AlbRouterArgs",
    "AsgFleet",
    "AsgFleetArgs",
    "AsgService",
    "AsgServiceArgs",
    "AssumedRole",
]
