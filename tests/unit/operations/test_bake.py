import pytest

from bluegreen.operations.bake import BakeLimits, Level, Sample, judge, sample_of

LIMITS = BakeLimits(seconds=60, path="/")
GOOD = Sample(count=100, failed=0, p95_seconds=0.1)


@pytest.mark.parametrize(
    ("new", "old", "level"),
    [
        (Sample(19, 19, 9.0), GOOD, Level.TOO_FEW),
        (GOOD, GOOD, Level.FINE),
        (GOOD, None, Level.FINE),
        # One failed request of a hundred is no evidence.
        (Sample(100, 1, 0.1), None, Level.FINE),
        (Sample(100, 2, 0.1), None, Level.BREACH),
        (Sample(100, 0, 0.16), GOOD, Level.WARNING),
        (Sample(100, 0, 0.199), GOOD, Level.WARNING),
        (Sample(100, 0, 0.2), GOOD, Level.BREACH),
        # Three times of next to nothing is noise.
        (Sample(100, 0, 0.009), Sample(100, 0, 0.003), Level.FINE),
        # An old color that answers nothing is no measure.
        (Sample(100, 0, 9.0), Sample(100, 100, 0.0), Level.FINE),
    ],
)
def test_what_the_figures_mean(new, old, level):
    assert judge(new, old, LIMITS).level is level


def test_an_absolute_limit_holds_without_a_comparison():
    limits = BakeLimits(seconds=60, path="/", max_p95_seconds=0.05)

    finding = judge(GOOD, None, limits)

    assert finding.level is Level.BREACH
    assert finding.reasons == ("p95 is 0.100 s (limit 0.05 s)",)


def test_a_failed_request_is_an_error_and_no_time():
    sample = sample_of([(0.1, True)] * 19 + [(0.2, True)] + [(5.0, False)] * 2)

    assert sample == Sample(count=22, failed=2, p95_seconds=0.1)
    assert sample.error_rate == pytest.approx(2 / 22)
