"""A watch beside a color that does not answer: real servers, and requests that hang."""

import time

from bluegreen.operations.bake import BakeLimits, watch
from tests.unit.gates.web import served

HANGING_SECONDS = 12.0


def watched(**limits):
    """A watch of a color that answers at once, beside an old one that never does."""
    with (
        served(lambda visit: visit.reply()) as new,
        served(lambda visit: visit.hang(HANGING_SECONDS)) as old,
    ):
        started = time.monotonic()
        written = BakeLimits(path="/", rate=20, timeout_seconds=HANGING_SECONDS, **limits)
        baked = watch(new.url, old.url, written, tell=lambda _: None, is_stopped=lambda: False)
        return baked, time.monotonic() - started


def test_the_way_back_does_not_wait_for_requests_that_hang():
    baked, seconds = watched(seconds=60, max_p95_seconds=0.0)

    assert baked.breach is not None
    assert seconds < HANGING_SECONDS / 2


def test_an_old_color_that_hangs_makes_the_new_one_no_slower():
    baked, _ = watched(seconds=4, max_p95_seconds=1.0)

    assert baked.breach is None
    assert baked.new.count > 60
