"""The resources of one service on AWS, written by hand."""

import base64
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

__all__ = ["declare_service"]

OTHER = {"blue": "green", "green": "blue"}
COLORS = ("blue", "green")

_Settings = Mapping[str, Any]


def declare_service(
    active: str, service: _Settings, colors: Mapping[str, _Settings]
) -> dict[str, pulumi.Output[Any]]:
    """Declares a service in two colors and returns what a program exports of it."""
    name, settings = service["name"], service["aws"]
    tags = {
        "bluegreen:service": name,
        "bluegreen:stack": f"{pulumi.get_project()}/{pulumi.get_stack()}",
    }
    of_color = {color: tags | {"bluegreen:color": color} for color in COLORS}
    groups = {color: target_group(service, color, of_color[color]) for color in COLORS}
    declare_test_endpoint(service, active, groups, tags, of_color)
    members_group = aws.ec2.SecurityGroup(
        f"{name}-members",
        vpc_id=settings["vpc_id"],
        description=f"members of {name}",
        ingress=[
            {
                "protocol": "tcp",
                "from_port": settings["target_port"],
                "to_port": settings["target_port"],
                "security_groups": [settings["load_balancer_security_group_id"]],
            }
        ],
        egress=[{"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": ["0.0.0.0/0"]}],
        tags=tags,
    )
    releases = {}
    for color in COLORS:
        declare_alarms(service, color, groups[color], of_color[color])
        of_release = of_color[color] | {"bluegreen:release": colors[color]["release"]}
        members = fleet(service, color, colors[color], groups[color], members_group, of_release)
        releases[color] = members.tags.apply(release_of)

    weights = {active: 100, OTHER[active]: 0}
    route = aws.lb.Listener(
        f"{name}-route",
        load_balancer_arn=settings["load_balancer_arn"],
        port=service["port"],
        protocol=settings["protocol"],
        default_actions=[
            aws.lb.ListenerDefaultActionArgs(
                type="forward",
                forward=aws.lb.ListenerDefaultActionForwardArgs(
                    target_groups=[
                        aws.lb.ListenerDefaultActionForwardTargetGroupArgs(
                            arn=groups[color].arn, weight=weights[color]
                        )
                        for color in COLORS
                    ],
                    stickiness=aws.lb.ListenerDefaultActionForwardStickinessArgs(
                        enabled=False, duration=settings["canary_stickiness_seconds"]
                    ),
                ),
            )
        ],
        tags=tags,
    )
    aws.ssm.Parameter(
        f"{name}-flag",
        name=f"/{name}/active-color",
        type="String",
        insecure_value=active,
        description=f"active color of {name}; written after traffic has moved",
        tags=tags,
    )
    aws.cloudwatch.LogGroup(
        f"{name}-events",
        name=f"/{name}/deployments",
        retention_in_days=settings["events_retention_days"],
        tags=tags,
    )
    written = route.default_actions.apply(weights_in)
    active_color = pulumi.Output.all(written, *(groups[color].arn for color in COLORS)).apply(
        lambda found: color_of(found[0], found[1:])
    )
    return {
        "active_color": active_color,
        "idle_color": active_color.apply(OTHER.__getitem__),
        "releases": pulumi.Output.all(**releases),
        "production_url": pulumi.Output.from_input(settings["production_url"]),
        "test_url": pulumi.Output.from_input(settings["test_url"]),
    }


def weights_in(actions: list[Any]) -> dict[str, int]:
    """The weights by target group."""
    return {each.arn: int(each.weight) for each in actions[0].forward.target_groups}


def color_of(weights: Mapping[str, int], arns: list[str]) -> str:
    """The color whose target group has the weight."""
    return next(color for color, arn in zip(COLORS, arns, strict=True) if weights[arn])


def release_of(tags: list[Any]) -> str:
    """The release in the tags of a group."""
    return str(next(each.value for each in tags if each.key == "bluegreen:release"))


def target_group(service: _Settings, color: str, tags: _Settings) -> aws.lb.TargetGroup:
    """Where the members of one color are."""
    settings, check = service["aws"], service["health_check"]
    return aws.lb.TargetGroup(
        f"{service['name']}-{color}",
        vpc_id=settings["vpc_id"],
        port=settings["target_port"],
        protocol="HTTP",
        target_type="instance",
        deregistration_delay=service["drain"]["timeout_seconds"],
        health_check={
            "path": check["path"],
            "protocol": "HTTP",
            "port": "traffic-port",
            "matcher": "200",
            "interval": check["interval_seconds"],
            "timeout": check["timeout_seconds"],
            "healthy_threshold": check["healthy_threshold"],
            "unhealthy_threshold": check["unhealthy_threshold"],
        },
        tags=tags,
    )


def declare_test_endpoint(
    service: _Settings,
    active: str,
    groups: Mapping[str, aws.lb.TargetGroup],
    tags: _Settings,
    of_color: Mapping[str, _Settings],
) -> None:
    """A listener that reaches each color by a header, and the idle one without."""
    name, settings = service["name"], service["aws"]
    listener = aws.lb.Listener(
        f"{name}-test-listener",
        load_balancer_arn=settings["load_balancer_arn"],
        port=settings["test_port"],
        protocol=settings["protocol"],
        default_actions=[
            {
                "type": "fixed-response",
                "fixed_response": {
                    "content_type": "text/plain",
                    "status_code": "503",
                    "message_body": "no release has been deployed to the idle color yet",
                },
            }
        ],
        tags=tags,
    )
    for priority, color in enumerate(COLORS, 1):
        header = {"http_header_name": "X-Bluegreen-Color", "values": [color]}
        aws.lb.ListenerRule(
            f"{name}-{color}-pinned",
            listener_arn=listener.arn,
            priority=priority,
            actions=[{"type": "forward", "target_group_arn": groups[color].arn}],
            conditions=[{"http_header": header}],
            tags=of_color[color],
        )
    aws.lb.ListenerRule(
        f"{name}-test",
        listener_arn=listener.arn,
        priority=1000,
        actions=[{"type": "forward", "target_group_arn": groups[OTHER[active]].arn}],
        conditions=[{"path_pattern": {"values": ["*"]}}],
        tags=tags,
    )


def fleet(
    service: _Settings,
    color: str,
    of_color: _Settings,
    group: aws.lb.TargetGroup,
    members_group: aws.ec2.SecurityGroup,
    tags: dict[str, str],
) -> aws.autoscaling.Group:
    """The members of one color."""
    name, settings = service["name"], service["aws"]
    template = aws.ec2.LaunchTemplate(
        f"{name}-{color}-template",
        image_id=settings["image_id"],
        instance_type=settings["instance_type"],
        user_data=pulumi.Output.secret(user_data(service, color, of_color)),
        metadata_options={
            "http_endpoint": "enabled",
            "http_tokens": "required",
            "http_put_response_hop_limit": 1,
        },
        monitoring={"enabled": True},
        network_interfaces=[
            {
                "device_index": 0,
                "associate_public_ip_address": "false",
                "delete_on_termination": "true",
                "security_groups": [members_group.id],
            }
        ],
        tag_specifications=[{"resource_type": "volume", "tags": tags}],
        tags=tags,
    )
    return aws.autoscaling.Group(
        f"{name}-{color}-members",
        min_size=of_color["replicas"],
        max_size=of_color["replicas"],
        vpc_zone_identifiers=settings["subnet_ids"],
        target_group_arns=[group.arn],
        launch_template={"id": template.id, "version": template.latest_version.apply(str)},
        health_check_type="ELB",
        health_check_grace_period=settings["health_check_grace_seconds"],
        instance_refresh={
            "strategy": "Rolling",
            "preferences": {"min_healthy_percentage": 100, "max_healthy_percentage": 200},
        },
        wait_for_capacity_timeout="0",
        tags=[
            aws.autoscaling.GroupTagArgs(key=key, value=value, propagate_at_launch=True)
            for key, value in sorted(tags.items())
        ],
    )


def user_data(service: _Settings, color: str, of_color: _Settings) -> str:
    """The script that a member starts with."""
    settings = service["aws"]
    variables = {
        "BLUEGREEN_SERVICE": service["name"],
        "BLUEGREEN_COLOR": color,
        "BLUEGREEN_RELEASE": of_color["release"],
        "PORT": settings["target_port"],
    }
    exports = [f"export {key}='{value}'" for key, value in variables.items()]
    text = "\n".join(["#!/bin/sh", *exports, settings["user_data"]])
    return base64.b64encode(text.encode()).decode()


def declare_alarms(
    service: _Settings, color: str, group: aws.lb.TargetGroup, tags: _Settings
) -> None:
    """Errors, slow answers and unhealthy members of one color."""
    name, settings = service["name"], service["aws"]
    limits = settings["alarms"]
    balancer = settings["load_balancer_arn"].partition(":loadbalancer/")[2]
    measured: dict[str, dict[str, Any]] = {
        "5xx": {
            "metric_name": "HTTPCode_Target_5XX_Count",
            "statistic": "Sum",
            "comparison_operator": "GreaterThanOrEqualToThreshold",
            "threshold": limits["target_5xx_per_minute"],
        },
        "p99": {
            "metric_name": "TargetResponseTime",
            "extended_statistic": "p99",
            "comparison_operator": "GreaterThanThreshold",
            "threshold": limits["p99_seconds"],
        },
        "unhealthy": {
            "metric_name": "UnHealthyHostCount",
            "statistic": "Maximum",
            "comparison_operator": "GreaterThanOrEqualToThreshold",
            "threshold": limits["unhealthy_hosts"],
        },
    }
    for role, of_alarm in measured.items():
        aws.cloudwatch.MetricAlarm(
            f"{name}-{color}-{role}",
            namespace="AWS/ApplicationELB",
            dimensions={"LoadBalancer": balancer, "TargetGroup": group.arn_suffix},
            period=60,
            evaluation_periods=limits["minutes"],
            treat_missing_data="notBreaching",
            alarm_description=f"{name}, {color}: {role}",
            alarm_actions=[],
            ok_actions=[],
            tags=tags,
            **of_alarm,
        )
