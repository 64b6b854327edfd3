"""What the last update left, by outputs and history."""

import pytest

from bluegreen.operations.standing import standings_of
from tests.unit.operations.test_history import an_update

BLUE = {"active_color": "blue", "releases": {"blue": "1.0", "green": "1.1"}}


def with_canary(minute, percent, color="green", **more):
    update = an_update(minute, "blue", **more)
    update.config["shop:canary"] = {"color": color, "percent": percent}
    return update


def shares(*updates, outputs=BLUE):
    """Newest first goes in."""
    return {each.color: each.percent for each in standings_of(outputs, updates, "shop")}


def test_both_colors_are_as_the_outputs_have_them():
    outputs = {"active_color": "green", "releases": {"blue": "1.0"}}

    blue, green = standings_of(outputs, [an_update(0, "green")], "shop")

    assert (blue.color, blue.is_active, blue.release, blue.percent) == ("blue", False, "1.0", 0)
    assert (green.color, green.is_active, green.release, green.percent) == (
        ("green", True, None, 100)
    )


@pytest.mark.parametrize("outputs", [{}, {"active_color": None}, {"active_color": ["blue"]}])
def test_where_nothing_is_deployed_there_is_no_color(outputs):
    assert standings_of(outputs, [], "shop") == ()


def test_a_canary_has_its_share_while_it_is_idle():
    assert shares(with_canary(0, 10)) == {"blue": 90, "green": 10}
    assert shares(with_canary(0, 10, color="blue")) == {"blue": 100, "green": 0}
    assert shares(with_canary(0, 700)) == {"blue": 100, "green": 0}


def test_a_switch_that_was_refused_leaves_the_shares_that_were_recorded():
    refused = an_update(10, "green", result="failed")

    assert shares(refused, with_canary(0, 10)) == {"blue": 90, "green": 10}


def test_shares_that_a_failed_update_may_have_changed_are_not_known():
    assert shares(with_canary(10, 50, result="failed"), with_canary(0, 10)) == {
        "blue": None,
        "green": None,
    }
    assert shares(an_update(0, "green")) == {"blue": None, "green": None}
    assert shares(with_canary(20, 0), with_canary(10, 50, result="failed")) == {
        "blue": 100,
        "green": 0,
    }
