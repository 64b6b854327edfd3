"""The anchors of the router: each color's target group, there before and after everything else."""

import math

import pulumi
import pulumi_aws as aws

from bluegreen.aws.names import AwsNames
from bluegreen.colors import Color
from bluegreen.settings.service import ServiceSettings

__all__ = ["target_group"]


def target_group(
    resource_name: str,
    settings: ServiceSettings,
    names: AwsNames,
    color: Color,
    vpc_id: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> aws.lb.TargetGroup:
    """Never with a name of its own: one that is in use cannot be made anew under the same name."""
    check = settings.health_check
    return aws.lb.TargetGroup(
        resource_name,
        vpc_id=vpc_id,
        port=settings.aws.target_port,
        protocol="HTTP",
        target_type="instance",
        deregistration_delay=math.ceil(settings.drain.timeout_seconds),
        health_check=aws.lb.TargetGroupHealthCheckArgs(
            path=check.path,
            protocol="HTTP",
            port="traffic-port",
            matcher="200",
            interval=int(check.interval_seconds),
            timeout=int(check.timeout_seconds),
            healthy_threshold=check.healthy_threshold,
            unhealthy_threshold=check.unhealthy_threshold,
        ),
        tags=names.color_tags(color),
        opts=opts,
    )
