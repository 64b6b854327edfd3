import pytest

from bluegreen.gates.gate import Deadline
from bluegreen.gates.probe import Probe
from bluegreen.gates.release import ReleaseGate


class OneTry(Deadline):
    def sleep(self, seconds):
        return False


def a_gate(json_field="version", consecutive=2):
    probe = Probe(path="/version", consecutive=consecutive, interval_seconds=0.02)
    return ReleaseGate(probe=probe, json_field=json_field)


def test_the_wanted_release_passes(serve, a_subject):
    web = serve(lambda visit: visit.reply(body={"version": "1.1"}))

    verdict = a_gate().check(a_subject(web.url), Deadline(5))

    assert verdict.passed
    assert verdict.reason == "green says it runs 1.1, 2 times in a row"
    assert len(web.heads) == 2


def test_another_release_is_refused_with_both_and_the_way_out(serve, a_subject):
    web = serve(lambda visit: visit.reply(body={"version": "1.0"}))

    verdict = a_gate().check(a_subject(web.url), OneTry(5))

    assert not verdict.passed
    assert verdict.reason.startswith(
        "green says it runs 1.0, not 1.1; deploy 1.1 to green, or correct green.release"
    )
    assert (verdict.value, verdict.limit) == ("1.0", "1.1")


def test_one_member_with_the_old_release_among_new_ones_does_not_pass(serve, a_subject):
    web = serve(lambda visit: visit.reply(body={"version": "1.0" if visit.number % 2 else "1.1"}))

    verdict = a_gate().check(a_subject(web.url), Deadline(0.2))

    assert not verdict.passed
    assert "runs 1.0" in verdict.reason


def test_the_field_may_lie_deeper(serve, a_subject):
    web = serve(lambda visit: visit.reply(body={"build": {"tag": "1.1"}}))

    assert a_gate("build.tag").check(a_subject(web.url), Deadline(5)).passed


def test_a_whole_number_counts_as_its_text(serve, a_subject):
    web = serve(lambda visit: visit.reply(body={"version": 77}))

    assert a_gate().check(a_subject(web.url, release="77"), Deadline(5)).passed


@pytest.mark.parametrize("body", [b'{"version": 1.10}', b'{"version": true}', b'{"version": null}'])
def test_a_release_that_may_have_lost_something_is_refused(serve, a_subject, body):
    web = serve(lambda visit: visit.reply(body=body))

    verdict = a_gate().check(a_subject(web.url, release="1.1"), OneTry(5))

    assert not verdict.passed
    assert 'not a text such as "1.1"' in verdict.reason


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (404, b"not here", "/version answered 404, not 200: not here"),
        (200, b"1.1", "the answer has no field version: the answer is 1.1"),
        (200, b"v1.1", "the answer is not JSON: v1.1"),
        (200, b'{"release": "1.1"}', "an object with release"),
    ],
)
def test_an_answer_without_a_release_is_refused(serve, a_subject, status, body, reason):
    web = serve(lambda visit: visit.reply(status, body))

    verdict = a_gate().check(a_subject(web.url), OneTry(5))

    assert not verdict.passed
    assert reason in verdict.reason
