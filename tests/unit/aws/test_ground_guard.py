"""Which questions are asked about the ground, and what is done with what nobody answers.

What each of them says is typed in full in tests/engine/test_aws_bad_input.py.
"""

import pulumi
import pytest

from bluegreen.aws.aws_session import NoAnswerError, NotFoundError
from bluegreen.aws.ground_guard import GroundGuard
from bluegreen.aws.ground_questions import QUESTIONS
from bluegreen.aws.surroundings import Surroundings
from bluegreen.errors import DataPlaneError, RolloutError
from bluegreen.gate_hooks import HookCall
from tests.components.aws_service import aws_settings
from tests.unit.aws.answers import BALANCER, BLUE, GREEN, NAMES, FakeAws
from tests.unit.written import a_config

OWN = [
    {"Key": "bluegreen:service", "Value": "shop"},
    {"Key": "bluegreen:stack", "Value": "shop/dev"},
]
STANDING = {
    "load_balancer": BALANCER,
    "vpc": "vpc-1",
    "subnets": ["subnet-1"],
    "instance_type": "t3.small",
    "blue_image": "ami-1",
    "green_image": "ami-1",
    "test_port": 8443,
    "flag": "/shop/active-color",
    "log_group": "/shop/deployments",
}
LOG_GROUP = {"logGroupName": "/shop/deployments", "arn": "arn:aws:logs:eu-west-1:1:log-group:x:*"}


class Cloud(FakeAws):
    region = "eu-west-1"


def a_cloud(**changes):
    """Everything is as the config takes it to be, except for what is changed."""
    answers = {
        "describe_load_balancers": {
            "LoadBalancers": [
                {
                    "Type": "application",
                    "VpcId": "vpc-1",
                    "SecurityGroups": ["sg-1"],
                    "AvailabilityZones": [{"ZoneName": "eu-west-1a"}],
                }
            ]
        },
        "describe_subnets": {
            "Subnets": [
                {"SubnetId": "subnet-1", "VpcId": "vpc-1", "AvailabilityZone": "eu-west-1a"}
            ]
        },
        "describe_images": {"Images": [{"ImageId": "ami-1", "State": "available"}]},
        "describe_instance_type_offerings": {"InstanceTypeOfferings": [{"InstanceType": "t3"}]},
        "describe_listeners": {"Listeners": [{"ListenerArn": "other", "Port": 9000}]},
        "get_parameter": NotFoundError("no such parameter"),
        "describe_log_groups": {"logGroups": []},
    }
    return Cloud(**(answers | changes))


def found(cloud, new=STANDING, old=None):
    settings = a_config(service={"platform": "aws", "aws": aws_settings()}).service
    keys = {BLUE: "service.aws.image_id", GREEN: "service.aws.image_id"}
    guard = GroundGuard("shop", Surroundings(cloud, NAMES, settings, keys))
    try:
        guard(HookCall(is_preview=True, old=old, new=new))
    except RolloutError as error:
        return str(error).splitlines()
    return []


def test_ground_that_is_there_is_built_on():
    assert found(a_cloud()) == []


def test_all_that_is_wrong_is_told_at_once_and_each_of_it_once():
    lines = found(a_cloud(describe_images={"Images": []}, describe_subnets={"Subnets": []}))

    # Both colors have the image.
    assert [line.partition(":")[2].partition(": ")[0] for line in lines] == [
        "service.aws.subnet_ids",
        "service.aws.image_id",
    ]


def test_what_did_not_change_is_not_asked_about():
    cloud = a_cloud()
    found(cloud, new=STANDING | {"instance_type": "t3.large"}, old=STANDING)

    assert cloud.operations == ["describe_instance_type_offerings"]


def test_what_a_preview_cannot_know_is_left_to_the_update():
    cloud = a_cloud()
    unknown = pulumi.output.Unknown()
    found(cloud, new={"load_balancer": unknown, "vpc": "vpc-1", "subnets": ["subnet-1", unknown]})

    assert cloud.operations == []


def test_a_question_that_may_not_be_asked_is_left_to_aws():
    denied = DataPlaneError("not allowed to ask")
    cloud = a_cloud(describe_images=denied, get_parameter=denied, describe_subnets={"Subnets": []})

    (line,) = found(cloud)
    assert "there is no subnet-1" in line


def test_nobody_is_asked_again_where_nobody_answers():
    cloud = a_cloud(describe_load_balancers=NoAnswerError("no route"))

    assert found(cloud) == []
    assert cloud.operations == ["describe_load_balancers"]


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"describe_tags": {"TagDescriptions": [{"Tags": OWN}]}}, []),
        ({"describe_tags": {"TagDescriptions": [{"Tags": []}]}}, ["a listener of somebody else"]),
    ],
)
def test_a_listener_of_an_update_that_was_killed_is_the_services_own(answers, told):
    mine = {"Listeners": [{"ListenerArn": "mine", "Port": 8443}]}
    lines = found(a_cloud(describe_listeners=mine, **answers))

    assert len(lines) == len(told)
    assert all(text in line for text, line in zip(told, lines, strict=True))


def test_the_flag_and_the_log_group_of_another_stack_are_not_taken_over():
    other = [*OWN[:1], {"Key": "bluegreen:stack", "Value": "shop/prod"}]
    cloud = a_cloud(
        get_parameter={"Parameter": {"Value": "blue"}},
        describe_log_groups={"logGroups": [LOG_GROUP]},
        list_tags_for_resource=lambda **asked: (
            {"TagList": other} if "ResourceId" in asked else {"tags": {}}
        ),
    )

    flag, log_group = found(cloud)
    assert "belongs to the service shop of the stack shop/prod" in flag
    assert "belongs to somebody else" in log_group


def test_an_image_that_is_not_made_yet_is_not_used():
    (line,) = found(a_cloud(describe_images={"Images": [{"State": "pending"}]}))

    assert "the image ami-1 is pending; nothing was changed" in line


def test_what_the_program_gives_is_put_right_in_the_program():
    cloud = a_cloud(describe_load_balancers=NotFoundError("no such load balancer"))
    settings = a_config(
        service={"platform": "aws", "aws": aws_settings(load_balancer_arn=None)}
    ).service
    guard = GroundGuard("shop", Surroundings(cloud, NAMES, settings, {}))

    with pytest.raises(RolloutError, match="give AsgServiceArgs another load_balancer_arn"):
        guard(HookCall(is_preview=True, old=None, new={"load_balancer": BALANCER, "vpc": "vpc-1"}))


def test_every_question_has_what_it_needs_in_some_service():
    known = {
        *STANDING,
        *("certificate", "instance_profile", "load_balancer_group", "members_groups"),
        *(
            "production_port",
            "redirect_port",
            "rule_listener",
            "rule_priority",
            "tls_policy",
            "users_log_group",
        ),
    }

    assert {name for question in QUESTIONS for name in question.needs} == known
