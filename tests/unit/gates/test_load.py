import re
import threading
import time

import pytest

from bluegreen.gates.gate import Deadline
from bluegreen.gates.load import LoadGate
from bluegreen.gates.paced import OwnRequests


def a_gate(rate=100.0, timeout_seconds=1.0, path="/", **changes):
    requests = OwnRequests(path, rate, timeout_seconds)
    return LoadGate(**{"requests": requests, "window_seconds": 0.5, **changes})


def test_a_color_that_bears_it_passes_with_the_figures(serve, a_subject):
    web = serve(lambda visit: visit.reply(body=b"ok"))
    pinned = {"X-Bluegreen-Color": "green"}

    verdict = a_gate(path="/cart?n=1").check(a_subject(web.url, headers=pinned), Deadline(20))

    assert verdict.passed, verdict
    assert "0 % (0 of 50) failed" in verdict.reason
    assert verdict.limit == "p99 0.5 s, 0 % failed"
    assert verdict.value.startswith("p99 0.")
    assert len(web.heads) == 50
    assert all(
        "GET /cart?n=1 " in head and "X-Bluegreen-Color: green" in head for head in web.heads
    )


def test_a_slow_color_is_refused(serve, a_subject):
    def slow(visit):
        time.sleep(0.2)
        visit.reply(body=b"ok")

    web = serve(slow)

    verdict = a_gate(limit_seconds=0.1).check(a_subject(web.url), Deadline(20))

    assert not verdict.passed
    assert "p99 is above 0.1 s" in verdict.reason


@pytest.mark.parametrize(
    ("behave", "kind"),
    [
        (lambda visit: visit.reply(500), "http_error"),
        (lambda visit: visit.reset(), "reset"),
        (lambda visit: visit.send(b"hello\r\n\r\n"), "http_error"),
        (lambda visit: visit.hang(2), "timeout"),
    ],
)
def test_a_color_that_fails_is_refused_with_how(serve, a_subject, behave, kind):
    web = serve(behave)

    verdict = a_gate(timeout_seconds=0.3).check(a_subject(web.url), Deadline(20))

    assert not verdict.passed
    assert "100 % (50 of 50) failed" in verdict.reason
    # On a busy machine a few end in another way.
    found = re.search(rf"(\d+) {kind}", verdict.reason)
    assert found is not None
    assert int(found[1]) >= 40


def test_some_errors_may_be_allowed(serve, a_subject):
    web = serve(lambda visit: visit.reply(503 if visit.number == 7 else 200))

    assert a_gate(max_error_share=0.02).check(a_subject(web.url), Deadline(20)).passed


def test_nobody_there_is_refused(a_subject, silent_url):
    verdict = a_gate().check(a_subject(silent_url), Deadline(20))

    assert not verdict.passed
    assert "no answer" in verdict.reason
    assert "50 connect_failure" in verdict.reason


def test_it_ends_with_its_deadline(serve, a_subject):
    web = serve(lambda visit: visit.reply())
    started = time.monotonic()

    verdict = a_gate(window_seconds=60).check(a_subject(web.url), Deadline(1.5))

    assert not verdict.passed
    assert "the time was over before all requests were sent" in verdict.reason
    assert time.monotonic() - started < 10


def test_a_stopped_gate_ends_at_once(serve, a_subject):
    web = serve(lambda visit: visit.reply())
    deadline = Deadline(60)
    threading.Timer(1.5, deadline.stop).start()

    verdict = a_gate(window_seconds=50).check(a_subject(web.url), deadline)

    assert not verdict.passed


def test_load_is_nothing_for_a_preview():
    assert not a_gate().runs_in_preview
