"""`promql` on servers that behave as no Prometheus should; the real one is in tests/prometheus."""

import json
import traceback
from urllib.parse import parse_qs, urlsplit

import pytest

from bluegreen.gates.answers import UnusableAnswerError
from bluegreen.gates.gate import Deadline
from bluegreen.gates.prometheus_api import PrometheusServer, filled_in, matchers
from bluegreen.gates.promql import PromqlGate
from bluegreen.gates.runner import run_gates
from bluegreen.settings.measuring_gates import Comparison, NoData

TOKEN = "s3cr3t-t0k3n"


def a_gate(url, **changes):
    server = PrometheusServer(url=url, bearer_token_env=changes.pop("token_env", None))
    defaults = {"name": "queue", "server": server, "query": "up", "limit": 5.0}
    return PromqlGate(**{**defaults, **changes})


def vector(*values):
    result = [{"metric": {"n": str(n)}, "value": [1.0, text]} for n, text in enumerate(values)]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


def query_of(head):
    return parse_qs(urlsplit(head.split(" ")[1]).query)["query"][0]


@pytest.mark.parametrize(
    ("comparison", "passing"),
    [("<", "4"), ("<=", "45"), ("==", "5"), ("!=", "46"), (">=", "56"), (">", "6")],
)
def test_every_comparison_has_its_own_idea_of_passing(serve, a_subject, comparison, passing):
    for value in "456":
        web = serve(lambda visit, value=value: visit.reply(body=vector(value)))
        gate = a_gate(web.url, comparison=Comparison(comparison))

        verdict = gate.check(a_subject(), Deadline(5))

        assert verdict.passed is (value in passing)
        assert (verdict.value, verdict.limit) == (value, f"{comparison} 5")


def test_color_release_and_service_are_filled_in_as_texts_and_other_braces_stay(serve, a_subject):
    web = serve(lambda visit: visit.reply(body=vector("1")))
    gate = a_gate(web.url, query='up{color="{color}",r="{release}",s="{service}",x=~".{2}"}')

    gate.check(a_subject(release='1"\\'), Deadline(5))

    wanted = 'up{color="green",r="1\\"\\\\",s="",x=~".{2}"}'
    assert query_of(web.heads[0]) == wanted


def test_what_is_filled_in_is_not_filled_in_again():
    assert filled_in("{a}{b}", {"a": "{b}", "b": "1"}) == "{b}1"


def test_matchers_are_what_promql_reads():
    assert matchers({}, {}) == ""
    assert matchers({"a": 'x"y'}, {"p": ("/", "/m")}) == '{a="x\\"y",p!="/",p!="/m"}'


@pytest.mark.parametrize("policy", NoData)
@pytest.mark.parametrize("values", [(), ("NaN",)])
def test_no_value_is_what_the_policy_says(serve, a_subject, values, policy):
    web = serve(lambda visit: visit.reply(body=vector(*values)))

    verdict = a_gate(web.url, no_data=policy).check(a_subject(), Deadline(5))

    assert verdict.passed is (policy is not NoData.FAIL)
    assert verdict.is_warning is (policy is NoData.INCONCLUSIVE)


@pytest.mark.parametrize("policy", NoData)
@pytest.mark.parametrize(
    ("behave", "why"),
    [
        (lambda visit: visit.reply(body=vector("1", "2")), "gives 2 values and one is judged"),
        (
            lambda visit: visit.reply(400, {"status": "error", "error": "parse error: (1:3)"}),
            "answered 400: parse error: (1:3)",
        ),
        (lambda visit: visit.reply(401, b"who are you"), "answered 401: who are you"),
        (lambda visit: visit.reply(302, headers="location: /login\r\n"), "a redirect to /login"),
        (lambda visit: visit.reply(404, b""), "answered 404: nothing more"),
    ],
)
def test_what_no_waiting_helps_is_refused_whatever_the_policy_says(
    serve, a_subject, behave, why, policy
):
    web = serve(behave)

    verdict = a_gate(web.url, no_data=policy).check(a_subject(), Deadline(5))

    assert not verdict.passed
    assert why in verdict.reason
    assert len(web.heads) == 1


@pytest.mark.parametrize(
    ("behave", "why"),
    [
        (lambda visit: visit.reply(503, b"starting"), "answered 503: starting"),
        (lambda visit: visit.reply(body=b"<html>"), "the answer is not JSON"),
        (
            lambda visit: visit.reply(body={"data": {"resultType": "vector"}}),
            "no field data.result",
        ),
        (
            lambda visit: visit.reply(body={"data": {"resultType": "vector", "result": [1]}}),
            "not that of a Prometheus server",
        ),
        (lambda visit: visit.reply(body=vector("many")), "not that of a Prometheus server"),
        (lambda visit: visit.reply(body=b" " * 2_000_000), "larger than 1 MiB"),
        (lambda visit: visit.reset(), "broke off"),
        (lambda visit: visit.hang(), "no complete answer"),
    ],
)
def test_a_server_that_misbehaves_is_asked_again_until_the_time_is_over(
    serve, a_subject, behave, why
):
    web = serve(behave)

    verdict = a_gate(web.url).check(a_subject(), Deadline(0.4))

    assert not verdict.passed
    assert why in verdict.reason
    assert "/api/v1/query?" not in verdict.reason


def test_a_server_that_starts_late_is_waited_for(serve, a_subject):
    web = serve(
        lambda visit: visit.reply(503) if visit.number == 1 else visit.reply(body=vector("1"))
    )

    assert a_gate(web.url).check(a_subject(), Deadline(5)).passed


def test_nobody_there_is_told(a_subject, silent_url):
    verdict = a_gate(silent_url).check(a_subject(), Deadline(0.5))

    assert "cannot connect to" in verdict.reason


def test_the_token_is_sent_and_never_shown(serve, a_subject, monkeypatch):
    monkeypatch.setenv("PROM_TOKEN", f" {TOKEN}\n")
    web = serve(lambda visit: visit.reply(403, f"{TOKEN} may not".encode()))
    gate = a_gate(web.url, token_env="PROM_TOKEN")

    (verdict,) = run_gates([gate], a_subject(), timeout_seconds=5)

    assert f"authorization: Bearer {TOKEN}" in web.heads[0].replace(
        "Authorization", "authorization"
    )
    assert "*** may not" in verdict.reason
    assert TOKEN not in json.dumps([repr(verdict), repr(gate), str(verdict.detail)])


def test_the_token_is_not_in_a_traceback_either(monkeypatch, silent_url):
    monkeypatch.setenv("PROM_TOKEN", TOKEN)
    server = PrometheusServer(url=silent_url, bearer_token_env="PROM_TOKEN")

    with pytest.raises(UnusableAnswerError) as refusal:
        server.query("up", Deadline(0.1))

    assert TOKEN not in "".join(traceback.format_exception(refusal.value))


@pytest.mark.parametrize("value", [None, "", "  ", "two\nlines", "zwölf"])
def test_a_token_that_is_none_is_told_beforehand(a_subject, monkeypatch, value):
    if value is None:
        monkeypatch.delenv("PROM_TOKEN", raising=False)
    else:
        monkeypatch.setenv("PROM_TOKEN", value)
    gate = a_gate("http://127.0.0.1:9", token_env="PROM_TOKEN")

    assert "the variable PROM_TOKEN" in gate.lacks
    assert not value or not value.strip() or value not in gate.lacks
    assert not gate.check(a_subject(), Deadline(5)).passed


def test_a_preview_asks_what_needs_no_waiting():
    assert a_gate("http://127.0.0.1:9").runs_in_preview
    assert not a_gate("http://127.0.0.1:9", window_seconds=60).runs_in_preview
