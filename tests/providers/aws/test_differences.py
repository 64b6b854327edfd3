"""What differs is told as the program spells it, and what does not is not told."""

import pytest

from tests.standins.aws.differences import differences, is_within
from tests.standins.aws.paths import property_path
from tests.standins.aws.shapes import Argument, Shape
from tests.standins.kubernetes.property_values import UNKNOWN

GROUP = Shape("", (Argument("arn", "arn", type="string"), Argument("weight", "weight", "number")))
FORWARD = Shape("", (Argument("target_group", "targetGroups", block=GROUP, is_set=True),))
ACTION = Shape("", (Argument("forward", "forward", block=FORWARD, is_list=True, is_single=True),))
LISTENER = Shape(
    "aws_lb_listener",
    (
        Argument("default_action", "defaultActions", block=ACTION, is_list=True),
        Argument("load_balancer_arn", "loadBalancerArn", type="string"),
    ),
)


def told(old, new, written=None):
    found = differences(old, new, new if written is None else written)
    return {each.text: each.op for each in found}


def test_the_changed_leaf_is_told_and_not_what_holds_it():
    old = {"actions": [{"forward": {"weight": 100, "arn": "blue"}}], "port": 80}
    new = {"actions": [{"forward": {"weight": 0, "arn": "blue"}}], "port": 80}

    assert told(old, new) == {"actions[0].forward.weight": "UPDATE"}


def test_added_and_removed_properties_are_told_as_such():
    assert told({"a": "1", "b": "2"}, {"b": "2", "c": "3"}) == {"a": "DELETE", "c": "ADD"}


def test_added_and_removed_elements_are_told_by_their_places():
    assert told({"a": ["x"]}, {"a": ["x", "y"]}) == {"a[1]": "ADD"}
    assert told({"a": ["x", "y"]}, {"a": ["x"]}) == {"a[1]": "DELETE"}
    assert told({"a": [None, "y"]}, {"a": ["x", "y"]}) == {"a[0]": "ADD"}


@pytest.mark.parametrize("empty", [None, "", [], {}])
def test_empty_is_as_good_as_absent(empty):
    assert told({"tags": empty}, {}) == told({}, {"tags": empty}) == {}


def test_zero_and_false_are_values():
    assert told({"weight": 0}, {"weight": 1}) == {"weight": "UPDATE"}
    assert told({}, {"weight": 0}) == {"weight": "ADD"}
    assert told({"enabled": False}, {}) == {"enabled": "DELETE"}


def test_a_zero_that_the_provider_fills_in_is_no_difference():
    assert told({}, {"enabled": False, "delay": 0}, written={}) == {}
    assert told({"enabled": True}, {"enabled": False}, written={}) == {"enabled": "UPDATE"}


def test_what_is_computed_again_is_a_difference_only_where_the_program_asks():
    old, new = {"arn": "arn:1"}, {"arn": UNKNOWN}

    assert told(old, new, written={}) == {}
    assert told(old, new, written={"arn": UNKNOWN}) == {"arn": "UPDATE"}


def test_a_key_that_is_no_word_is_quoted():
    assert told({"tags": {"a:b": "1"}}, {"tags": {"a:b": "2"}}) == {'tags["a:b"]': "UPDATE"}


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (("load_balancer_arn",), ("loadBalancerArn",)),
        (("default_action", 0), ("defaultActions", 0)),
        (
            ("default_action", 0, "forward", 0, "target_group", 1, "weight"),
            ("defaultActions", 0, "forward", "targetGroups", 1, "weight"),
        ),
        (("nobody_knows", "that"), ("nobodyKnows", "that")),
    ],
)
def test_a_place_in_terraforms_words_is_told_in_pulumis(path, told):
    assert property_path(LISTENER, path) == told


def test_an_ignored_property_covers_its_parts_and_no_other():
    assert is_within("tags", "tags")
    assert is_within("tags.color", "tags")
    assert is_within("actions[0].weight", "actions")
    assert not is_within("tagsAll", "tags")
