import pytest

from bluegreen.gates.dependencies import DependenciesGate
from bluegreen.gates.gate import Deadline
from bluegreen.gates.probe import Probe

BOTH = {"database.status": "healthy", "queue.status": "healthy"}


def a_gate(**changes):
    probe = Probe(
        path="/health/dependencies",
        consecutive=2,
        interval_seconds=0.02,
        request_timeout_seconds=0.3,
    )
    return DependenciesGate(**{"name": "stores", "probe": probe, "json_equals": BOTH, **changes})


def asked(web, subject, **changes):
    return a_gate(**changes).check(subject(web.url), Deadline(0.3))


def say(database, queue, status=200):
    body = {"database": {"status": database}, "queue": {"status": queue}}
    return lambda visit: visit.reply(status, body)


def test_every_dependency_that_is_healthy_is_told(serve, a_subject):
    verdict = asked(serve(say("healthy", "healthy")), a_subject)

    assert verdict.passed
    assert verdict.value == 'database.status "healthy", queue.status "healthy"'
    assert verdict.limit == 'database.status "healthy", queue.status "healthy"'
    assert verdict.reason == f"{verdict.value}, 2 times in a row"


def test_one_that_is_not_is_named_and_the_other_told_all_the_same(serve, a_subject):
    verdict = asked(serve(say("healthy", "down")), a_subject)

    assert not verdict.passed
    assert verdict.value == 'database.status "healthy", queue.status "down"'
    assert verdict.reason.startswith(
        'GET /health/dependencies: queue.status is "down", not "healthy"'
    )


def test_an_application_that_says_503_still_says_why(serve, a_subject):
    verdict = asked(serve(say("down", "down", 503)), a_subject)

    assert not verdict.passed
    assert "answered 503, not 200" in verdict.reason
    assert 'database.status is "down"' in verdict.reason
    assert 'queue.status is "down"' in verdict.reason


def test_a_status_that_is_expected_is_not_complained_about(serve, a_subject):
    verdict = asked(serve(say("healthy", "healthy", 207)), a_subject, status=207)

    assert verdict.passed


def test_a_dependency_that_is_not_mentioned_is_refused(serve, a_subject):
    web = serve(lambda visit: visit.reply(body={"database": {"status": "healthy"}}))

    verdict = asked(web, a_subject)

    assert not verdict.passed
    assert "the answer has no field queue.status" in verdict.reason
    assert verdict.value == 'database.status "healthy"'


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (lambda visit: visit.reply(body=b"OK"), "the answer is not JSON: OK"),
        (lambda visit: visit.reply(500, b"oops"), "answered 500, not 200: oops"),
        (lambda visit: visit.hang(), "no complete answer"),
        (lambda visit: visit.reset(), "broke off"),
    ],
)
def test_what_says_nothing_of_dependencies_is_refused_once(serve, a_subject, behave, reason):
    verdict = asked(serve(behave), a_subject)

    assert not verdict.passed
    assert verdict.reason.count(reason) == 1
