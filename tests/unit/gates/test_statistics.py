import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.gates.histogram import Histogram
from bluegreen.gates.statistics import Shares, compare_errors, compare_latencies, is_above

BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, math.inf)
NORMAL = (500, 300, 150, 40, 10, 0)
COUNTS = st.lists(st.integers(0, 3000), min_size=6, max_size=6).filter(any)


def errors(rising, live, **changes):
    return compare_errors(
        Shares(*rising), Shares(*live), **{"alpha": 0.01, "max_ratio": 1.2, **changes}
    )


def latencies(rising, live, **changes):
    settings = {"quantile": 0.99, "alpha": 0.01, "max_ratio": 1.2, **changes}
    return compare_latencies(Histogram(BOUNDS, rising), Histogram(BOUNDS, live), **settings)


def test_the_p_value_is_that_of_the_table_in_the_textbook():
    # The lady tasting tea, three of four right.
    assert errors((3, 4), (1, 4)).p_value == pytest.approx(17 / 70)


def test_many_more_errors_are_worse_although_the_live_color_has_more_of_them():
    found = errors((30, 1000), (100, 50_000))

    assert found.is_worse
    assert found.ratio == pytest.approx(15)


def test_a_few_errors_may_be_chance():
    assert not errors((3, 300), (0, 3000), alpha=0.0001).is_worse


def test_no_errors_at_all_are_no_difference():
    found = errors((0, 500), (0, 500))

    assert (found.ratio, found.is_worse) == (1.0, False)


def test_a_trifle_of_a_difference_does_not_stop_anything_however_certain_it_is():
    found = errors((10_500, 1_000_000), (10_000, 1_000_000))

    assert found.p_value < 0.001
    assert not found.is_worse


def test_errors_beside_none_are_infinitely_more():
    found = errors((30, 1000), (0, 1000))

    assert (found.ratio, found.is_worse) == (math.inf, True)


@given(st.integers(0, 400), st.integers(1, 400), st.integers(0, 400), st.integers(1, 400))
def test_never_both_colors_are_worse(hits, more, other_hits, other_more):
    one, other = (hits, hits + more), (other_hits, other_hits + other_more)

    assert not (errors(one, other).is_worse and errors(other, one).is_worse)


def test_slower_in_general_is_seen():
    found = latencies((300, 300, 300, 80, 20, 0), (900, 60, 30, 9, 1, 0))

    assert found.is_worse


def test_slower_in_the_tail_only_is_seen():
    found = latencies((500, 300, 100, 10, 90, 0), NORMAL)

    assert found.is_worse
    assert found.test == "Fisher's exact test of the tail"


def test_equal_and_faster_colors_pass():
    assert not latencies(NORMAL, NORMAL).is_worse
    assert not latencies((900, 100, 0, 0, 0, 0), NORMAL).is_worse


def test_all_in_one_bucket_says_nothing():
    found = latencies((1000, 0, 0, 0, 0, 0), (500, 0, 0, 0, 0, 0))

    assert (found.p_value, found.is_worse) == (1.0, False)


@given(COUNTS, COUNTS)
def test_any_counts_have_a_verdict(rising, live):
    there, back = latencies(tuple(rising), tuple(live)), latencies(tuple(live), tuple(rising))

    assert 0 <= there.p_value <= 1
    assert 0 <= back.p_value <= 1


def test_millions_of_requests_are_compared_in_no_time():
    many = tuple(count * 100_000 for count in NORMAL)

    assert not latencies(many, many).is_worse


def test_few_requests_are_above_a_limit_only_when_it_is_certain():
    assert is_above(Shares(20, 20), 0.05, 0.01)
    assert not is_above(Shares(1, 10), 0.05, 0.01)
    assert not is_above(Shares(0, 0), 0.05, 0.01)
