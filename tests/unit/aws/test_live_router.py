import pytest

from bluegreen.aws.live_router import LiveListener, LiveRule
from bluegreen.errors import DataPlaneError, UnreadableTrafficError
from bluegreen.settings.aws import ListenerRuleSettings
from bluegreen.traffic import Route, TrafficSplit
from tests.unit.aws.answers import (
    ARNS,
    BALANCER,
    BLUE,
    GREEN,
    LISTENER,
    PREFIX,
    FakeAws,
    a_forward,
    a_group,
    a_listener,
    anchors_of,
    groups_of,
)

RULE = ListenerRuleSettings(listener_arn=LISTENER, priority=10, hosts=("shop.example",))


def listener(*listeners, **answers):
    aws = FakeAws(describe_listeners={"Listeners": list(listeners)}, **answers)
    return LiveListener(443, aws, anchors_of(aws))


def rule(*rules):
    aws = FakeAws(describe_rules={"Rules": list(rules)})
    return LiveRule(RULE, aws, anchors_of(aws))


def a_rule(*actions, priority=10, name="3"):
    arn = f"{PREFIX}:listener-rule/app/front/1/2/{name}"
    return {"RuleArn": arn, "Priority": str(priority), "Actions": list(actions)}


def unreadable(router):
    with pytest.raises(UnreadableTrafficError) as caught:
        router.route()
    return str(caught.value)


# A listener.


def test_the_listener_on_the_port_of_production_says_who_has_what():
    router = listener(
        a_listener(a_forward(green=100, blue=0), port=8443, arn="test"),
        a_listener(a_forward(blue=90, green=10)),
    )

    assert router.route() == Route(BLUE, TrafficSplit(blue=90, green=10))
    assert router.arn() == LISTENER


def test_without_a_listener_nothing_is_live():
    router = listener(a_listener(a_forward(blue=100), port=8443))

    assert router.route() is None
    assert router.arn() is None


def test_a_listener_of_somebody_else_is_named_with_where_it_leads_to():
    text = unreadable(listener(a_listener(a_forward(stranger=100))))

    assert text == (
        "the listener on port 443 forwards to other target groups than this service's: other 100"
    )


def test_a_listener_that_forwards_nowhere_says_what_it_does_instead():
    text = unreadable(listener(a_listener({"Type": "fixed-response"})))

    assert text == (
        "the listener on port 443 does not forward to target groups: its actions are fixed-response"
    )


def test_a_load_balancer_that_does_not_answer_is_no_first_deployment():
    aws = FakeAws(describe_listeners=DataPlaneError("elasticloadbalancing:… has no answer"))

    with pytest.raises(DataPlaneError, match="has no answer"):
        LiveListener(443, aws, anchors_of(aws)).route()


# A rule.


def test_the_rule_with_our_target_groups_is_ours_whatever_its_priority():
    router = rule(
        a_rule(a_forward(stranger=100), priority=1, name="other"),
        a_rule(a_forward(blue=0, green=100), priority=77),
        a_rule({"Type": "fixed-response"}, priority="default"),
    )

    assert router.route() == Route(GREEN, TrafficSplit(blue=0, green=100))
    assert router.arn().endswith("/3")


def test_of_two_rules_with_our_target_groups_the_one_with_the_priority_is_ours():
    router = rule(
        a_rule(a_forward(blue=100, green=0), priority=5, name="by-hand"),
        a_rule(a_forward(blue=0, green=100)),
    )

    assert router.route().active is GREEN


def test_a_rule_that_was_led_away_by_hand_is_still_seen_at_its_priority():
    text = unreadable(rule(a_rule(a_forward(stranger=1))))

    assert text.startswith("the listener rule with priority 10 forwards to other target groups")


def test_without_a_rule_nothing_is_live():
    assert rule(a_rule(a_forward(stranger=1), priority=9)).route() is None


# Where both are, before Pulumi knows it.


def test_what_the_program_does_not_know_yet_is_found_behind_the_groups():
    balancers = {"TargetGroups": [{"LoadBalancerArns": [BALANCER]}, {"LoadBalancerArns": []}]}
    aws = FakeAws(
        describe_auto_scaling_groups=groups_of(blue=a_group("blue"), green=a_group("green")),
        describe_target_groups=balancers,
        describe_listeners={"Listeners": [a_listener(a_forward(blue=100, green=0))]},
    )
    anchors = anchors_of(aws, learnt=False)

    assert anchors.target_groups() == ARNS
    assert LiveListener(443, aws, anchors).route().active is BLUE
