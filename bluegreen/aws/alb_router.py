"""Moves production traffic by the weights of one listener, or of one rule, of a load balancer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from bluegreen.aws.names import AwsNames
from bluegreen.aws.weights import route_of, weights_of
from bluegreen.colors import Color
from bluegreen.naming import child_name
from bluegreen.settings.aws import ListenerProtocol, ListenerRuleSettings
from bluegreen.settings.service import ServiceSettings
from bluegreen.traffic import Route

__all__ = ["GUARANTEE", "AlbRouter", "AlbRouterArgs", "in_time", "listener_tls"]

GUARANTEE = "single write"
"""The guarantee class: the weights of one action of one listener or rule."""


@dataclass(frozen=True, kw_only=True)
class AlbRouterArgs:
    """Inputs of `AlbRouter`."""

    settings: ServiceSettings
    """The service whose traffic it is."""

    names: AwsNames
    """Its tags."""

    route: Route
    """Who is to be active, and who is to get which share."""

    load_balancer_arn: pulumi.Input[str]
    """The load balancer; not read with `service.aws.rule`, whose listener is on it."""

    target_group_arns: Mapping[Color, pulumi.Input[str]]
    """Each color's target group: both are referred to for ever."""

    certificate_arn: pulumi.Input[str] | None = None
    """Certificate of a listener that speaks HTTPS."""

    hooks: pulumi.ResourceHookBinding | None = None
    """Gates, from `ServiceHooks.router()`; without them the write is not judged."""

    after: Sequence[pulumi.Resource] = ()
    """What must be ready before the write: the members of every color with a share."""


class AlbRouter(pulumi.ComponentResource):
    """Production traffic of one service behind an Application Load Balancer.

    Guarantee class: *single write*: one forward action with both colors' target groups. The load
    balancer's nodes follow by themselves within seconds, and route requests: kept connections
    follow, too, but those that were upgraded (WebSockets) stay until they end.
    """

    active_color: pulumi.Output[str]
    """The active color, as written."""

    guarantee: pulumi.Output[str]
    """The guarantee class."""

    def __init__(
        self, name: str, args: AlbRouterArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("bluegreen:index:AlbRouter", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self, hooks=args.hooks, depends_on=list(args.after))
        rule = args.settings.aws.rule
        resource_name = child_name(name, "route")
        self.route: aws.lb.Listener | aws.lb.ListenerRule
        actions: pulumi.Output[Any]
        if rule is None:
            self.route = _listener(resource_name, args, child)
            actions = self.route.default_actions
        else:
            self.route = _rule(resource_name, args, rule, child)
            actions = self.route.actions
        self.active_color = pulumi.Output.all(
            actions.apply(_written_weights), *(args.target_group_arns[color] for color in Color)
        ).apply(lambda found: _active(found[0], dict(zip(Color, found[1:], strict=True))))
        # Known once the write is: a constant would be told even when it was refused.
        self.guarantee = self.active_color.apply(lambda _: GUARANTEE)
        self.register_outputs({"active_color": self.active_color, "guarantee": self.guarantee})


def listener_tls(
    settings: ServiceSettings, certificate_arn: pulumi.Input[str] | None
) -> dict[str, Any]:
    """What a listener needs to speak what the settings say: production and test the same."""
    if settings.aws.protocol is ListenerProtocol.HTTP:
        return {"protocol": "HTTP"}
    return {
        "protocol": "HTTPS",
        "ssl_policy": settings.aws.ssl_policy,
        "certificate_arn": certificate_arn,
    }


def in_time(opts: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
    """A listener is written within a second, and a certificate that was just made is found soon.

    The provider looks five minutes for one that is not there, in the middle of an update.
    """
    limits = pulumi.CustomTimeouts(create="1m", update="1m")
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(custom_timeouts=limits))


def _listener(
    resource_name: str, args: AlbRouterArgs, opts: pulumi.ResourceOptions
) -> aws.lb.Listener:
    action = aws.lb.ListenerDefaultActionArgs(
        type="forward",
        forward=aws.lb.ListenerDefaultActionForwardArgs(
            target_groups=[
                aws.lb.ListenerDefaultActionForwardTargetGroupArgs(arn=arn, weight=weight)
                for arn, weight in _weighted(args)
            ],
            stickiness=aws.lb.ListenerDefaultActionForwardStickinessArgs(**_stickiness(args)),
        ),
    )
    return aws.lb.Listener(
        resource_name,
        load_balancer_arn=args.load_balancer_arn,
        port=args.settings.port,
        default_actions=[action],
        tags=args.names.service_tags(),
        opts=in_time(opts),
        **listener_tls(args.settings, args.certificate_arn),
    )


def _rule(
    resource_name: str,
    args: AlbRouterArgs,
    rule: ListenerRuleSettings,
    opts: pulumi.ResourceOptions,
) -> aws.lb.ListenerRule:
    action = aws.lb.ListenerRuleActionArgs(
        type="forward",
        forward=aws.lb.ListenerRuleActionForwardArgs(
            target_groups=[
                aws.lb.ListenerRuleActionForwardTargetGroupArgs(arn=arn, weight=weight)
                for arn, weight in _weighted(args)
            ],
            stickiness=aws.lb.ListenerRuleActionForwardStickinessArgs(**_stickiness(args)),
        ),
    )
    return aws.lb.ListenerRule(
        resource_name,
        listener_arn=rule.listener_arn,
        priority=rule.priority,
        actions=[action],
        conditions=_conditions(rule),
        tags=args.names.service_tags(),
        opts=opts,
    )


def _conditions(rule: ListenerRuleSettings) -> list[aws.lb.ListenerRuleConditionArgs]:
    found = []
    if rule.hosts:
        hosts = aws.lb.ListenerRuleConditionHostHeaderArgs(values=list(rule.hosts))
        found.append(aws.lb.ListenerRuleConditionArgs(host_header=hosts))
    if rule.paths:
        paths = aws.lb.ListenerRuleConditionPathPatternArgs(values=list(rule.paths))
        found.append(aws.lb.ListenerRuleConditionArgs(path_pattern=paths))
    return found


def _weighted(args: AlbRouterArgs) -> list[tuple[pulumi.Input[str], int]]:
    # Both stay attached, one at weight 0: a group without a listener reports no health.
    return [
        (args.target_group_arns[color], weight) for color, weight in weights_of(args.route).items()
    ]


def _stickiness(args: AlbRouterArgs) -> dict[str, Any]:
    # Said in either case: the provider takes one that is left out for unchanged, and a client's
    # cookie would keep it on a color whose weight is 0.
    return {
        "enabled": len(args.route.split.colors) > 1,
        "duration": args.settings.aws.canary_stickiness_seconds,
    }


def _active(weights: Mapping[str, int] | None, arns: Mapping[Color, str]) -> str:
    route = route_of(weights, arns)
    return str(route.active) if route else "unknown"


def _written_weights(actions: Sequence[Any]) -> dict[str, int] | None:
    forward = actions[0].forward if len(actions) == 1 else None
    groups = forward.target_groups if forward is not None else []
    return {each.arn: int(each.weight or 0) for each in groups} or None
