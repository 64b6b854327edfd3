"""Reads what an application says about itself, in the Prometheus text format."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bluegreen.gates.answers import UnusableAnswerError
from bluegreen.gates.histogram import Histogram, UnusableHistogramError
from bluegreen.gates.wording import one_line

__all__ = [
    "START_TIME",
    "Sample",
    "SeriesFilter",
    "error_count",
    "histogram_of",
    "is_server_error",
    "read_samples",
    "started_at",
]

START_TIME = "process_start_time_seconds"


@dataclass(frozen=True, slots=True)
class Sample:
    """One line: a name, labels and a value."""

    name: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesFilter:
    """Which series of a metric count; a label that is not there is an empty one."""

    equal: Mapping[str, str] = field(default_factory=dict)
    unequal: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def fits(self, sample: Sample) -> bool:
        """Whether this series counts."""
        labels = sample.labels
        return all(labels.get(name, "") == value for name, value in self.equal.items()) and all(
            labels.get(name, "") not in values for name, values in self.unequal.items()
        )


def read_samples(text: str, *names: str) -> list[Sample]:
    """The samples of metrics of these names.

    Raises:
        UnusableAnswerError: One of their lines is not in the Prometheus text format.
    """
    # A fifth of a second, which only a gate that scrapes need wait for.
    from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415

    # The lines of all other metrics, which are most of them, are nobody's business here; the
    # parser takes a second for 20,000.
    lines = [line for line in text.split("\n") if _name_of(line) in names]
    try:
        return [
            Sample(sample.name, sample.labels, float(sample.value))
            for family in text_string_to_metric_families("\n".join(lines) + "\n")
            for sample in family.samples
        ]
    except (ValueError, KeyError, IndexError) as error:
        msg = f"the answer is not in the Prometheus text format: {one_line(str(error), 100)}"
        raise UnusableAnswerError(msg) from error


def histogram_of(samples: Sequence[Sample], metric: str, series: SeriesFilter) -> Histogram:
    """The sum of all series of a histogram that count; an empty one when there is none of them.

    Raises:
        UnusableAnswerError: There is no such metric at all, or it is no histogram.
    """
    buckets = [sample for sample in samples if sample.name == f"{metric}_bucket"]
    if not buckets:
        msg = f"the answer has no histogram {metric} (no line {metric}_bucket)"
        raise UnusableAnswerError(msg)
    try:
        every = list(_histograms(buckets))
        counting = [histogram for labels, histogram in every if series.fits(labels)]
        if not counting:
            # A label value that nobody has asked for yet has no series yet.
            bounds = every[0][1].bounds
            return Histogram(bounds, (0.0,) * len(bounds))
        return Histogram.sum_of(counting)
    except UnusableHistogramError as error:
        msg = f"{metric} cannot be used: {error}"
        raise UnusableAnswerError(msg) from error


def error_count(
    samples: Sequence[Sample], metric: str, status_label: str, series: SeriesFilter
) -> tuple[float, float]:
    """How many answers a counter has seen, and how many of them were 5xx.

    Raises:
        UnusableAnswerError: There is no such metric, no such label, or a value that cannot be.
    """
    counters = [sample for sample in samples if sample.name == metric]
    if not counters:
        msg = f"the answer has no metric {metric}"
        raise UnusableAnswerError(msg)
    if not any(status_label in sample.labels for sample in counters):
        msg = f"{metric} has no label {status_label}; look at status_label"
        raise UnusableAnswerError(msg)
    total = errors = 0.0
    for sample in filter(series.fits, counters):
        if not math.isfinite(sample.value) or sample.value < 0:
            msg = f"{metric} has the value {sample.value:g}"
            raise UnusableAnswerError(msg)
        total += sample.value
        if is_server_error(sample.labels.get(status_label, "")):
            errors += sample.value
    return total, errors


def is_server_error(status: str) -> bool:
    """True for 500 to 599, and for what counts them together, such as `5xx`."""
    return len(status) == 3 and status.startswith("5")  # noqa: PLR2004


def started_at(samples: Sequence[Sample]) -> str | None:
    """What tells processes apart: when this one was started; None when it does not say it."""
    values = {sample.value for sample in samples if sample.name == START_TIME}
    return f"started at {values.pop():.2f}" if len(values) == 1 else None


def _name_of(line: str) -> str:
    start = line.lstrip()
    for end, character in enumerate(start):
        if character in "{ \t":
            return start[:end]
    return start.rstrip()


def _histograms(buckets: Sequence[Sample]) -> Iterator[tuple[Sample, Histogram]]:
    """Each series, as a sample with its labels but `le`."""
    found: dict[tuple[tuple[str, str], ...], dict[float, float]] = {}
    for bucket in buckets:
        labels = dict(bucket.labels)
        try:
            bound = float(labels.pop("le"))
        except (KeyError, ValueError) as error:
            msg = "a bucket has no upper bound (label le)"
            raise UnusableHistogramError(msg) from error
        series = found.setdefault(tuple(sorted(labels.items())), {})
        if bound in series or math.isnan(bound):
            msg = f"the bucket {bound:g} is there twice" if bound in series else "a bound is NaN"
            raise UnusableHistogramError(msg)
        series[bound] = bucket.value
    for key, cumulative in found.items():
        yield Sample("", dict(key), 0.0), Histogram.of(cumulative)
