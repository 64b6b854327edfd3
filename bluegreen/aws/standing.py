"""What a service on AWS stands on, as properties of its component: a change of any is looked at."""

from collections.abc import Mapping
from typing import Any

import pulumi

from bluegreen.aws.ground import Ground
from bluegreen.aws.launch import image_of
from bluegreen.aws.names import AwsNames
from bluegreen.plan import ServicePlan
from bluegreen.settings.aws import ListenerProtocol
from bluegreen.settings.service import ServiceSettings

__all__ = ["place_of", "standing_of"]


def place_of(settings: ServiceSettings, ground: Ground) -> dict[str, pulumi.Input[str]]:
    """What would make target groups or listeners anew while they are in use."""
    rule = settings.aws.rule
    router = f"listener on port {settings.port}" if rule is None else f"rule of {rule.listener_arn}"
    return {
        "load_balancer": ground.load_balancer_arn,
        "router": router,
        "service": settings.name,
        "target_port": str(settings.aws.target_port),
        "vpc": ground.vpc_id,
    }


def standing_of(
    settings: ServiceSettings, plan: ServicePlan, names: AwsNames, ground: Ground
) -> Mapping[str, pulumi.Input[Any]]:
    """What somebody else made, and the names that have to be free; see `GroundGuard`.

    None of it changes with a release, a switch or a number of members.
    """
    aws = settings.aws
    is_https = aws.protocol is ListenerProtocol.HTTPS
    found: dict[str, pulumi.Input[Any] | None] = {
        "certificate": ground.certificate_arn,
        "flag": names.flag,
        "instance_profile": aws.instance_profile,
        "instance_type": aws.instance_type,
        "load_balancer_group": aws.load_balancer_security_group_id,
        "log_group": names.log_group if aws.events_log_group is None else None,
        "members_groups": list(aws.instance_security_group_ids) or None,
        "production_port": settings.port if aws.rule is None else None,
        "redirect_port": 80 if aws.redirect_http else None,
        "rule_listener": aws.rule.listener_arn if aws.rule else None,
        "rule_priority": aws.rule.priority if aws.rule else None,
        "subnets": ground.subnet_ids,
        "test_port": aws.test_port,
        "tls_policy": aws.ssl_policy if is_https else None,
        "users_log_group": aws.events_log_group,
        **{f"{color}_image": image_of(fleet, settings) for color, fleet in plan.fleets.items()},
    }
    return {name: value for name, value in found.items() if value is not None}
