"""The order and the resources of a service on AWS, with both of its routers."""

import base64
import graphlib
import json
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

import bluegreen.aws
from bluegreen.aws import AsgService, AsgServiceArgs, aws_session
from bluegreen.contract import OutputName
from bluegreen.errors import ConfigError
from bluegreen.settings import ServiceConfig
from tests.components.aws_service import (
    BALANCER,
    CERTIFICATE,
    ROUTERS,
    SHARED_LISTENER,
    TOKEN,
    a_service,
    aws_settings,
    config_of,
)
from tests.components.conftest import Deploy, Recording
from tests.docs.pages import REPOSITORY
from tests.unit.written import FakeSource, a_config

GROUP = "aws:autoscaling/group:Group"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
TARGET_GROUP = "aws:lb/targetGroup:TargetGroup"
LISTENER = "aws:lb/listener:Listener"
RULE = "aws:lb/listenerRule:ListenerRule"
PARAMETER = "aws:ssm/parameter:Parameter"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
SECURITY_GROUP = "aws:ec2/securityGroup:SecurityGroup"
OPENING = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"

ANCHORS = {
    "shop-blue",
    "shop-green",
    "shop-test-listener",
    "shop-blue-pinned",
    "shop-green-pinned",
    "shop-events",
}
SECRET = "not-a-password"

SITUATIONS: dict[str, dict[str, Any]] = {
    "blue is active": {"active_color": "blue"},
    "green is active": {"active_color": "green"},
    "green is retired": {"retired": {"color": "green", "release": "1.1"}},
    "green is absent": {"green": None},
    "green is a canary": {"canary": {"color": "green", "percent": 10}},
    "blue is a canary": {"active_color": "green", "canary": {"color": "blue", "percent": 10}},
}
WITH_A_SHARE = {
    "blue is active": {"blue"},
    "green is active": {"green"},
    "green is retired": {"blue"},
    "green is absent": {"blue"},
    "green is a canary": {"blue", "green"},
    "blue is a canary": {"blue", "green"},
}
IDLE = {
    "blue is active": {"green"},
    "green is active": {"blue"},
    "green is retired": {"green"},
    "green is absent": set(),
    "green is a canary": set(),
    "blue is a canary": set(),
}

in_every_situation = pytest.mark.parametrize(
    ("router", "situation"),
    [(router, situation) for router in ROUTERS for situation in SITUATIONS],
)
with_every_router = pytest.mark.parametrize("router", ROUTERS)


@pytest.fixture(autouse=True)
def nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program asks nobody while it is built, but about colors that are not in the config."""
    monkeypatch.setattr(aws_session, "_ATTEMPTS", 1)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)


def in_situation(deploy: Deploy, router: str, situation: str) -> Recording:
    return a_service(deploy, router, **SITUATIONS[situation])


def members(colors: set[str]) -> set[str]:
    return {f"shop-{color}-members" for color in colors}


def differing(before: Recording, after: Recording) -> set[str]:
    """The names of the resources that a later program describes otherwise."""
    return {
        name
        for name in before.by_name.keys() | after.by_name.keys()
        if before.by_name[name].inputs != after.by_name[name].inputs
    }


def inputs_of(recording: Recording, name: str) -> dict[str, Any]:
    return dict(recording.by_name[name].inputs)


def arn_of(color: str) -> str:
    return f"arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop-{color}/1"


def weights(recording: Recording) -> dict[str, int]:
    """The weights that production is given, by target group."""
    inputs = inputs_of(recording, "shop-route")
    (action,) = inputs.get("defaultActions") or inputs["actions"]
    assert action["type"] == "forward"
    return {each["arn"]: each["weight"] for each in action["forward"]["targetGroups"]}


def tags_of(recording: Recording, name: str) -> dict[str, str]:
    tags = inputs_of(recording, name)["tags"]
    if isinstance(tags, dict):
        return tags
    return {each["key"]: each["value"] for each in tags}


@with_every_router
def test_a_service_is_two_fleets_two_anchors_a_router_and_its_followers(
    deploy: Deploy, router: str
) -> None:
    recording = a_service(deploy, router)

    fleet = "bluegreen:index:AsgFleet"
    assert {
        name: (each.type, recording.by_urn[each.parent].type)
        for name, each in recording.by_name.items()
    } == {
        "shop-route": (LISTENER if router == "listener" else RULE, "bluegreen:index:AlbRouter"),
        "shop-flag": (PARAMETER, TOKEN),
        "shop-test": (RULE, TOKEN),
        "shop-test-listener": (LISTENER, TOKEN),
        "shop-events": (LOG_GROUP, TOKEN),
        "shop-members": (SECURITY_GROUP, TOKEN),
        **{f"shop-{color}": (TARGET_GROUP, TOKEN) for color in ("blue", "green")},
        **{f"shop-{color}-pinned": (RULE, TOKEN) for color in ("blue", "green")},
        **{f"shop-{color}-members": (GROUP, fleet) for color in ("blue", "green")},
        **{f"shop-{color}-template": (TEMPLATE, fleet) for color in ("blue", "green")},
        **{
            f"shop-{color}-{role}": (ALARM, TOKEN)
            for color in ("blue", "green")
            for role in ("5xx", "p99", "unhealthy")
        },
    }


# The order.


@in_every_situation
def test_the_router_waits_for_the_members_of_every_color_with_a_share_and_no_other(
    deploy: Deploy, router: str, situation: str
) -> None:
    recording = in_situation(deploy, router, situation)

    awaited = recording.dependencies("shop-route")
    assert awaited == ANCHORS | members(WITH_A_SHARE[situation])


@in_every_situation
def test_followers_wait_for_the_router_one_after_the_other(
    deploy: Deploy, router: str, situation: str
) -> None:
    recording = in_situation(deploy, router, situation)

    assert recording.dependencies("shop-flag") == {"shop-route"}
    if "shop-test" in recording.by_name:
        assert "shop-flag" in recording.dependencies("shop-test")


@in_every_situation
def test_members_without_a_share_wait_for_the_flag_and_the_others_do_not(
    deploy: Deploy, router: str, situation: str
) -> None:
    recording = in_situation(deploy, router, situation)

    waiting = {name for name in recording.by_name if "shop-flag" in recording.dependencies(name)}
    assert waiting - {"shop-test"} == members(IDLE[situation])


@in_every_situation
def test_nothing_but_members_and_followers_waits_for_what_has_a_role(
    deploy: Deploy, router: str, situation: str
) -> None:
    recording = in_situation(deploy, router, situation)

    roles = {"shop-route", "shop-flag", "shop-test", *members({"blue", "green"})}
    bound = {
        name for name in recording.by_name.keys() - roles if recording.dependencies(name) & roles
    }
    assert bound == set()


@in_every_situation
def test_all_members_wait_for_both_anchors(deploy: Deploy, router: str, situation: str) -> None:
    recording = in_situation(deploy, router, situation)

    existing = members(WITH_A_SHARE[situation] | IDLE[situation])
    assert {name for name, each in recording.by_name.items() if each.type == GROUP} == existing
    for name in existing:
        # A group that no listener refers to reports no health.
        assert recording.dependencies(name) >= ANCHORS


@in_every_situation
def test_nothing_waits_for_itself_on_any_way(deploy: Deploy, router: str, situation: str) -> None:
    recording = in_situation(deploy, router, situation)
    waits_for = {
        each.urn: {*each.dependencies, *filter(None, [each.parent])}
        for each in recording.by_urn.values()
    }

    order = list(graphlib.TopologicalSorter(waits_for).static_order())

    assert set(order) == set(recording.by_urn)


@in_every_situation
def test_a_component_waits_for_nothing_itself(deploy: Deploy, router: str, situation: str) -> None:
    recording = in_situation(deploy, router, situation)

    # All its children would wait with it, whatever their role is.
    assert {each.dependencies for each in recording.resources if each.is_component} == {frozenset()}


@with_every_router
def test_a_switch_keeps_every_urn_and_changes_router_flag_and_test_pointer_alone(
    deploy: Deploy, router: str
) -> None:
    before = a_service(deploy, router, active_color="blue")
    after = a_service(deploy, router, active_color="green")

    assert set(before.by_urn) == set(after.by_urn)
    assert differing(before, after) == {"shop-route", "shop-flag", "shop-test"}


@with_every_router
def test_only_members_and_router_wait_for_something_else_when_the_roles_turn(
    deploy: Deploy, router: str
) -> None:
    before = a_service(deploy, router, active_color="blue")
    after = a_service(deploy, router, active_color="green")

    turned = {
        name for name in before.by_name if before.dependencies(name) != after.dependencies(name)
    }
    assert turned == members({"blue", "green"}) | {"shop-route", "shop-test"}


@with_every_router
def test_a_deploy_to_the_idle_color_changes_its_template_and_its_group_alone(
    deploy: Deploy, router: str
) -> None:
    before = a_service(deploy, router)
    after = a_service(deploy, router, green={"release": "1.2"})

    assert set(before.by_urn) == set(after.by_urn)
    assert differing(before, after) == {"shop-green-template"} | members({"green"})


@with_every_router
def test_a_retired_color_keeps_its_resources_and_no_members(deploy: Deploy, router: str) -> None:
    retired = {"color": "green", "release": "1.1"}
    before = a_service(deploy, router)
    after = a_service(deploy, router, retired=retired)

    assert set(before.by_urn) == set(after.by_urn)
    assert differing(before, after) == members({"green"})
    inputs = inputs_of(after, "shop-green-members")
    assert (inputs["minSize"], inputs["maxSize"]) == (0, 0)


@with_every_router
def test_a_switch_to_a_retired_color_raises_its_members_first(deploy: Deploy, router: str) -> None:
    retired = {"color": "green", "release": "1.1"}
    after = a_service(deploy, router, active_color="green", retired=retired)

    assert inputs_of(after, "shop-green-members")["minSize"] == 2
    assert "shop-green-members" in after.dependencies("shop-route")


@with_every_router
def test_a_canary_changes_the_route_alone(deploy: Deploy, router: str) -> None:
    before = a_service(deploy, router)
    after = a_service(deploy, router, canary={"color": "green", "percent": 10})

    assert differing(before, after) == {"shop-route"}


@with_every_router
def test_a_color_that_is_absent_has_its_anchors_and_no_pointer(deploy: Deploy, router: str) -> None:
    recording = a_service(deploy, router, green=None)

    names = {name for name in recording.by_name if "green" in name}
    alarms = {f"shop-green-{role}" for role in ("5xx", "p99", "unhealthy")}
    assert names == {"shop-green", "shop-green-pinned"} | alarms
    # The listener itself says that nothing is there.
    assert "shop-test" not in recording.by_name
    assert recording.outputs_of(TOKEN)["releases"] == {"blue": "1.0"}


# The router.


@with_every_router
@pytest.mark.parametrize(
    ("changes", "blue", "green"),
    [
        ({"active_color": "blue"}, 100, 0),
        ({"active_color": "green"}, 0, 100),
        ({"canary": {"color": "green", "percent": 10}}, 90, 10),
        # Twice as much in sum says that the smaller share is the active color's.
        ({"canary": {"color": "green", "percent": 70}}, 60, 140),
    ],
)
def test_production_always_forwards_to_both_target_groups(
    deploy: Deploy, router: str, changes: dict[str, Any], blue: int, green: int
) -> None:
    recording = a_service(deploy, router, **changes)

    assert weights(recording) == {arn_of("blue"): blue, arn_of("green"): green}


@with_every_router
@pytest.mark.parametrize("percent", [0, 10])
def test_clients_keep_their_color_only_while_there_is_a_canary(
    deploy: Deploy, router: str, percent: int
) -> None:
    canary = {"color": "green", "percent": percent}
    inputs = inputs_of(a_service(deploy, router, canary=canary), "shop-route")

    (action,) = inputs.get("defaultActions") or inputs["actions"]
    assert action["forward"]["stickiness"] == {"enabled": percent > 0, "duration": 3600}


def test_production_speaks_tls_with_a_strong_policy_and_its_certificate(deploy: Deploy) -> None:
    recording = a_service(deploy)

    for name, port in (("shop-route", 443), ("shop-test-listener", 8443)):
        inputs = inputs_of(recording, name)
        assert inputs["loadBalancerArn"] == BALANCER
        assert (inputs["port"], inputs["protocol"]) == (port, "HTTPS")
        assert inputs["certificateArn"] == CERTIFICATE
        assert inputs["sslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-2021-06"


def test_the_older_tls_policy_is_taken_where_it_is_asked_for(deploy: Deploy) -> None:
    policy = "ELBSecurityPolicy-TLS-1-2-2017-01"
    recording = a_service(deploy, aws={"ssl_policy": policy})

    for name in ("shop-route", "shop-test-listener"):
        assert inputs_of(recording, name)["sslPolicy"] == policy


def test_plain_http_has_to_be_asked_for(deploy: Deploy) -> None:
    aws = {"protocol": "HTTP", "certificate_arn": None}
    recording = a_service(deploy, service={"port": 80}, aws=aws)

    for name in ("shop-route", "shop-test-listener"):
        inputs = inputs_of(recording, name)
        assert inputs["protocol"] == "HTTP"
        assert {"certificateArn", "sslPolicy"} & inputs.keys() == set()


def test_a_rule_is_on_the_shared_listener_and_says_what_is_its_own(deploy: Deploy) -> None:
    inputs = inputs_of(a_service(deploy, "rule"), "shop-route")

    assert (inputs["listenerArn"], inputs["priority"]) == (SHARED_LISTENER, 10)
    assert inputs["conditions"] == [{"hostHeader": {"values": ["shop.example"]}}]


def test_clients_of_port_80_are_sent_to_production_where_that_is_asked_for(deploy: Deploy) -> None:
    inputs = inputs_of(a_service(deploy, aws={"redirect_http": True}), "shop-redirect")

    assert (inputs["port"], inputs["protocol"]) == (80, "HTTP")
    assert inputs["defaultActions"] == [
        {
            "type": "redirect",
            "redirect": {"port": "443", "protocol": "HTTPS", "statusCode": "HTTP_301"},
        }
    ]


def test_nobody_freezes_the_weights() -> None:
    # An ignored weight would be what the state has, whatever the config wants.
    sources = Path(bluegreen.aws.__file__).parent.glob("*.py")
    assert [path.name for path in sources if "ignore_changes" in path.read_text()] == []


# The test endpoint.


def test_each_color_is_pinned_by_a_header_whatever_the_roles_are(deploy: Deploy) -> None:
    before = a_service(deploy, active_color="blue")
    after = a_service(deploy, active_color="green")

    for recording in (before, after):
        for color in ("blue", "green"):
            inputs = inputs_of(recording, f"shop-{color}-pinned")
            assert inputs["actions"] == [{"type": "forward", "targetGroupArn": arn_of(color)}]
            header = {"httpHeaderName": "X-Bluegreen-Color", "values": [color]}
            assert inputs["conditions"] == [{"httpHeader": header}]


@pytest.mark.parametrize(("active", "idle"), [("blue", "green"), ("green", "blue")])
def test_the_test_endpoint_points_to_the_idle_color(deploy: Deploy, active: str, idle: str) -> None:
    recording = a_service(deploy, active_color=active)

    pointer = inputs_of(recording, "shop-test")
    assert pointer["actions"] == [{"type": "forward", "targetGroupArn": arn_of(idle)}]
    pinned = [inputs_of(recording, f"shop-{color}-pinned") for color in ("blue", "green")]
    assert all(each["priority"] < pointer["priority"] for each in pinned)


def test_the_test_listener_says_itself_that_nothing_is_there(deploy: Deploy) -> None:
    (action,) = inputs_of(a_service(deploy), "shop-test-listener")["defaultActions"]

    assert action["fixedResponse"]["statusCode"] == "503"
    assert "no release has been deployed" in action["fixedResponse"]["messageBody"]


def test_the_test_endpoint_is_open_to_nobody_unless_somebody_is_named(deploy: Deploy) -> None:
    recording = a_service(deploy)

    assert [each for each in recording.resources if each.type == OPENING] == []


def test_each_named_range_is_let_in_to_the_test_port_alone(deploy: Deploy) -> None:
    recording = a_service(deploy, aws={"test_allowed_cidrs": ["10.0.0.0/8", "192.0.2.7/32"]})

    openings = {
        each.inputs["cidrIpv4"]: each for each in recording.resources if each.type == OPENING
    }
    assert openings.keys() == {"10.0.0.0/8", "192.0.2.7/32"}
    for each in openings.values():
        assert each.inputs["securityGroupId"] == "sg-1"
        assert each.inputs["fromPort"] == each.inputs["toPort"] == 8443


# The anchors.


def test_target_groups_have_no_names_of_their_own(deploy: Deploy) -> None:
    recording = a_service(deploy)

    for color in ("blue", "green"):
        assert {"name", "namePrefix"} & inputs_of(recording, f"shop-{color}").keys() == set()


def test_target_groups_check_and_drain_as_the_service_says(deploy: Deploy) -> None:
    service = {"drain": {"timeout_seconds": 30.5}, "health_check": {"path": "/health"}}
    recording = a_service(deploy, service=service)

    for color in ("blue", "green"):
        inputs = inputs_of(recording, f"shop-{color}")
        assert inputs["deregistrationDelay"] == 31
        assert inputs["port"] == 8080
        assert inputs["healthCheck"] == {
            "path": "/health",
            "protocol": "HTTP",
            "port": "traffic-port",
            "matcher": "200",
            "interval": 30,
            "timeout": 5,
            "healthyThreshold": 2,
            "unhealthyThreshold": 3,
        }


# The members.


def test_a_group_never_says_how_many_members_there_are_to_be_now(deploy: Deploy) -> None:
    recording = a_service(deploy, aws={"max_size": 9})

    for color in ("blue", "green"):
        inputs = inputs_of(recording, f"shop-{color}-members")
        assert "desiredCapacity" not in inputs
        assert (inputs["minSize"], inputs["maxSize"]) == (2, 9)


def test_without_a_largest_size_the_number_is_the_programs(deploy: Deploy) -> None:
    recording = a_service(deploy, blue={"release": "1.0", "replicas": 3})

    inputs = inputs_of(recording, "shop-blue-members")
    assert (inputs["minSize"], inputs["maxSize"]) == (3, 3)


def test_members_are_waited_for_by_our_own_hooks_and_judged_by_the_load_balancer(
    deploy: Deploy,
) -> None:
    recording = a_service(deploy)

    for color in ("blue", "green"):
        inputs = inputs_of(recording, f"shop-{color}-members")
        assert inputs["waitForCapacityTimeout"] == "0"
        assert inputs["healthCheckType"] == "ELB"
        assert inputs["targetGroupArns"] == [arn_of(color)]
        assert inputs["vpcZoneIdentifiers"] == ["subnet-1", "subnet-2"]


def test_a_group_takes_one_version_of_its_template_by_number(deploy: Deploy) -> None:
    answers = {"shop-blue-template": {"latestVersion": 7}}
    recording = a_service(deploy, answers=answers)

    template = inputs_of(recording, "shop-blue-members")["launchTemplate"]
    # The newest one by name would let a live color change with its template.
    assert template == {"id": "shop-blue-template-id", "version": "7"}


def test_instances_need_a_token_for_their_metadata_and_have_no_public_address(
    deploy: Deploy,
) -> None:
    inputs = inputs_of(a_service(deploy), "shop-blue-template")

    assert inputs["metadataOptions"]["httpTokens"] == "required"
    assert inputs["monitoring"] == {"enabled": True}
    (interface,) = inputs["networkInterfaces"]
    assert interface["associatePublicIpAddress"] == "false"
    assert interface["securityGroups"] == ["shop-members-id"]


def test_only_the_load_balancer_reaches_the_members(deploy: Deploy) -> None:
    (ingress,) = inputs_of(a_service(deploy), "shop-members")["ingress"]

    assert ingress == {
        "protocol": "tcp",
        "fromPort": 8080,
        "toPort": 8080,
        "securityGroups": ["sg-1"],
    }


def test_given_security_groups_take_the_place_of_our_own(deploy: Deploy) -> None:
    aws = {"instance_security_group_ids": ["sg-7"], "load_balancer_security_group_id": None}
    recording = a_service(deploy, aws=aws)

    assert "shop-members" not in recording.by_name
    (interface,) = inputs_of(recording, "shop-blue-template")["networkInterfaces"]
    assert interface["securityGroups"] == ["sg-7"]


def test_a_colors_own_image_goes_first(deploy: Deploy) -> None:
    recording = a_service(deploy, green={"release": "1.1", "image": "ami-2"})

    images = [
        inputs_of(recording, f"shop-{color}-template")["imageId"] for color in ("blue", "green")
    ]
    assert images == ["ami-1", "ami-2"]


def test_variables_are_in_the_user_data_and_nowhere_else(deploy: Deploy) -> None:
    blue = {"release": "1.0", "env": {"TOKEN": SECRET}}
    recording = a_service(deploy, blue=blue, aws={"user_data": "exec serve\n"})

    template = recording.by_name["shop-blue-template"]
    text = base64.b64decode(template.inputs["userData"]).decode()
    assert text.splitlines() == [
        "#!/bin/sh",
        "export BLUEGREEN_SERVICE='shop'",
        "export BLUEGREEN_COLOR='blue'",
        "export BLUEGREEN_RELEASE='1.0'",
        "export PORT='8080'",
        f"export TOKEN='{SECRET}'",
        "exec serve",
    ]
    assert "userData" in template.secrets
    rest = [
        (each.urn, {key: value for key, value in each.inputs.items() if key not in each.secrets})
        for each in recording.resources
    ]
    assert SECRET not in repr([rest, recording.outputs, recording.hooks, recording.warnings])


# Tags.


def test_everything_of_a_color_says_whose_it_is(deploy: Deploy) -> None:
    recording = a_service(deploy, aws={"tags": {"team": "checkout"}})

    for name, each in recording.by_name.items():
        own = {"bluegreen:service": "shop", "bluegreen:stack": "shop/test", "team": "checkout"}
        assert tags_of(recording, name).items() >= own.items(), name
        color = next((color for color in ("blue", "green") if f"-{color}" in name), None)
        assert tags_of(recording, name).get("bluegreen:color") == color, name
        assert each.inputs.get("tags")


def test_what_carries_a_release_says_which_and_so_do_its_instances(deploy: Deploy) -> None:
    recording = a_service(deploy)

    for role in ("members", "template"):
        assert tags_of(recording, f"shop-green-{role}")["bluegreen:release"] == "1.1"
    tags = inputs_of(recording, "shop-green-members")["tags"]
    assert {each["propagateAtLaunch"] for each in tags} == {True}


def test_another_tag_makes_no_other_members(deploy: Deploy) -> None:
    before = a_service(deploy)
    after = a_service(deploy, aws={"tags": {"team": "checkout"}})

    for name in ("shop-blue-template", "shop-green-template"):
        old, new = (inputs_of(each, name) for each in (before, after))
        assert {key for key in new if new[key] != old.get(key)} == {"tags"}


# Alarms.


def test_each_color_has_alarms_for_errors_slow_answers_and_unhealthy_members(
    deploy: Deploy,
) -> None:
    recording = a_service(deploy)

    for color in ("blue", "green"):
        alarms = {
            role: inputs_of(recording, f"shop-{color}-{role}")
            for role in ("5xx", "p99", "unhealthy")
        }
        assert {role: each["metricName"] for role, each in alarms.items()} == {
            "5xx": "HTTPCode_Target_5XX_Count",
            "p99": "TargetResponseTime",
            "unhealthy": "UnHealthyHostCount",
        }
        for each in alarms.values():
            assert each["dimensions"] == {
                "LoadBalancer": "app/front/50dc6c495c0c9188",
                "TargetGroup": f"targetgroup/shop-{color}/1",
            }


def test_alarms_can_be_left_out(deploy: Deploy) -> None:
    settings = aws_settings() | {"alarms": None}
    config = a_config(service={"platform": "aws", "aws": settings})  # type: ignore[no-untyped-call]

    recording = deploy(lambda: AsgService("shop", AsgServiceArgs(config=config)))

    assert [each for each in recording.resources if each.type == ALARM] == []


# The hooks.


@with_every_router
def test_router_and_flag_are_gated_and_members_are_guarded_and_waited_for(
    deploy: Deploy, router: str
) -> None:
    recording = a_service(deploy, router)

    hooks = {name: each.hooks for name, each in recording.by_name.items() if each.hooks}
    guards: dict[str, dict[str, tuple[str, ...]]] = {}
    for color in ("blue", "green"):
        guards[f"shop-{color}-members"] = {
            "before_create": (f"shop-{color}-guard",),
            "before_update": (f"shop-{color}-guard",),
            "after_create": (f"shop-{color}-ready",),
            "after_update": (f"shop-{color}-ready",),
            "on_error": (f"shop-{color}-failed",),
        }
        guards[f"shop-{color}-template"] = {
            "before_update": (f"shop-{color}-template-guard",),
            "on_error": (f"shop-{color}-template-failed",),
        }
    parts = {
        name: {"on_error": ("shop-part-failed",)}
        for name, found in hooks.items()
        if found == {"on_error": ("shop-part-failed",)}
    }
    assert {"shop-blue", "shop-test-listener", "shop-green-pinned", "shop-test"} <= set(parts)
    assert hooks == guards | parts | {
        "shop-route": {
            "before_create": ("shop-router-gate",),
            "before_update": ("shop-router-guard", "shop-router-gate"),
            "after_update": ("shop-router-follow",),
            "on_error": ("shop-router-failed",),
        },
        "shop-flag": {
            "before_create": ("shop-flag-follow",),
            "before_update": ("shop-flag-follow",),
            "after_create": ("shop-flag-record",),
            "after_update": ("shop-flag-record",),
            "on_error": ("shop-flag-failed",),
        },
    }


# The outputs.


@with_every_router
def test_outputs_say_what_the_router_has_and_not_what_was_asked_for(
    deploy: Deploy, router: str
) -> None:
    groups = [{"arn": arn_of("blue"), "weight": 100}, {"arn": arn_of("green"), "weight": 0}]
    actions = [{"type": "forward", "forward": {"targetGroups": groups}}]
    key = "defaultActions" if router == "listener" else "actions"
    recording = a_service(
        deploy, router, active_color="green", answers={"shop-route": {key: actions}}
    )

    outputs = recording.outputs_of(TOKEN)
    assert (outputs["active_color"], outputs["idle_color"]) == ("blue", "green")
    assert outputs["rollback_command"].startswith("pulumi config set active_color green && ")
    assert recording.stack_outputs == outputs


def test_outputs_say_who_is_active_while_a_canary_has_the_larger_share(deploy: Deploy) -> None:
    recording = a_service(deploy, canary={"color": "green", "percent": 70})

    assert recording.outputs_of(TOKEN)["active_color"] == "blue"


def test_outputs_say_which_releases_the_members_have(deploy: Deploy) -> None:
    tags = [{"key": "bluegreen:release", "value": "0.9", "propagateAtLaunch": True}]
    recording = a_service(deploy, answers={"shop-green-members": {"tags": tags}})

    outputs = recording.outputs_of(TOKEN)
    assert outputs["releases"] == {"blue": "1.0", "green": "0.9"}
    assert outputs["guarantee"] == "single write"


@pytest.mark.parametrize(
    ("router", "aws", "production", "test"),
    [
        ("listener", {}, "https://shop.example", "https://shop.example:8443"),
        (
            "listener",
            {"test_url": "http://127.0.0.1:1"},
            "https://shop.example",
            "http://127.0.0.1:1",
        ),
        ("rule", {"production_url": None}, "https://shop.example", "https://shop.example:8443"),
    ],
)
def test_addresses_are_those_that_are_written(
    deploy: Deploy, router: str, aws: dict[str, Any], production: str, test: str
) -> None:
    outputs = a_service(deploy, router, aws=aws).outputs_of(TOKEN)

    assert (outputs["production_url"], outputs["test_url"]) == (production, test)


def test_without_an_address_it_is_the_load_balancers_own_name(deploy: Deploy) -> None:
    outputs = a_service(deploy, aws={"production_url": None}).outputs_of(TOKEN)

    assert outputs["production_url"] == "https://front-1.elb.amazonaws.com"
    assert outputs["test_url"] == "https://front-1.elb.amazonaws.com:8443"


def test_a_program_exports_the_outputs_of_the_contract_and_no_other(deploy: Deploy) -> None:
    recording = a_service(deploy)

    assert set(recording.stack_outputs) == set(OutputName)


# What it stands on.


def test_a_program_may_give_what_only_it_knows(deploy: Deploy) -> None:
    keys = ("load_balancer_arn", "vpc_id", "subnet_ids", "certificate_arn")
    config = config_of(aws=dict.fromkeys(keys))

    def program() -> None:
        args = AsgServiceArgs(
            config=config,
            load_balancer_arn=pulumi.Output.from_input(BALANCER),
            vpc_id=pulumi.Output.from_input("vpc-9"),
            subnet_ids=pulumi.Output.from_input(["subnet-9"]),
            certificate_arn=pulumi.Output.from_input(CERTIFICATE),
        )
        AsgService("shop", args)

    recording = deploy(program)

    assert inputs_of(recording, "shop-route")["loadBalancerArn"] == BALANCER
    assert inputs_of(recording, "shop-route")["certificateArn"] == CERTIFICATE
    assert inputs_of(recording, "shop-blue")["vpcId"] == "vpc-9"
    assert inputs_of(recording, "shop-blue-members")["vpcZoneIdentifiers"] == ["subnet-9"]


def test_what_nobody_gives_is_told_at_once_and_nothing_is_made(deploy: Deploy) -> None:
    config = a_config(  # type: ignore[no-untyped-call]
        service={"platform": "aws", "aws": {"image_id": "ami-1"}}
    )

    with pytest.raises(ConfigError) as caught:
        deploy(lambda: AsgService("shop", AsgServiceArgs(config=config)))

    problems = [line.split(":")[1] for line in caught.value.problems]
    assert problems == [
        "service.aws.load_balancer_arn",
        "service.aws.vpc_id",
        "service.aws.subnet_ids",
        "service.aws.certificate_arn",
        "service.aws.load_balancer_security_group_id",
    ]
    assert all(
        "nothing was changed; `pulumi config set --path" in line for line in caught.value.problems
    )


def test_a_load_balancer_of_another_region_is_refused_at_once(deploy: Deploy) -> None:
    args = AsgServiceArgs(config=config_of(), region="us-east-1")

    with pytest.raises(ConfigError) as caught:
        deploy(lambda: AsgService("shop", args))

    (problem,) = caught.value.problems
    assert "service.aws.load_balancer_arn: the load balancer is in eu-west-1" in problem
    assert "; nothing was changed; `pulumi config set aws:region eu-west-1`" in problem


def test_what_would_make_anchors_anew_is_the_place_of_the_service(deploy: Deploy) -> None:
    recording = a_service(deploy)

    itself = recording.component(TOKEN)
    place = {
        "load_balancer": BALANCER,
        "router": "listener on port 443",
        "service": "shop",
        "target_port": "8080",
        "vpc": "vpc-1",
    }
    assert itself.inputs.items() >= place.items()
    assert itself.hooks == {
        "before_create": ("shop-ground-guard",),
        "before_update": ("shop-place-guard", "shop-ground-guard"),
    }


@with_every_router
@pytest.mark.parametrize(
    "changes",
    [
        {"active_color": "green"},
        {"canary": {"color": "green", "percent": 10}},
        {"green": {"release": "1.2", "replicas": 7}},
        {"retired": {"color": "green", "release": "1.1"}},
    ],
)
def test_what_a_service_stands_on_changes_with_no_switch_and_no_release(
    deploy: Deploy, router: str, changes: dict[str, Any]
) -> None:
    before, after = a_service(deploy, router), a_service(deploy, router, **changes)

    # Each change of it is a dozen questions, in the preview and in the update.
    assert before.component(TOKEN).inputs == after.component(TOKEN).inputs


def test_a_range_of_ipv6_is_let_in_like_one_of_ipv4(deploy: Deploy) -> None:
    ranges = ["192.0.2.0/24", "2001:DB8:0::/32"]
    recording = a_service(deploy, aws={"test_allowed_cidrs": ranges})

    openings = {each.name: each.inputs for each in recording.resources if each.type == OPENING}
    assert {
        name: (each.get("cidrIpv4"), each.get("cidrIpv6")) for name, each in openings.items()
    } == {
        "shop-test-from-192-0-2-0-24": ("192.0.2.0/24", None),
        "shop-test-from-2001-db8---32": (None, "2001:db8::/32"),
    }


@pytest.mark.parametrize("name", ["stacks/Pulumi.aws.yaml", "examples/aws-asg/Pulumi.dev.yaml"])
def test_the_configs_in_the_repository_are_services(deploy: Deploy, name: str) -> None:
    content = yaml.safe_load((REPOSITORY / name).read_text(encoding="utf-8"))["config"]
    written = {
        key.partition(":")[2]: value for key, value in content.items() if not key.startswith("aws:")
    }
    config = ServiceConfig.load(FakeSource(written))  # type: ignore[no-untyped-call]

    recording = deploy(lambda: AsgService("shop", AsgServiceArgs(config=config)))

    # Who is let in to the members and to the test endpoint is written down in both.
    assert {each.type for each in recording.resources} >= {OPENING, SECURITY_GROUP, LISTENER}


# Several of them.


def test_two_services_may_share_a_load_balancer(deploy: Deploy) -> None:
    def program() -> None:
        for name, router, port in (("shop", "listener", 8443), ("basket", "rule", 9443)):
            config = config_of(router, service={"name": name}, aws={"test_port": port})
            AsgService(name, AsgServiceArgs(config=config))

    recording = deploy(program)

    assert [each.type for each in recording.resources].count(TOKEN) == 2
    for name in recording.by_name:
        own = name.partition("-")[0]
        assert {each.partition("-")[0] for each in recording.dependencies(name)} <= {own}
    assert len(recording.hooks) == len(set(recording.hooks))


def test_the_same_config_registers_the_same_in_every_run(deploy: Deploy) -> None:
    changes: dict[str, Any] = {"blue": {"release": "1.0", "env": {"TOKEN": SECRET}}}
    first, second = (a_service(deploy, **changes) for _ in range(2))

    assert {each.urn: json.dumps(each.inputs) for each in first.resources} == {
        each.urn: json.dumps(each.inputs) for each in second.resources
    }
