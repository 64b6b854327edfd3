"""`latency` and `errors` on what members say themselves, before and after the window."""

import time
from functools import partial

import pytest

from bluegreen.colors import Color
from bluegreen.errors import DataPlaneError
from bluegreen.gates.counting import Selection, Window
from bluegreen.gates.errors import ErrorsGate
from bluegreen.gates.gate import Deadline, Endpoint, Readiness
from bluegreen.gates.latency import LatencyGate
from bluegreen.gates.runner import run_gates
from bluegreen.gates.scraping import MemberFrom, ScrapeMeter
from bluegreen.settings.measuring_gates import ComparisonSettings, NoData
from tests.unit.gates.metrics_pages import Member, in_turn

WINDOW = Window(0.1)


def meter(**changes):
    return ScrapeMeter(**{"window": WINDOW, **changes})


def a_latency_gate(**changes):
    return LatencyGate(**{"meter": meter(), "min_samples": 100, **changes})


def an_errors_gate(**changes):
    compare = ComparisonSettings(min_samples=100)
    return ErrorsGate(**{"meter": meter(), "compare": compare, **changes})


def members(count, **changes):
    return {"readiness": lambda color: Readiness(ready=count, desired=count), **changes}


def after(asked, work):
    """Does something once, when a page was asked for so many times: in the middle of the window."""
    done = []

    def meanwhile(number):
        if number > asked and not done:
            done.append(number)
            work()

    return meanwhile


@pytest.fixture
def measured(serve, a_subject):
    """The verdict on one member that does something during the window."""

    def run(gate, work, member=None, **changes):
        member = member or Member()
        member.serve(1000, seconds=0.9, status="500")
        web = serve(in_turn(member, meanwhile=after(3, lambda: work(member))))
        settings = members(1, live_color=None, **changes)
        return gate.check(a_subject(web.url, **settings), Deadline(10))

    return run


def test_only_the_window_counts_and_not_what_was_before_it(measured):
    verdict = measured(a_latency_gate(), lambda member: member.serve(400, seconds=0.2))

    assert verdict.passed
    assert verdict.reason == "p99 of green is 0.248 s (in 0.1 to 0.25 s) over 400 requests"
    assert (verdict.value, verdict.limit) == (
        "0.248 s (in 0.1 to 0.25 s), 400 requests",
        "p99 <= 0.5 s",
    )


def test_a_slow_color_is_refused_with_what_it_has_and_what_it_may_have(measured):
    verdict = measured(a_latency_gate(), lambda member: member.serve(400, seconds=0.8))

    assert not verdict.passed
    assert verdict.reason == (
        "p99 of green is 0.995 s (in 0.5 to 1 s) over 400 requests, not at most 0.5 s"
    )


def test_slower_than_the_last_bucket_is_refused_although_nobody_knows_how_slow(measured):
    gate = a_latency_gate(limit_seconds=2)

    verdict = measured(gate, lambda member: member.serve(400, seconds=1.5))

    assert not verdict.passed
    assert "p99 of green is above 1 s" in verdict.reason
    assert "its last bucket ends at 1 s: add one above the limit" in verdict.reason


@pytest.mark.parametrize(
    ("policy", "passed", "is_warning", "start"),
    [
        (NoData.FAIL, False, False, "99 requests of green in the window, and 100 are needed"),
        (NoData.PASS, True, False, "passed without enough data (no_data: pass): 99 requests"),
        (NoData.INCONCLUSIVE, True, True, "inconclusive, and lets it pass: 99 requests"),
    ],
)
def test_too_few_requests_are_what_the_policy_says(measured, policy, passed, is_warning, start):
    verdict = measured(a_latency_gate(no_data=policy), lambda member: member.serve(99))

    assert (verdict.passed, verdict.is_warning) == (passed, is_warning)
    assert verdict.reason.startswith(start)


def test_an_idle_color_is_told_how_to_get_traffic(measured):
    verdict = measured(a_latency_gate(), lambda member: None)

    assert not verdict.passed
    assert "0 requests of green" in verdict.reason
    assert "send requests of its own (`requests`)" in verdict.reason


def test_a_restart_during_the_window_is_noticed(measured):
    verdict = measured(a_latency_gate(), lambda member: member.restart(2000.0))

    assert not verdict.passed
    assert "1 of 1 members of green did not answer any more after the window" in verdict.reason
    assert "and 1 others did" in verdict.reason


def test_counters_that_were_reset_are_noticed_where_the_member_has_the_same_name(serve, a_subject):
    member = Member()
    member.serve(1000)
    work = after(3, lambda: member.restart(1000.0))
    web = serve(in_turn(member, meanwhile=work, header="X-Pod"))
    gate = a_latency_gate(meter=meter(member_from=MemberFrom(header="X-Pod")))

    verdict = gate.check(a_subject(web.url, **members(1)), Deadline(10))

    assert not verdict.passed
    assert "its counters were reset" in verdict.reason


def test_members_behind_one_address_are_counted_one_by_one(serve, a_subject):
    crew = [Member(1000.0 + number) for number in range(3)]
    for number, member in enumerate(crew):
        member.serve(1000 * (number + 1), seconds=0.9)
    work = after(5, lambda: [member.serve(100, seconds=0.2) for member in crew])
    web = serve(in_turn(*crew, meanwhile=work))

    verdict = a_latency_gate().check(a_subject(web.url, **members(3)), Deadline(10))

    assert verdict.passed
    assert "over 300 requests" in verdict.reason


def test_one_slow_member_of_three_is_not_overlooked(serve, a_subject):
    crew = [Member(1000.0 + number) for number in range(3)]
    work = after(5, lambda: [m.serve(100, seconds=0.8 if m is crew[2] else 0.1) for m in crew])
    web = serve(in_turn(*crew, meanwhile=work))

    verdict = a_latency_gate().check(a_subject(web.url, **members(3)), Deadline(10))

    assert not verdict.passed


def test_two_gates_that_look_in_step_meet_all_members(serve, a_subject):
    crew = [Member(1000.0), Member(2000.0)]

    def answer_when_the_next_one_asks(visit):
        end = time.monotonic() + 0.03
        while len(web.heads) == visit.number and time.monotonic() < end:
            time.sleep(0.001)
        visit.reply(body=crew[visit.number % 2].page())

    web = serve(answer_when_the_next_one_asks)
    gates = [a_latency_gate(min_samples=1), an_errors_gate()]

    verdicts = run_gates(gates, a_subject(web.url, **members(2)), timeout_seconds=20)

    assert all("0 requests" in each.reason or "0 of 0" in each.reason for each in verdicts)


@pytest.mark.parametrize("starts", [(None, None), (1000.0, 1000.0)])
def test_members_that_cannot_be_told_apart_are_refused_with_the_way_out(serve, a_subject, starts):
    web = serve(in_turn(*map(Member, starts)))

    verdict = a_latency_gate().check(a_subject(web.url, **members(2)), Deadline(10))

    assert not verdict.passed
    assert "process_start_time_seconds" in verdict.reason
    assert "look at member_from, or take the figures from Prometheus" in verdict.reason


def test_members_may_be_told_apart_by_a_header_or_a_label(serve, a_subject):
    for member_from, header in (
        (MemberFrom(header="X-Pod"), "X-Pod"),
        (MemberFrom(label="pod"), ""),
    ):
        crew = [Member(None, f'pod="{number}"') for number in range(2)]
        work = after(4, lambda crew=crew: [member.serve(200) for member in crew])
        web = serve(in_turn(*crew, meanwhile=work, header=header))
        gate = a_latency_gate(meter=meter(member_from=member_from))

        verdict = gate.check(a_subject(web.url, **members(2)), Deadline(10))

        assert verdict.passed, verdict
        assert "over 400 requests" in verdict.reason


def test_several_processes_behind_one_member_are_noticed(serve, a_subject):
    web = serve(in_turn(Member(1.0), Member(2.0)))

    verdict = a_latency_gate().check(a_subject(web.url, **members(1)), Deadline(10))

    assert not verdict.passed
    assert "2 processes of green answered and 1 members are ready" in verdict.reason


def test_what_probes_and_scrapes_add_may_be_left_out(serve, a_subject):
    member = Member(labels='path="/health/ready"')
    work = after(3, lambda: member.serve(500))
    web = serve(in_turn(member, meanwhile=work))
    selection = Selection(except_labels={"path": ("/health/ready", "/metrics")})
    gate = a_latency_gate(meter=meter(selection=selection))

    verdict = gate.check(a_subject(web.url, **members(1)), Deadline(10))

    assert "0 requests of green" in verdict.reason


@pytest.mark.parametrize(
    ("behave", "why"),
    [
        (lambda visit: visit.reply(404, b"no"), "/metrics of green answered 404, not 200: no"),
        (lambda visit: visit.reply(body=b"<html>"), "no histogram http_request_duration_seconds"),
        (lambda visit: visit.reply(body=b'{"a": 1}'), "no histogram"),
        (lambda visit: visit.reset(), "broke off"),
        (lambda visit: visit.hang(), "no complete answer to GET /metrics within"),
        (
            lambda visit: visit.reply(body=b'http_request_duration_seconds_bucket{le="0.1"} x'),
            "not in the Prometheus text format",
        ),
        (
            lambda visit: visit.reply(body=b'http_request_duration_seconds_bucket{le="+Inf"} NaN'),
            "the count of its bucket inf is nan",
        ),
        (lambda visit: visit.reply(body=b"#" * 9_000_000), "larger than 8 MiB"),
    ],
)
def test_a_color_that_says_nothing_usable_is_refused(serve, a_subject, behave, why):
    web = serve(behave)

    verdict = a_latency_gate().check(a_subject(web.url, **members(1)), Deadline(1))

    assert not verdict.passed
    assert why in verdict.reason


def test_a_data_plane_that_cannot_be_asked_is_told(a_subject):
    def unreachable(color):
        raise DataPlaneError("the proxy is gone")

    verdict = a_latency_gate().check(a_subject(readiness=unreachable), Deadline(1))

    assert verdict.reason == "green could not be asked for its members: the proxy is gone"


def test_without_time_for_the_window_nothing_is_judged(serve, a_subject):
    web = serve(in_turn(Member()))
    gate = a_latency_gate(meter=meter(window=Window(60)))

    verdict = gate.check(a_subject(web.url, **members(1)), Deadline(0.3))

    assert not verdict.passed
    assert "the time was over before the window was" in verdict.reason


def test_measuring_is_nothing_for_a_preview():
    assert not a_latency_gate().runs_in_preview
    assert not an_errors_gate().runs_in_preview


@pytest.fixture
def compared(serve, a_subject):
    """The verdict on two colors that each do something during the window."""

    def run(gate, green, blue, **changes):
        colors = {Color.GREEN: Member(1.0), Color.BLUE: Member(2.0)}
        for member in colors.values():
            member.serve(5000, status="503", seconds=0.9)
        webs = {
            color: serve(in_turn(member, meanwhile=after(3, partial(work, member))))
            for (color, member), work in zip(colors.items(), (green, blue), strict=True)
        }
        subject = a_subject(
            webs[Color.GREEN].url,
            live_endpoint=Endpoint(webs[Color.BLUE].url),
            **members(1, **changes),
        )
        return gate.check(subject, Deadline(10))

    return run


def answers(good, bad=0, seconds=0.05):
    def serve(member):
        member.serve(good, seconds=seconds)
        member.serve(bad, status="500", seconds=seconds)

    return serve


def test_shares_are_compared_and_not_numbers(compared):
    verdict = compared(an_errors_gate(), answers(960, 40), answers(98_000, 900))

    assert not verdict.passed
    assert verdict.reason.startswith(
        "4 % (40 of 1,000) of the answers of green are 5xx,"
        " of blue 0.91 % (900 of 98,900): ratio 4.4"
    )
    assert "Fisher's exact test" in verdict.reason
    assert verdict.reason.endswith("green fails more often than blue")
    assert verdict.value == "4 % (40 of 1,000)"


def test_a_color_that_fails_no_more_than_the_live_one_passes(compared):
    verdict = compared(an_errors_gate(), answers(990, 10), answers(98_000, 1000))

    assert verdict.passed
    assert "p = " in verdict.reason


def test_too_many_errors_are_refused_even_where_the_live_color_has_as_many(compared):
    verdict = compared(an_errors_gate(), answers(900, 100), answers(900, 100))

    assert not verdict.passed
    assert "10 % (100 of 1,000) of the answers of green are 5xx, more than 5 %" in verdict.reason


def test_a_color_that_only_fails_is_refused_before_there_is_enough_to_compare(compared):
    gate = an_errors_gate(no_data=NoData.PASS)

    assert not compared(gate, answers(0, 20), answers(1000)).passed


@pytest.mark.parametrize(("green", "blue"), [(20, 1000), (1000, 20), (0, 0)])
def test_few_answers_of_either_color_are_no_data(compared, green, blue):
    gate = an_errors_gate(no_data=NoData.INCONCLUSIVE)

    verdict = compared(gate, answers(green), answers(blue))

    assert verdict.is_warning
    assert "100 are needed" in verdict.reason


def test_without_a_live_color_only_the_share_itself_is_judged(measured):
    verdict = measured(an_errors_gate(), lambda member: member.serve(200))

    assert verdict.passed
    assert verdict.reason == (
        "0 % (0 of 200) of the answers of green are 5xx; no other color to compare with"
    )


def test_a_slower_color_is_refused_within_the_limit(compared):
    compare = ComparisonSettings(min_samples=100)

    verdict = compared(
        a_latency_gate(compare=compare), answers(500, seconds=0.4), answers(500, seconds=0.2)
    )

    assert not verdict.passed
    assert "blue has 500 requests: ratio 2" in verdict.reason
    assert "green is slower than blue, beyond 1.2" in verdict.reason


def test_a_color_as_fast_as_the_live_one_passes_with_the_figures(compared):
    compare = ComparisonSettings(min_samples=100)

    verdict = compared(
        a_latency_gate(compare=compare), answers(500, seconds=0.2), answers(900, seconds=0.2)
    )

    assert verdict.passed
    assert "blue has 900 requests: ratio 1" in verdict.reason


def test_live_members_may_come_and_go(serve, a_subject):
    green, stays, goes, comes = (Member(float(number)) for number in range(1, 5))
    crew = [stays, goes]

    def work():
        crew[1] = comes
        for member in (green, stays, comes):
            member.serve(500)

    behaviours = {"green": [green], "blue": crew}
    blue = serve(lambda visit: visit.reply(body=behaviours["blue"][visit.number % 2].page()))
    web = serve(in_turn(green, meanwhile=after(3, work)))
    counts = {Color.GREEN: 1, Color.BLUE: 2}
    subject = a_subject(
        web.url,
        live_endpoint=Endpoint(blue.url),
        readiness=lambda color: Readiness(ready=counts[color], desired=counts[color]),
    )

    verdict = an_errors_gate().check(subject, Deadline(10))

    assert verdict.passed, verdict
    assert "of blue 0 % (0 of 500)" in verdict.reason
