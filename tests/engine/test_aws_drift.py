"""What somebody changes in the account by hand: who sees it, and what is done about it."""

from typing import Any

import pytest

from bluegreen.traffic import TrafficSplit
from tests.aws_cloud.shop import wait
from tests.engine.aws_driver import AwsDriver

BLUE = TrafficSplit(blue=100, green=0)
BLUE_ANSWERS = {"blue 1.0": 20}


@pytest.fixture
def both(aws: AwsDriver) -> AwsDriver:
    """Blue 1.0 is live, green 1.1 is deployed and idle, one member each."""
    aws.configure("green", {"release": "1.1", "replicas": 1})
    aws.arrange()
    return aws


def instances(driver: AwsDriver, color: str) -> int:
    return len(driver.group(color)["Instances"])


def rule_of(driver: AwsDriver, color: str) -> str | None:
    """The rule of the test listener that reaches one color by its name."""
    for listener in driver.elb.describe_listeners(LoadBalancerArn=driver.balancer)["Listeners"]:
        rules = driver.elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
        for rule in rules:
            if f"'{color}'" in str(rule["Conditions"]):
                return str(rule["RuleArn"])
    return None


@pytest.mark.soak
def test_what_nobody_changed_is_no_drift(both: AwsDriver):
    result = both.stack.preview("--refresh")

    assert result.ok, result
    assert result.plan == []


def test_moved_weights_are_seen_by_a_refresh_and_by_no_plain_update(both: AwsDriver):
    both.move_by_hand("blue", 40)

    plain = both.up()
    seen = both.stack.preview("--refresh")
    repaired = both.up(refresh=True)

    assert plain.ok, plain
    assert plain.done == []
    assert seen.plan == ["shop-route"]
    assert repaired.ok, repaired
    assert repaired.done == ["router"]
    assert both.live() == BLUE
    assert both.ask("production") == BLUE_ANSWERS


@pytest.mark.soak
def test_another_target_group_in_the_action_is_taken_out_by_a_refresh(both: AwsDriver):
    both.move_by_hand(None)

    repaired = both.up(refresh=True)

    assert repaired.ok, repaired
    assert repaired.done == ["router"]
    assert both.ask("production") == BLUE_ANSWERS


@pytest.mark.soak
def test_a_number_of_members_within_the_bounds_is_nobodys_to_repair(both: AwsDriver):
    both.configure("service.aws.max_size", 3)
    assert both.up().ok
    resize(both, "blue", DesiredCapacity=2)

    seen = both.stack.preview("--refresh")
    result = both.up(refresh=True)

    assert seen.plan == []
    assert result.ok, result
    assert result.done == []
    assert both.group("blue")["DesiredCapacity"] == 2


@pytest.mark.soak
def test_other_bounds_are_seen_by_a_refresh_and_put_back(both: AwsDriver):
    resize(both, "green", MinSize=0, DesiredCapacity=0)
    wait(lambda: instances(both, "green") == 0)

    seen = both.stack.preview("--refresh")
    result = both.up(refresh=True)

    assert seen.plan == ["shop-green-members"]
    assert result.ok, result
    assert both.ask("test") == {"green 1.1": 20}


@pytest.mark.soak
def test_a_deleted_rule_of_the_test_endpoint_is_made_again_by_a_refresh(both: AwsDriver):
    both.elb.delete_rule(RuleArn=rule_of(both, "green"))

    plain = both.up()
    seen = both.stack.preview("--refresh")
    repaired = both.up(refresh=True)

    assert plain.done == []
    assert seen.plan == ["shop-green-pinned"]
    assert repaired.ok, repaired
    assert rule_of(both, "green") is not None


def test_a_deleted_listener_stops_a_switch_and_is_made_again_by_a_refresh(both: AwsDriver):
    listener: Any = both.listener()
    both.elb.delete_listener(ListenerArn=listener["ListenerArn"])
    both.configure("active_color", "green")

    refused = both.up()

    assert refused.exit_code != 0
    assert "not there any more" in refused.text
    assert both.live() is None

    both.configure("active_color", "blue")
    seen = both.stack.preview("--refresh")
    repaired = both.up(refresh=True)

    assert "shop-route" in seen.plan
    assert repaired.ok, repaired
    assert both.ask("production") == BLUE_ANSWERS


@pytest.mark.soak
def test_a_deleted_flag_is_written_again_by_a_refresh(both: AwsDriver):
    parameters = both.cloud.client("ssm")
    parameters.delete_parameter(Name="/shop/active-color")

    result = both.up(refresh=True)

    assert result.ok, result
    found = parameters.get_parameter(Name="/shop/active-color")
    assert found["Parameter"]["Value"] == "blue"


def resize(driver: AwsDriver, color: str, **numbers: int) -> None:
    """As the console does."""
    driver.scaling.update_auto_scaling_group(
        AutoScalingGroupName=driver.group(color)["AutoScalingGroupName"], **numbers
    )
