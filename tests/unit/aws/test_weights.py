import pytest
from hypothesis import given

from bluegreen.aws.weights import forward_weights, property_weights, route_of, weights_of
from bluegreen.traffic import Route, TrafficSplit
from tests.unit.aws.answers import ARNS, BLUE, GREEN, STRANGER, a_forward
from tests.unit.strategies import routes


def read(**weights):
    return route_of(forward_weights([a_forward(**weights)]), ARNS)


@given(routes.filter(lambda route: route.split.share_of(route.active) > 0))
def test_weights_say_every_route_there_is(route):
    written = {ARNS[color]: weight for color, weight in weights_of(route).items()}

    assert route_of(written, ARNS) == route


@given(routes)
def test_no_weight_is_more_than_a_load_balancer_takes(route):
    assert all(0 <= weight <= 999 for weight in weights_of(route).values())


@pytest.mark.parametrize(
    ("weights", "active", "blue"),
    [
        ({"blue": 1, "green": 0}, BLUE, 100),
        ({"blue": 0, "green": 999}, GREEN, 0),
        ({"blue": 1, "green": 3}, GREEN, 25),
        ({"blue": 998, "green": 1}, BLUE, 99),
        ({"blue": 1, "green": 998}, GREEN, 1),
        ({"blue": 0, "green": 200}, GREEN, 0),
        # As a script writes it, which names one target group alone.
        ({"green": 1}, GREEN, 0),
    ],
)
def test_weights_of_somebodys_hand_are_read_as_shares(weights, active, blue):
    assert read(**weights) == Route(active, TrafficSplit(blue=blue, green=100 - blue))


@pytest.mark.parametrize("weights", [{"blue": 0, "green": 0}, {"blue": 50, "stranger": 50}])
def test_weights_that_reach_nobody_or_somebody_else_are_no_route(weights):
    assert read(**weights) is None


def test_a_stranger_without_a_share_is_no_route_either():
    # The next hand could give it one, and no gate would be asked.
    assert read(blue=100, stranger=0) is None


@pytest.mark.parametrize(
    "actions",
    [
        [],
        [{"Type": "redirect"}],
        [{"Type": "authenticate-oidc"}, a_forward(blue=100)],
        [{"Type": "forward"}],
    ],
)
def test_what_is_not_one_forward_has_no_weights(actions):
    assert forward_weights(actions) is None


def test_a_forward_to_one_target_group_may_be_told_the_short_way():
    assert forward_weights([{"Type": "forward", "TargetGroupArn": STRANGER}]) == {STRANGER: 1}


def test_properties_of_a_resource_say_the_same():
    groups = [{"arn": "a", "weight": 90.0}, {"arn": "b", "weight": 10.0, "__defaults": []}]

    assert property_weights([{"type": "forward", "forward": {"targetGroups": groups}}]) == {
        "a": 90,
        "b": 10,
    }
    assert property_weights([{"type": "forward", "targetGroupArn": "a"}]) == {"a": 1}
    assert property_weights([{"type": "forward", "targetGroupArn": ""}]) is None
    assert property_weights([{"type": "redirect"}]) is None
