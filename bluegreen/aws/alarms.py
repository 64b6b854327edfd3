"""CloudWatch alarms of one color: made for both, whatever their roles are."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from bluegreen.aws.names import AwsNames
from bluegreen.colors import Color
from bluegreen.naming import child_name
from bluegreen.settings.aws import AlarmSettings

__all__ = ["balancer_suffix", "color_alarms"]

_NAMESPACE = "AWS/ApplicationELB"
_MINUTE = 60


def color_alarms(
    name: str,
    names: AwsNames,
    color: Color,
    settings: AlarmSettings,
    load_balancer_arn: pulumi.Input[str],
    target_group: aws.lb.TargetGroup,
    opts: pulumi.ResourceOptions,
) -> list[aws.cloudwatch.MetricAlarm]:
    """Errors, slow answers and unhealthy members.

    Args:
        name: The color's name; the alarms' own names begin with it.
        names: Whose they are.
        color: Of which color.
        settings: When they go off.
        load_balancer_arn: The load balancer that measures.
        target_group: The color's target group.
        opts: Options of the resources.
    """
    dimensions = {
        "LoadBalancer": pulumi.Output.from_input(load_balancer_arn).apply(balancer_suffix),
        "TargetGroup": target_group.arn_suffix,
    }
    return [
        aws.cloudwatch.MetricAlarm(
            child_name(name, role),
            namespace=_NAMESPACE,
            dimensions=dimensions,
            period=_MINUTE,
            evaluation_periods=settings.minutes,
            # A color without traffic has no figures, and nothing wrong with it.
            treat_missing_data="notBreaching",
            alarm_description=f"{names.service}, {color}: {role}",
            alarm_actions=list(settings.topic_arns),
            ok_actions=list(settings.topic_arns),
            tags=names.color_tags(color),
            opts=opts,
            **measured,
        )
        for role, measured in _measured(settings).items()
    ]


def balancer_suffix(arn: str) -> str:
    """How CloudWatch calls a load balancer: `app/shop/50dc6c495c0c9188`."""
    return arn.partition(":loadbalancer/")[2]


def _measured(settings: AlarmSettings) -> Mapping[str, dict[str, Any]]:
    return {
        "5xx": {
            "metric_name": "HTTPCode_Target_5XX_Count",
            "statistic": "Sum",
            "comparison_operator": "GreaterThanOrEqualToThreshold",
            "threshold": settings.target_5xx_per_minute,
        },
        "p99": {
            "metric_name": "TargetResponseTime",
            "extended_statistic": "p99",
            "comparison_operator": "GreaterThanThreshold",
            "threshold": settings.p99_seconds,
        },
        "unhealthy": {
            "metric_name": "UnHealthyHostCount",
            "statistic": "Maximum",
            "comparison_operator": "GreaterThanOrEqualToThreshold",
            "threshold": settings.unhealthy_hosts,
        },
    }
