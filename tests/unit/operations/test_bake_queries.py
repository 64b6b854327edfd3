"""Gates that are asked while a color is watched."""

from concurrent.futures import Executor, Future

import pytest

from bluegreen.colors import Color
from bluegreen.gates.gate import Verdict
from bluegreen.operations.bake import BakeLimits, watch
from bluegreen.operations.bake_queries import BakeQueries, queries_of
from bluegreen.operations.stack_file import StackConfig
from tests.unit.gates.web import served

FINE = Verdict("p99", passed=True, reason="0.1 s", value="0.1")
BAD = Verdict("p99", passed=False, reason="0.9 s", value="0.9")
NO_DATA = Verdict("p99", passed=False, reason="the query gives no value")
DRY = Verdict("p99", passed=True, reason="0.9 s", value="0.9", would_refuse=True)


class AtOnce(Executor):
    def submit(self, call, /, *arguments, **named):
        future = Future()
        future.set_result(call(*arguments, **named))
        return future


def looked_at(*verdicts):
    """What is known after the last of them."""
    answers = iter([[each] for each in verdicts])
    queries = BakeQueries(lambda _: next(answers, []), AtOnce())
    for second in range(len(verdicts) + 1):
        looked = queries.look(second)
    return looked


@pytest.mark.parametrize(
    ("verdicts", "breaches", "warnings"),
    [
        ([FINE, FINE], 0, 0),
        ([BAD], 0, 1),
        ([BAD, FINE, BAD], 0, 1),
        ([BAD, BAD], 1, 0),
        # Prometheus may be away for other reasons than the new color.
        ([NO_DATA, NO_DATA, NO_DATA], 0, 1),
        ([BAD, NO_DATA, BAD], 0, 1),
        ([DRY, DRY], 0, 1),
    ],
)
def test_only_a_value_that_is_bad_twice_in_a_row_is_a_breach(verdicts, breaches, warnings):
    looked = looked_at(*verdicts)

    assert (len(looked.breaches), len(looked.warnings)) == (breaches, warnings)


def a_config(url, **gates):
    promql = {"p99": {"query": 'q{color="{color}",v="{release}"}', "limit": 0.5}}
    written = {"prometheus": {"url": url}, "promql": promql, **gates}
    service = {"name": "shop", "gates": written}
    return StackConfig({"service": service, "green": {"release": "1.1"}, "blue": None})


def vector(value):
    result = [{"metric": {}, "value": [1.0, value]}]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


def test_a_gate_is_asked_once_its_window_has_passed_since_the_switch():
    with served(lambda visit: visit.reply(body=vector("0.9"))) as web:
        late = {"p99": {"query": "q", "limit": 0.5, "window_seconds": 5}}
        ask = queries_of(a_config(web.url, promql=late), Color.GREEN, "http://shop")

        assert ask(4.9) == []
        (verdict,) = ask(5.0)

    assert not verdict.passed
    assert verdict.value == "0.9"


@pytest.mark.parametrize("gates", [None, {}, {"promql": {"p99": {}}}, {"prometheus": "x"}])
def test_what_cannot_be_read_is_left_to_the_program(gates):
    service = {"name": "shop", "gates": gates}
    config = StackConfig({"service": service, "green": {"release": "1.1"}, "blue": None})

    assert queries_of(config, Color.GREEN, "http://shop")(60) == []


def test_a_watch_ends_when_a_gate_fails_twice_although_every_request_is_answered():
    with served(lambda visit: visit.reply(body=vector("0.9"))) as web:
        ask = queries_of(a_config(web.url), Color.GREEN, web.url)
        limits = BakeLimits(seconds=20, path="/")

        baked = watch(
            web.url, None, limits, tell=lambda _: None, is_stopped=lambda: False, queries=ask
        )

    assert baked.breach == "p99: refused: the query gives 0.9, which is not <= 0.5"
    assert baked.new.failed == 0
    assert baked.seconds < 10
