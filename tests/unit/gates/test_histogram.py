import math
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluegreen.gates.histogram import Histogram, UnusableHistogramError

INF = math.inf
DURATIONS = st.lists(st.floats(0.001, 20), min_size=1, max_size=300)
BOUNDS = st.lists(st.floats(0.001, 10), min_size=1, max_size=12, unique=True).map(sorted)


def of_durations(durations, bounds):
    cumulative = {bound: sum(each <= bound for each in durations) for bound in [*bounds, INF]}
    return Histogram.of(cumulative)


@given(DURATIONS, BOUNDS, st.floats(0.01, 0.99))
def test_the_true_quantile_lies_in_the_bucket_that_is_told(durations, bounds, share):
    found = of_durations(durations, bounds).quantile(share)

    rank = math.ceil(share * len(durations))
    truth = np.sort(durations)[rank - 1]
    assert found.above <= truth <= found.up_to
    assert found.above <= found.value <= found.up_to


@given(DURATIONS, BOUNDS)
def test_it_grows_with_the_share(durations, bounds):
    histogram = of_durations(durations, bounds)

    values = [histogram.quantile(share).value for share in (0.1, 0.5, 0.9, 0.99)]

    assert values == sorted(values)


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=10), st.data())
def test_a_difference_and_a_sum_give_back_what_was_there(counts, data):
    bounds = [*range(1, len(counts)), INF]
    grown = [count + data.draw(st.integers(0, 50)) for count in counts]
    earlier, later = (
        Histogram.of(dict(zip(bounds, accumulate(each), strict=True))) for each in (counts, grown)
    )

    gained = later.since(earlier)

    assert Histogram.sum_of([earlier, gained]) == later
    assert gained.total == sum(grown) - sum(counts)


def test_interpolation_is_linear_and_starts_at_zero():
    histogram = Histogram.of({0.1: 0, 0.5: 50, 1.0: 100, INF: 100})

    assert histogram.quantile(0.25).value == pytest.approx(0.3)
    assert histogram.quantile(0.99).value == pytest.approx(0.99)
    assert Histogram.of({0.4: 10, INF: 10}).quantile(0.5).value == pytest.approx(0.2)


def test_beyond_the_last_bound_only_the_least_is_known():
    found = Histogram.of({0.1: 90, 0.25: 95, INF: 100}).quantile(0.99)

    assert (found.value, found.is_only_a_lower_bound) == (0.25, True)


def test_nothing_has_no_quantile():
    assert Histogram.of({0.1: 0, INF: 0}).quantile(0.99) is None
    assert Histogram.of({INF: 7}).quantile(0.99) is None


@pytest.mark.parametrize(
    ("cumulative", "why"),
    [
        ({}, "no +Inf bucket"),
        ({0.1: 1, 0.5: 2}, "no +Inf bucket"),
        ({0.1: 1, INF: math.nan}, "its bucket inf is nan"),
        ({0.1: -1, INF: 2}, "its bucket 0.1 is -1"),
        ({0.1: 5, INF: 2}, "less than the bucket before it"),
    ],
)
def test_what_is_no_histogram_is_refused(cumulative, why):
    with pytest.raises(UnusableHistogramError) as refusal:
        Histogram.of(cumulative)

    assert why in str(refusal.value)


def test_a_reset_is_noticed():
    before, after = Histogram.of({1: 5, INF: 9}), Histogram.of({1: 5, INF: 8})

    with pytest.raises(UnusableHistogramError, match="reset"):
        after.since(before)


def test_other_buckets_have_no_sum_and_no_difference():
    one, other = Histogram.of({1: 5, INF: 9}), Histogram.of({2: 5, INF: 9})

    with pytest.raises(UnusableHistogramError, match="different buckets"):
        Histogram.sum_of([one, other])
    with pytest.raises(UnusableHistogramError, match="buckets changed"):
        one.since(other)
