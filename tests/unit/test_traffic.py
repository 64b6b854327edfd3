import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bluegreen.colors import Color
from bluegreen.traffic import Route, TrafficSplit
from tests.unit.strategies import colors, splits

given_any = settings(deadline=None, max_examples=100)


@pytest.mark.parametrize(("blue", "green"), [(50, 49), (101, -1), (-1, 101), (0, 0), (100, 100)])
def test_shares_that_are_not_those_of_a_whole_are_refused_with_both_figures(blue, green):
    with pytest.raises(ValueError, match=f"blue {blue} and green {green} does not sum to 100"):
        TrafficSplit(blue=blue, green=green)


@pytest.mark.parametrize("percent", [-1, 101])
def test_a_canary_beyond_the_whole_is_refused(percent):
    with pytest.raises(ValueError, match="does not sum to 100"):
        TrafficSplit.with_canary(Color.BLUE, percent)


@pytest.mark.parametrize("color", list(Color))
def test_all_to_one_color_leaves_nothing_for_the_other(color):
    split = TrafficSplit.all_to(color)

    assert (split.share_of(color), split.share_of(color.other)) == (100, 0)
    assert split.colors == {color}


@given_any
@given(colors, st.integers(0, 100))
def test_the_canary_is_the_share_of_the_idle_color(active, percent):
    split = TrafficSplit.with_canary(active, percent)

    assert split.share_of(active.other) == percent
    assert split.share_of(active) == 100 - percent


@given_any
@given(splits)
def test_a_split_is_read_in_the_order_of_the_colors(split):
    assert list(split) == [(Color.BLUE, split.blue), (Color.GREEN, split.green)]
    assert split.colors == {color for color, share in split if share > 0}


@given_any
@given(splits, splits)
def test_a_color_rises_when_its_share_grows_and_at_most_one_does(after, before):
    rising = after.rising_since(before)

    assert rising == tuple(
        color for color in Color if after.share_of(color) > before.share_of(color)
    )
    assert len(rising) == (after != before)


@given_any
@given(splits)
def test_every_share_rises_from_nothing(split):
    assert set(split.rising_since(None)) == split.colors


@pytest.mark.parametrize(
    ("split", "text"),
    [
        (TrafficSplit(100, 0), "100 % blue"),
        (TrafficSplit(0, 100), "100 % green"),
        (TrafficSplit(90, 10), "90 % blue, 10 % green"),
        (TrafficSplit(1, 99), "1 % blue, 99 % green"),
    ],
)
def test_a_split_reads_as_its_shares(split, text):
    assert str(split) == text


def test_splits_and_routes_are_values():
    route = Route(Color.BLUE, TrafficSplit(90, 10))

    assert route == Route(Color.BLUE, TrafficSplit.with_canary(Color.BLUE, 10))
    assert len({route, Route(Color.GREEN, route.split)}) == 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        route.active = Color.GREEN
