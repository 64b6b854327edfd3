"""The test endpoint: a listener that reaches each color by a header, and the idle one without.

It is made first and never changes with the roles. Only the pointer to the idle color follows them,
as a rule of its own, after production has moved.
"""

import re
from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from bluegreen.aws.alb_router import in_time, listener_tls
from bluegreen.aws.endpoints import PIN_HEADER
from bluegreen.aws.names import AwsNames
from bluegreen.colors import Color
from bluegreen.naming import child_name
from bluegreen.settings.service import ServiceSettings

__all__ = ["pinned_rule", "pointer_rule", "redirect_listener", "test_listener", "test_openings"]

_NOBODY = "no release has been deployed to the idle color yet"
_PRIORITIES: Mapping[Color, int] = {Color.BLUE: 1, Color.GREEN: 2}
_POINTER_PRIORITY = 1000


def test_listener(
    resource_name: str,
    settings: ServiceSettings,
    names: AwsNames,
    load_balancer_arn: pulumi.Input[str],
    certificate_arn: pulumi.Input[str] | None,
    opts: pulumi.ResourceOptions,
) -> aws.lb.Listener:
    """Answers 503 by itself: what reaches a color are its rules."""
    return aws.lb.Listener(
        resource_name,
        load_balancer_arn=load_balancer_arn,
        port=settings.aws.test_port,
        default_actions=[
            aws.lb.ListenerDefaultActionArgs(
                type="fixed-response",
                fixed_response=aws.lb.ListenerDefaultActionFixedResponseArgs(
                    content_type="text/plain", status_code="503", message_body=_NOBODY
                ),
            )
        ],
        tags=names.service_tags(),
        opts=in_time(opts),
        **listener_tls(settings, certificate_arn),
    )


def pinned_rule(
    resource_name: str,
    names: AwsNames,
    color: Color,
    listener: aws.lb.Listener,
    target_group: aws.lb.TargetGroup,
    opts: pulumi.ResourceOptions,
) -> aws.lb.ListenerRule:
    """Reaches one color by its name in a header, for ever: what the gates ask."""
    condition = aws.lb.ListenerRuleConditionArgs(
        http_header=aws.lb.ListenerRuleConditionHttpHeaderArgs(
            http_header_name=PIN_HEADER, values=[str(color)]
        )
    )
    return aws.lb.ListenerRule(
        resource_name,
        listener_arn=listener.arn,
        priority=_PRIORITIES[color],
        actions=[_forward(target_group)],
        conditions=[condition],
        tags=names.color_tags(color),
        opts=opts,
    )


def pointer_rule(
    resource_name: str,
    names: AwsNames,
    listener: aws.lb.Listener,
    target_group: aws.lb.TargetGroup,
    opts: pulumi.ResourceOptions,
) -> aws.lb.ListenerRule:
    """Reaches the idle color. A follower, so never in the same instant as production."""
    condition = aws.lb.ListenerRuleConditionArgs(
        path_pattern=aws.lb.ListenerRuleConditionPathPatternArgs(values=["*"])
    )
    return aws.lb.ListenerRule(
        resource_name,
        listener_arn=listener.arn,
        priority=_POINTER_PRIORITY,
        actions=[_forward(target_group)],
        conditions=[condition],
        tags=names.service_tags(),
        opts=opts,
    )


def _forward(target_group: aws.lb.TargetGroup) -> aws.lb.ListenerRuleActionArgs:
    return aws.lb.ListenerRuleActionArgs(type="forward", target_group_arn=target_group.arn)


def test_openings(
    name: str,
    settings: ServiceSettings,
    names: AwsNames,
    opts: pulumi.ResourceOptions,
) -> list[pulumi.Resource]:
    """Whom the load balancer lets in to the test listener: nobody but who is written down.

    One for each range and not one for all: another range replaces it, and the others stay open.
    """
    group = settings.aws.load_balancer_security_group_id
    if group is None:
        return []
    port = settings.aws.test_port
    return [
        aws.vpc.SecurityGroupIngressRule(
            child_name(name, f"test-from-{re.sub('[.:/]', '-', range_)}"),
            security_group_id=group,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description=f"test endpoint of {names.service}",
            tags=names.service_tags(),
            opts=opts,
            **({"cidr_ipv6": range_} if ":" in range_ else {"cidr_ipv4": range_}),
        )
        for range_ in settings.aws.test_allowed_cidrs
    ]


def redirect_listener(
    resource_name: str,
    settings: ServiceSettings,
    names: AwsNames,
    load_balancer_arn: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> aws.lb.Listener:
    """Sends clients of port 80 to production."""
    redirect = aws.lb.ListenerDefaultActionRedirectArgs(
        port=str(settings.port), protocol="HTTPS", status_code="HTTP_301"
    )
    return aws.lb.Listener(
        resource_name,
        load_balancer_arn=load_balancer_arn,
        port=80,
        protocol="HTTP",
        default_actions=[aws.lb.ListenerDefaultActionArgs(type="redirect", redirect=redirect)],
        tags=names.service_tags(),
        opts=opts,
    )
