import json
from dataclasses import replace

import pytest

from bluegreen.load import Outcome
from tests.demo.builders import (
    BASELINE,
    CONTROL,
    REFUSED,
    TO_BLUE,
    TO_GREEN,
    a_recording,
    observations,
)
from tools.demo.report import make_report, problems_of

FIELDS = {"requests", "failed", "stale", "rate", "switches", "switch_write_ms", "up_seconds"}
FIELDS |= {"p99_ms", "baseline_p99_ms", "control", "refusal", "left_over", "problems"}


def finished(seen):
    return make_report(seen).finished(seconds=90.0, left_over=[])


def test_a_demo_without_a_fault_has_no_problems_and_counts_what_it_counted_in():
    report = finished(observations())

    assert report.problems == ()
    assert (report.requests, report.failed, report.stale) == (600, 0, 0)
    # From 114 to 140, and from 144 to 160.
    assert report.stale_of == 260 + 160
    assert report.switches == 2
    assert report.rate == pytest.approx(10, abs=0.01)


def test_the_json_has_the_promised_fields():
    written = json.loads(finished(observations()).to_json())

    assert written.keys() >= FIELDS
    assert written["switch_write_ms"] == {"min": 0.2, "median": 0.3, "max": 0.4}
    assert written["up_seconds"] == {"min": 4.0, "median": 4.0, "max": 4.0}


@pytest.mark.parametrize("outcome", [kind for kind in Outcome if kind is not Outcome.OK])
def test_a_request_without_a_complete_2xx_answer_fails_the_demo(outcome):
    status = 503 if outcome is Outcome.HTTP_ERROR else 0
    recording = a_recording({"sent": 108.0, "outcome": outcome, "status": status, "color": ""})

    report = finished(observations(recording))

    assert report.failed == 1
    assert report.failures == {str(outcome): 1}
    assert report.problems == ("1 of 601 requests failed",)


def test_an_answer_of_the_old_color_after_the_return_is_stale_and_fails_the_demo():
    recording = a_recording({"sent": 115.0, "color": "blue"}, {"sent": 113.9, "color": "blue"})

    report = finished(observations(recording))

    assert report.stale == 1
    assert report.problems == ("1 of 421 requests got a stale answer",)


def test_the_stale_control_counts_the_same_recording_from_the_start_of_each_switch():
    report = finished(observations())

    # The old color answered for 2 seconds of each `up`, until the write.
    assert report.control["stale"]["stale"] == 40
    assert report.control["stale"]["requests"] == 300 + 200


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"failed_control": replace(CONTROL, failed=0)}, "the control that must fail did not fail"),
        ({"refusal": replace(REFUSED, exit_code=0)}, "blue 1.2 was not refused"),
        (
            {"refusal": replace(REFUSED, answer_after="blue 1.2")},
            "after the refusal production answered 'blue 1.2'",
        ),
        (
            {"recording": a_recording({"sent": 125.0, "color": "blue"})},
            "1 requests left green although it was refused",
        ),
        (
            {"recording": a_recording(seconds=43)},
            "the load did not last: after a switch no request was sent",
        ),
    ],
)
def test_what_shows_nothing_or_went_wrong_is_named(changes, problem):
    assert problem in finished(observations(**changes)).problems


def test_a_stale_control_of_zero_is_named():
    # An `up` that returns at once leaves the old color no time to answer.
    at_once = [
        replace(move, started=move.written, returned=move.written) for move in (TO_GREEN, TO_BLUE)
    ]

    report = finished(observations(moves=at_once))

    assert report.problems == ("the control that must be stale was not stale",)


def test_what_is_left_over_fails_the_demo_and_keeping_it_does_not():
    report = make_report(observations())

    assert report.finished(seconds=1, left_over=["port 18080: pid 1"]).problems == (
        "left over: port 18080: pid 1",
    )
    assert report.finished(seconds=1, left_over=None).problems == ()


def test_latency_is_told_for_the_switches_and_for_the_baseline_apart():
    in_switch = {"intended": 111.0, "sent": 111.0, "ended": 111.5}
    in_baseline = {"intended": BASELINE[0], "sent": BASELINE[0], "ended": BASELINE[0] + 0.25}
    elsewhere = {"intended": 150.0, "sent": 150.0, "ended": 151.0}

    report = make_report(observations(a_recording(in_switch, in_baseline, elsewhere)))

    # One in 81 and one in 61 are within the slowest percent.
    assert (report.p99_requests, report.baseline_requests) == (81, 61)
    assert (report.p99_ms, report.baseline_p99_ms, report.max_ms) == (500.0, 250.0, 1000.0)


def test_problems_are_judged_on_the_whole_report():
    report = replace(finished(observations()), requests=0)

    assert "no request was sent, so nothing was shown" in problems_of(report)
