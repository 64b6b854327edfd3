import json

import pytest

from bluegreen.colors import Color
from bluegreen.gates.feature_flags import FeatureFlagsGate, flag_differences
from bluegreen.gates.gate import Deadline, Endpoint

BLUE = {"new_checkout": False, "limits": {"cart": 10}, "old_search": True}
GREEN = {"new_checkout": True, "limits": {"cart": 10}, "beta": ["ann"]}


def say(flags, status=200):
    return lambda visit: visit.reply(status, flags)


@pytest.fixture
def asked(serve, a_subject):
    def ask(green=GREEN, blue=BLUE, seconds=0.3, subject=None, **changes):
        urls = [serve(behave if callable(behave) else say(behave)).url for behave in (green, blue)]
        described = {"live_endpoint": Endpoint(urls[1]), **(subject or {})}
        gate = FeatureFlagsGate(
            **{"name": "flags", "request_timeout_seconds": 0.2, "interval_seconds": 0.05, **changes}
        )
        return gate.check(a_subject(urls[0], **described), Deadline(seconds))

    return ask


def test_the_flags_are_recorded_and_the_difference_is_shown(asked):
    verdict = asked()

    assert verdict.passed
    assert not verdict.is_warning
    assert json.loads(verdict.value) == {
        "beta": ["ann"],
        "limits.cart": 10,
        "new_checkout": True,
    }
    assert verdict.reason == (
        'the flags of green and blue differ: beta is new: ["ann"], new_checkout false → true,'
        " old_search is gone, was true"
    )
    assert verdict.limit == "none, only recorded"


def test_a_difference_refuses_where_none_is_wanted(asked):
    verdict = asked(must_equal_live=True)

    assert not verdict.passed
    assert "new_checkout false → true" in verdict.reason
    assert verdict.limit == "as in the live color"


def test_flags_that_are_the_same_pass(asked):
    verdict = asked(green=BLUE, must_equal_live=True)

    assert verdict.passed
    assert verdict.reason == "the flags of green and blue are the same"


def test_a_flag_that_is_ignored_is_recorded_and_not_compared(asked):
    verdict = asked(must_equal_live=True, ignore=("new_checkout", "beta", "old_search"))

    assert verdict.passed
    assert json.loads(verdict.value)["new_checkout"] is True


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        ({"new_checkout": False}, "new_checkout is true, not false"),
        ({"new_checkout": 1}, "new_checkout is true, not 1"),
        ({"limits.cart": 11}, "limits.cart is 10, not 11"),
        ({"old_search": True}, "there is no flag old_search"),
        ({"new_checkout": True, "limits.cart": 10}, None),
    ],
)
def test_a_flag_of_which_a_value_is_demanded_has_it_or_refuses(asked, wanted, problem):
    verdict = asked(json_equals=wanted)

    assert verdict.passed is (problem is None)
    assert problem is None or problem in verdict.reason


@pytest.mark.parametrize(
    ("green", "problem"),
    [
        (say({"error": "gone"}, 404), "answered 404, not 200"),
        (say([1, 2]), "the flags are [1, 2], not an object"),
        (say(b"<html>"), "the answer is not JSON"),
        (lambda visit: visit.hang(), "no complete answer"),
    ],
)
def test_flags_that_cannot_be_fetched_are_a_warning_and_refuse_only_what_was_demanded(
    asked, green, problem
):
    told, refused = asked(green=green), asked(green=green, must_equal_live=True)

    assert (told.passed, told.is_warning, refused.passed) == (True, True, False)
    assert "the flags of green are not known: " in told.reason
    assert problem in told.reason


def test_a_live_color_that_does_not_say_is_a_warning_or_a_refusal(asked):
    blue = say({}, 500)

    told, refused = asked(blue=blue), asked(blue=blue, must_equal_live=True)

    assert (told.passed, told.is_warning, refused.passed) == (True, True, False)
    assert "3 flags of green; those of blue are not known: " in told.reason
    assert json.loads(told.value)["new_checkout"] is True


@pytest.mark.parametrize(
    "subject", [{"live_color": None, "live_endpoint": None}, {"live_color": Color.GREEN}]
)
def test_without_another_color_there_is_nothing_to_compare(asked, subject):
    verdict = asked(subject=subject, must_equal_live=True)

    assert verdict.passed
    assert verdict.reason == "3 flags of green; no other color is live"


def test_the_flags_may_be_inside_of_the_answer(asked):
    assert asked(green={"flags": BLUE}, blue={"flags": BLUE}, json_field="flags").passed


def test_many_differences_are_counted():
    differences = flag_differences({}, {f"f{number}": True for number in range(100)})

    assert len(differences) == 100


def test_a_truth_and_a_one_are_different_flags():
    assert flag_differences({"a": 1}, {"a": True}) == ["a 1 → true"]
