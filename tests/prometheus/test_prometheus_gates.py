"""The gates that measure, beside a real Prometheus that scrapes the example application."""

import threading
import time

import pytest

from bluegreen.colors import Color
from bluegreen.gates.build import build_gates
from bluegreen.gates.gate import Deadline, Endpoint, Readiness, Subject
from bluegreen.gates.histogram import Histogram
from bluegreen.gates.latency import HistogramMetric
from bluegreen.gates.prometheus_api import PrometheusServer
from bluegreen.operations.bake import BakeLimits, watch
from bluegreen.operations.bake_queries import queries_of
from bluegreen.operations.stack_file import StackConfig
from bluegreen.settings.gates import GatesSettings

pytestmark = pytest.mark.usefixtures("prometheus")

LABELS = {"color": "{color}", "path": "/"}
SENT = {"rate": 100, "path": "/"}


@pytest.fixture
def judge(apps, prometheus):
    """The verdict of one gate, on green or on what stands for it, beside blue."""

    def run(name, gate, rising="green"):
        written = {
            "prometheus": {"url": prometheus.url},
            "timeout_seconds": 60,
            name: gate,
        }
        settings = GatesSettings.model_validate(written)
        (built,) = [each for each in build_gates(settings) if each.name != "capacity"]
        subject = Subject(
            color=Color.GREEN,
            release="1.1",
            replicas=1,
            endpoint=Endpoint(apps[rising].url.rstrip("/")),
            readiness=lambda color: Readiness(1, 1),
            live_color=Color.BLUE,
            service="shop",
            live_endpoint=Endpoint(apps["blue"].url.rstrip("/")),
            live_release="1.0",
        )
        return built.check(subject, Deadline(built.timeout_seconds))

    return run


def measuring(rising="green", **changes):
    labels = LABELS if rising == "green" else {**LABELS, "color": rising}
    return {
        "source": "prometheus",
        "labels": labels,
        "window_seconds": 3,
        "timeout_seconds": 30,
        "requests": SENT,
        **changes,
    }


def test_our_quantile_is_the_one_that_prometheus_gives(apps, prometheus):
    for number in range(60):
        apps["blue"].get(f"/slow?ms={number * 2}")
    time.sleep(1.2)
    metric, selector = HistogramMetric(), '{color="blue",path="/slow"}'
    server = PrometheusServer(url=prometheus.url)

    # Since the start, so that both questions are about the same numbers.
    raw = server.query(f"sum by (le) ({metric.metric}_bucket{selector})", Deadline(5))
    ours = Histogram.of({float(each.labels["le"]): each.value for each in raw})

    assert ours.total == 60
    for share in (0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999):
        ((_, theirs),) = prometheus.values(
            f"histogram_quantile({share}, sum by (le) ({metric.metric}_bucket{selector}))"
        )
        assert ours.quantile(share).value == pytest.approx(theirs)


def test_a_fast_color_passes_and_a_slow_one_is_refused(judge):
    fast = judge("latency", measuring(min_samples=20, limit_seconds=0.2))
    slow = judge("latency", measuring("slow", min_samples=20, limit_seconds=0.2), rising="slow")

    assert fast.passed, fast
    assert not slow.passed
    assert "p99 of green is 0.24" in slow.reason, slow


def test_scraping_says_the_same(judge):
    gate = {"labels": {"path": "/"}, "window_seconds": 2, "requests": SENT, "limit_seconds": 0.2}

    fast = judge("latency", {**gate, "min_samples": 20})
    slow = judge("latency", {**gate, "min_samples": 20}, rising="slow")

    assert fast.passed, fast
    assert not slow.passed
    assert "over 200 requests" in fast.reason


def test_an_erring_color_is_refused_beside_the_live_one(judge):
    compare = {"min_samples": 20}
    good = judge("errors", measuring(compare=compare))
    bad = judge("errors", measuring("broken", compare=compare), rising="broken")

    assert good.passed, good
    assert "p = 1" in good.reason
    assert not bad.passed
    assert "100 % (" in bad.reason, bad


def test_the_first_errors_of_a_color_count(judge, rare):
    member, _ = rare
    member.serve(1000)
    time.sleep(1.5)

    def err():
        member.serve(400)
        member.serve(9, status="503")

    threading.Timer(1.5, err).start()
    gate = measuring("rare", requests=None, compare={"min_samples": 20}, max_share=0.01)

    verdict = judge("errors", {**gate, "labels": {"color": "rare"}})

    assert not verdict.passed
    assert "(9 of " in verdict.reason, verdict


def test_a_color_that_prometheus_does_not_know_is_no_data(judge):
    verdict = judge("latency", measuring("nobody", window_seconds=1))

    assert not verdict.passed
    assert "Prometheus has no http_request_duration_seconds of the window" in verdict.reason


@pytest.mark.parametrize(
    ("query", "passed", "reason"),
    [
        ('max(up{color="{color}"})', True, "the query gives 1, which is >= 1"),
        ('up{color="{color}"} * 0.5', False, "the query gives 0.5, which is not >= 1"),
        ("scalar(vector(2))", True, "the query gives 2"),
        ("up", False, "the query gives 5 values and one is judged"),
        ('up{color="none"}', False, "the query gives no value"),
        ("vector(0) / 0", False, "the query gives NaN"),
        ("up[1m]", False, "a range of values"),
        ("sum(", False, "answered 400:"),
        ('"text"', False, "the query gives a string"),
    ],
)
def test_a_query_has_one_value_that_keeps_to_its_limit(judge, query, passed, reason):
    verdict = judge("promql", {"up": {"query": query, "comparison": ">=", "limit": 1}})

    assert verdict.passed is passed
    assert reason in verdict.reason
    assert verdict.limit == ">= 1"


def test_a_watch_sees_by_query_what_its_own_requests_do_not(apps, prometheus):
    errors = (
        'sum(rate(http_requests_total{color="broken",status=~"5.."}[2s]))'
        ' / sum(rate(http_requests_total{color="broken"}[2s]))'
    )
    gates = {
        "prometheus": {"url": prometheus.url},
        "promql": {"errors": {"query": errors, "limit": 0.05, "no_data": "pass"}},
    }
    service = {"name": "shop", "gates": gates}
    config = StackConfig({"service": service, "green": {"release": "1.1"}, "blue": None})
    ended = threading.Event()

    def users():
        while not ended.wait(0.05):
            apps["broken"].get("/")

    thread = threading.Thread(target=users)
    thread.start()
    try:
        baked = watch(
            apps["broken"].url,
            None,
            BakeLimits(seconds=25, path="/health/ready"),
            tell=lambda _: None,
            is_stopped=lambda: False,
            queries=queries_of(config, Color.GREEN, apps["broken"].url),
        )
    finally:
        ended.set()
        thread.join()

    assert baked.breach is not None
    assert baked.breach.startswith("errors: refused: the query gives ")
    assert baked.new.failed == 0
