"""What is recorded of calls, and what tests can make them do."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.aws_cloud.lies import actions_of, refusal
from tests.aws_cloud.shop import Shop


def blue_weight(shop: Shop) -> int:
    (action,) = actions_of(shop)
    return int(action["ForwardConfig"]["TargetGroups"][0]["Weight"])


def test_calls_are_recorded_in_order_with_their_permissions_and_errors(shop: Shop) -> None:
    before = len(shop.cloud.calls)
    shop.switch("green")
    refusal(shop.elb.delete_target_group, TargetGroupArn=shop.groups["blue"])
    shop.cloud.client("ssm").put_parameter(Name="/a", Value="b", Type="String")
    shop.cloud.client("cloudwatch").describe_alarms()
    shop.cloud.client("sts").get_caller_identity()

    found = shop.cloud.calls[before:]

    assert [(each.permission, each.error) for each in found] == [
        ("elasticloadbalancing:ModifyListener", None),
        ("elasticloadbalancing:DeleteTargetGroup", "ResourceInUse"),
        ("ssm:PutParameter", None),
        ("cloudwatch:DescribeAlarms", None),
        ("sts:GetCallerIdentity", None),
    ]
    assert [each.at for each in found] == sorted(each.at for each in found)
    assert all("Boto3" in each.user_agent for each in found)


def caught(call: Callable[..., Any], **arguments: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    response = error.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def test_the_next_calls_are_throttled_and_no_others(shop: Shop) -> None:
    shop.cloud.throttle("ModifyListener", 2)

    assert refusal(shop.switch, color="green") == "Throttling"
    assert blue_weight(shop) == 100
    assert refusal(shop.switch, color="green") == "Throttling"
    assert refusal(shop.switch, color="green") is None
    assert [each.error for each in shop.cloud.calls if each.action == "ModifyListener"] == [
        "Throttling",
        "Throttling",
        None,
    ]


def test_each_protocol_has_its_own_way_to_throttle(shop: Shop) -> None:
    shop.cloud.throttle("DescribeVpcs", 1, "RequestLimitExceeded")
    shop.cloud.throttle("GetParameter", 1, "ThrottlingException")
    get_parameter = shop.cloud.client("ssm").get_parameter

    assert caught(shop.ec2.describe_vpcs) == (503, "RequestLimitExceeded")
    assert caught(get_parameter, Name="/a") == (400, "ThrottlingException")


def test_a_failure_may_hide_that_it_was_done(shop: Shop) -> None:
    shop.cloud.fail("ModifyListener", 1)
    assert refusal(shop.switch, color="green") == "InternalFailure"
    assert blue_weight(shop) == 100

    shop.cloud.fail("ModifyListener", 1, status=503, is_done_first=True)
    assert refusal(shop.switch, color="green") == "ServiceUnavailable"
    assert blue_weight(shop) == 0


def test_reads_after_a_write_are_late_for_so_many_calls(shop: Shop) -> None:
    shop.cloud.lag("elasticloadbalancing", calls=2)
    shop.switch("green")

    assert [blue_weight(shop) for _ in range(3)] == [100, 100, 0]


def test_reads_after_a_write_are_late_for_so_long(shop: Shop) -> None:
    shop.cloud.lag("elasticloadbalancing", seconds=0.4)
    shop.switch("green")

    assert blue_weight(shop) == 100
    time.sleep(0.5)
    assert blue_weight(shop) == 0


def test_what_was_just_made_may_not_be_found(shop: Shop) -> None:
    ssm = shop.cloud.client("ssm")
    shop.cloud.lag("ssm", calls=1)
    ssm.put_parameter(Name="/a", Value="b", Type="String")

    assert refusal(ssm.get_parameter, Name="/a") == "ParameterNotFound"
    assert refusal(ssm.get_parameter, Name="/a") is None


def test_every_service_of_a_stack_can_lag(shop: Shop) -> None:
    client = shop.cloud.client
    logs, alarms, acm = client("logs"), client("cloudwatch"), client("acm")
    writes = {
        "ec2": lambda: shop.ec2.create_tags(Resources=[shop.cloud.vpc()], Tags=[]),
        "logs": lambda: logs.create_log_group(logGroupName="shop"),
        "monitoring": lambda: alarms.set_alarm_state(
            AlarmName="shop", StateValue="OK", StateReason="none"
        ),
        "acm": lambda: acm.delete_certificate(CertificateArn=shop.cloud.certificate()),
    }
    shop.cloud.vpc()
    shop.cloud.certificate()
    for service, write in writes.items():
        shop.cloud.lag(service, calls=1)
        assert refusal(write) in (None, "ResourceNotFound", "ResourceInUseException")
    assert logs.describe_log_groups()["logGroups"] == []
    assert [each["logGroupName"] for each in logs.describe_log_groups()["logGroups"]] == ["shop"]


def test_a_write_while_reads_are_late_is_not_lost(shop: Shop) -> None:
    shop.cloud.lag("autoscaling", calls=1)
    shop.add_fleet("blue", 1)
    groups = shop.scaling.describe_auto_scaling_groups

    assert groups()["AutoScalingGroups"] == []
    shop.scaling.set_desired_capacity(AutoScalingGroupName="blue", DesiredCapacity=2)
    assert groups()["AutoScalingGroups"][0]["DesiredCapacity"] == 1
    assert groups()["AutoScalingGroups"][0]["DesiredCapacity"] == 2


def test_a_reset_ends_what_tests_have_asked_for(shop: Shop) -> None:
    shop.cloud.throttle("DescribeVpcs", 9)
    shop.cloud.lag("ec2", calls=9)

    shop.cloud.reset()

    assert refusal(shop.ec2.describe_vpcs) is None
    assert [each.action for each in shop.cloud.calls] == ["DescribeVpcs"]
