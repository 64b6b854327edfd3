import sys
import threading
import time

import pytest

from bluegreen.gates.gate import Deadline
from bluegreen.gates.warm_up import WarmUpCommand, WarmUpRequests


def a_gate(**changes):
    defaults = {"name": "caches", "paths": ("/a", "/b"), "requests": 20, "concurrency": 4}
    return WarmUpRequests(**{**defaults, "request_timeout_seconds": 0.3, **changes})


def test_so_many_good_answers_pass(serve, a_subject):
    web = serve(lambda visit: visit.reply())

    verdict = a_gate().check(a_subject(web.url, {"X-Color": "green"}), Deadline(5))

    assert verdict.passed
    assert not verdict.is_warning
    assert (verdict.value, verdict.limit) == ("20 good answers", "20 good answers")
    assert len(web.heads) == 20
    assert sum(head.startswith("GET /a ") for head in web.heads) == 10
    assert all("X-Color: green\r\n" in head for head in web.heads)


def test_bad_answers_are_asked_again_and_counted(serve, a_subject):
    web = serve(lambda visit: visit.reply(503 if visit.number <= 3 else 200))

    verdict = a_gate().check(a_subject(web.url), Deadline(5))

    assert verdict.passed
    assert verdict.is_warning
    assert verdict.reason.startswith("20 good answers, and 3 others: GET /")
    assert len(web.heads) == 23


def test_requests_are_under_way_at_the_same_time_but_not_too_many(serve, a_subject):
    lock, now, most = threading.Lock(), [0], [0]

    def behave(visit):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.05)
        with lock:
            now[0] -= 1
        visit.reply()

    a_gate(concurrency=3).check(a_subject(serve(behave).url), Deadline(5))

    assert 2 <= most[0] <= 3


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (lambda visit: visit.reply(500), "answered 500"),
        (lambda visit: visit.hang(), "no complete answer"),
        (lambda visit: visit.reset(), "broke off"),
        (lambda visit: visit.reply(302, headers="location: /\r\n"), "answered 302"),
    ],
)
def test_a_color_that_does_not_get_going_is_refused_in_time(serve, a_subject, behave, reason):
    started = time.monotonic()

    verdict = a_gate().check(a_subject(serve(behave).url), Deadline(0.5))

    assert time.monotonic() - started < 10
    assert not verdict.passed
    assert verdict.reason.startswith("only 0 good answers, and ")
    assert reason in verdict.reason


def test_a_program_may_prepare_the_color(a_subject):
    arguments = (sys.executable, "-c", "print('warm')")

    verdict = WarmUpCommand(name="index", arguments=arguments).check(a_subject(), Deadline(10))

    assert verdict.passed
    assert "warm" in verdict.reason


@pytest.mark.parametrize("gate", [a_gate(), WarmUpCommand(name="index", arguments=("true",))])
def test_what_prepares_the_color_goes_first_and_not_in_a_preview(gate):
    assert gate.runs_first
    assert not gate.runs_in_preview
