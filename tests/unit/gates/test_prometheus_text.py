import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from bluegreen.gates.answers import UnusableAnswerError
from bluegreen.gates.prometheus_text import (
    SeriesFilter,
    error_count,
    histogram_of,
    is_server_error,
    read_samples,
    started_at,
)

DURATION = "http_request_duration_seconds"
EVERY = SeriesFilter()


@given(
    st.lists(
        st.tuples(st.text(min_size=1), st.sampled_from(["200", "404", "500", "503"])), max_size=30
    )
)
def test_what_the_client_library_writes_is_read_whatever_the_labels_hold(answers):
    registry = CollectorRegistry()
    counter = Counter("http_requests", "…", ["path", "status"], registry=registry)
    counter.labels("/", "200").inc(0)
    for path, status in answers:
        counter.labels(path, status).inc()
    text = generate_latest(registry).decode()

    samples = read_samples(text, "http_requests_total")

    errors = sum(status.startswith("5") for _, status in answers)
    assert error_count(samples, "http_requests_total", "status", EVERY) == (len(answers), errors)
    for path, _ in answers:
        mine = SeriesFilter(equal={"path": path})
        total, _ = error_count(samples, "http_requests_total", "status", mine)
        assert total == sum(other == path for other, _ in answers)


@given(st.lists(st.floats(0, 20), max_size=50))
def test_a_histogram_of_the_client_library_is_read(durations):
    registry = CollectorRegistry()
    histogram = Histogram(DURATION, "…", ["path"], registry=registry)
    for number, duration in enumerate(durations):
        histogram.labels(f"/{number % 3}").observe(duration)
    histogram.labels("/0")
    samples = read_samples(generate_latest(registry).decode(), f"{DURATION}_bucket")

    assert histogram_of(samples, DURATION, EVERY).total == len(durations)


@given(st.text())
def test_any_text_is_read_or_refused_in_words(text):
    # Anything else that is raised fails this.
    with contextlib.suppress(UnusableAnswerError):
        read_samples(text, "a", f"{DURATION}_bucket")


@given(st.text(alphabet='ab{}=",\\n le+Inf019.#_', max_size=60))
def test_a_broken_line_of_the_metric_is_read_or_refused(rest):
    with contextlib.suppress(UnusableAnswerError):
        samples = read_samples(f"{DURATION}_bucket{rest}", f"{DURATION}_bucket")
        histogram_of(samples, DURATION, EVERY)


def test_lines_of_other_metrics_may_be_as_they_like():
    samples = read_samples("native{broken 1\nhttp_requests_total 3\n", "http_requests_total")

    assert [sample.value for sample in samples] == [3]


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("", "no histogram"),
        (f'{DURATION}_bucket{{le="0.1"}} 3', "no +Inf bucket"),
        (f'{DURATION}_bucket{{le="+Inf"}} NaN', "is nan"),
        (f"{DURATION}_bucket 3", "no upper bound"),
        (f'{DURATION}_bucket{{le="x"}} 3', "no upper bound"),
        (f'{DURATION}_bucket{{le="+Inf"}} 3\n{DURATION}_bucket{{le="+Inf"}} 3', "there twice"),
        (
            f'{DURATION}_bucket{{p="a",le="+Inf"}} 3\n'
            f'{DURATION}_bucket{{p="b",le="1"}} 3\n{DURATION}_bucket{{p="b",le="+Inf"}} 3',
            "different buckets",
        ),
    ],
)
def test_what_is_no_histogram_is_told(lines, why):
    samples = read_samples(f"{lines}\n", f"{DURATION}_bucket")

    with pytest.raises(UnusableAnswerError) as refusal:
        histogram_of(samples, DURATION, EVERY)

    assert why in str(refusal.value)


def test_series_that_do_not_count_are_left_out():
    lines = "".join(
        f'http_requests_total{{path="{path}",status="{status}"}} {count}\n'
        for path, status, count in [("/", "200", 5), ("/metrics", "200", 90), ("/", "500", 2)]
    )
    samples = read_samples(lines + 'http_requests_total{status="5xx"} 1\n', "http_requests_total")

    without = SeriesFilter(unequal={"path": ("/metrics", "/health/ready")})
    assert error_count(samples, "http_requests_total", "status", without) == (8, 3)


def test_a_series_that_nobody_has_asked_for_yet_counts_nothing():
    samples = read_samples(
        f'{DURATION}_bucket{{path="/",le="1"}} 3\n{DURATION}_bucket{{path="/",le="+Inf"}} 4\n',
        f"{DURATION}_bucket",
    )

    assert histogram_of(samples, DURATION, SeriesFilter(equal={"path": "/a"})).total == 0


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("", "no metric http_requests_total"),
        ('http_requests_total{code="500"} 1', "no label status; look at status_label"),
        ('http_requests_total{status="500"} NaN', "has the value nan"),
        ('http_requests_total{status="500"} -1', "has the value -1"),
    ],
)
def test_what_is_no_counter_is_told(lines, why):
    samples = read_samples(f"{lines}\n", "http_requests_total")

    with pytest.raises(UnusableAnswerError) as refusal:
        error_count(samples, "http_requests_total", "status", EVERY)

    assert why in str(refusal.value)


def test_only_5xx_is_an_error_of_the_server():
    assert [
        text for text in ("200", "404", "500", "599", "5xx", "5", "", "50") if is_server_error(text)
    ] == [
        "500",
        "599",
        "5xx",
    ]


def test_processes_are_told_apart_by_their_start():
    one, other = (
        started_at(
            read_samples(f"process_start_time_seconds {value}\n", "process_start_time_seconds")
        )
        for value in (1.79e9, 1.79e9 + 0.01)
    )

    assert one != other
    assert started_at(read_samples("", "a")) is None
    assert not math.isnan(float(one.rpartition(" ")[2]))
