"""Each lie of moto, and that the cloud does not tell it. One that fails at moto is mended there."""

from typing import Any

import pytest

from tests.aws_cloud import lies
from tests.aws_cloud.shop import Shop

NOT_IN_USE = ("unused", "Target.NotInUse")
REFUSED = "a page"
"""moto's own error, which boto3 cannot read."""

OWN_TAGS = {"ResourceType": "launch-template", "Tags": [{"Key": "team", "Value": "shop"}]}

LIES: list[tuple[lies.Question, Any, Any]] = [
    (lies.a_group_that_no_listener_uses, [("healthy", None)], [NOT_IN_USE]),
    (
        lies.a_target_where_nobody_listens,
        [("healthy", None)],
        [("unhealthy", "Target.FailedHealthChecks")],
    ),
    (
        lies.a_target_that_was_just_deregistered,
        [],
        [("draining", "Target.DeregistrationInProgress")],
    ),
    (
        lies.a_switch_to_a_group_that_is_not_there,
        (None, False),
        ("TargetGroupNotFound", True),
    ),
    (lies.a_weight_of_1000, None, "ValidationError"),
    (lies.six_groups_in_one_action, None, "ValidationError"),
    (lies.clients_that_stay_for_a_month, None, "ValidationError"),
    (lies.a_group_of_another_load_balancer, None, "TargetGroupAssociationLimit"),
    (
        lies.the_port_after_a_change_that_was_refused,
        ("UnsupportedProtocol", 444),
        ("UnsupportedProtocol", 443),
    ),
    (lies.a_second_listener_on_a_port, None, "DuplicateListener"),
    (lies.https_without_a_certificate, None, "ValidationError"),
    (lies.a_policy_of_tls_that_is_not_there, None, "SSLPolicyNotFound"),
    (lies.what_is_told_of_a_plain_forward, (True, []), (True, [1])),
    (lies.what_is_told_of_a_forward_to_one_group, False, True),
    (lies.the_order_of_rules, ["30", "4", "200", "default"], ["4", "30", "200", "default"]),
    (lies.a_priority_of_50001, None, "ValidationError"),
    (lies.a_change_of_the_default_rule, None, "OperationNotPermitted"),
    (lies.the_deletion_of_a_rule_that_is_not_there, None, "RuleNotFound"),
    (
        lies.who_uses_the_groups_after_a_plain_switch,
        {"blue": 1, "green": 1},
        {"blue": 0, "green": 1},
    ),
    (
        lies.an_instance_that_was_just_started,
        ("running", "terminated"),
        ("pending", "shutting-down"),
    ),
    (
        lies.targets_after_a_scale_in,
        (["healthy", "healthy", "healthy"], 1),
        (["draining", "draining", "healthy"], 3),
    ),
    (lies.where_the_instances_of_a_group_are, 1, 2),
    (lies.what_an_instance_was_launched_from, "1", "2"),
    (lies.a_group_of_a_second_version_with_user_data, REFUSED, None),
    (lies.what_a_template_with_tags_makes_instances_from, [OWN_TAGS], []),
    (lies.the_tags_of_a_template_after_a_change, [], OWN_TAGS["Tags"]),
    (lies.more_instances_than_the_maximum, None, "ValidationError"),
    (lies.a_maximum_below_the_minimum, None, "ValidationError"),
    (lies.a_second_group_of_the_same_name, None, "AlreadyExists"),
    (
        lies.what_is_left_of_a_group_that_was_refused,
        ("TargetGroupNotFound", 1),
        ("ValidationError", 0),
    ),
    (lies.the_capacity_of_a_group_that_is_not_there, REFUSED, "ValidationError"),
    (lies.the_deletion_of_a_group_with_instances, None, "ResourceInUse"),
    (lies.an_instance_refresh, REFUSED, None),
    (lies.a_refresh_that_ends_more_than_it_may, REFUSED, "ValidationError"),
    (lies.an_instance_of_an_image_that_is_not_there, None, "InvalidAMIID.NotFound"),
    (lies.a_group_of_an_image_that_is_not_there, None, "ValidationError"),
    (lies.what_a_group_has_done, [], [("Successful", "Launching a new EC2 instance")]),
]

TRUTHS: list[tuple[lies.Question, Any]] = [
    (lies.what_is_told_of_a_forward_to_two_groups, (False, {"Enabled": False})),
    (lies.a_priority_that_another_rule_has, "PriorityInUse"),
    (lies.the_deletion_of_a_group_in_use, "ResourceInUse"),
    (lies.the_capacity_when_its_bounds_move, (2, 1)),
]


def name_of(value: Any) -> str:
    return value.__name__ if callable(value) else ""


@pytest.mark.parametrize(("question", "lie", "truth"), LIES, ids=name_of)
def test_moto_lies_about(question: lies.Question, lie: Any, truth: Any, plain_shop: Shop) -> None:
    assert question(plain_shop) == lie != truth


@pytest.mark.parametrize(("question", "lie", "truth"), LIES, ids=name_of)
def test_the_cloud_is_honest_about(
    question: lies.Question, lie: Any, truth: Any, shop: Shop
) -> None:
    assert question(shop) == truth


@pytest.mark.parametrize(("question", "truth"), TRUTHS, ids=name_of)
def test_moto_and_the_cloud_agree_about(
    question: lies.Question, truth: Any, plain_shop: Shop, shop: Shop
) -> None:
    assert question(plain_shop) == truth
    assert question(shop) == truth
