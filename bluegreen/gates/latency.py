"""Is the rising color fast enough, and not slower than the live one?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bluegreen.colors import Color
from bluegreen.gates.answers import UnusableAnswerError
from bluegreen.gates.counting import MeteredGate, asked_colors
from bluegreen.gates.gate import Deadline, Subject, Verdict
from bluegreen.gates.histogram import Histogram, Quantile, UnusableHistogramError
from bluegreen.gates.no_data import without_data
from bluegreen.gates.prometheus_api import NotAskableError, Series, gained
from bluegreen.gates.prometheus_text import Sample, SeriesFilter, histogram_of
from bluegreen.gates.statistics import compare_latencies, load_tests
from bluegreen.gates.wording import seconds
from bluegreen.settings.measuring_gates import ComparisonSettings

__all__ = ["HistogramMetric", "LatencyGate", "quantile_name"]

_MORE = "send requests of its own (`requests`), measure longer, or ask for fewer (min_samples)"


@dataclass(frozen=True, slots=True)
class HistogramMetric:
    """A histogram of durations in seconds."""

    metric: str = "http_request_duration_seconds"

    @property
    def names(self) -> tuple[str, ...]:
        """Its buckets; sum and count say nothing about a quantile."""
        return (f"{self.metric}_bucket",)

    def of_page(self, samples: Sequence[Sample], series: SeriesFilter) -> Histogram:
        """The histogram since the member's start; raises `UnusableAnswerError`."""
        return histogram_of(samples, self.metric, series)

    def query(self, selector: str, window_seconds: float) -> str:
        """How much came into each bucket."""
        return gained(f"{self.metric}_bucket{selector}", "le", window_seconds)

    def of_series(self, series: Sequence[Series]) -> Histogram:
        """The histogram of the window; raises `UnusableAnswerError`."""
        if not series:
            msg = (
                f"Prometheus has no {self.metric} of the window with these labels;"
                " it must hold two scrapes at least"
            )
            raise UnusableAnswerError(msg)
        try:
            return Histogram.of({float(each.labels["le"]): each.value for each in series})
        except (LookupError, ValueError) as error:
            msg = f"{self.metric} cannot be used: {error}"
            raise UnusableAnswerError(msg) from error

    def sum_of(self, parts: Iterable[Histogram]) -> Histogram:
        """All members together; raises `UnusableAnswerError`."""
        try:
            return Histogram.sum_of(parts)
        except UnusableHistogramError as error:
            msg = f"{self.metric} cannot be used: {error}"
            raise UnusableAnswerError(msg) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyGate(MeteredGate):
    """Passes when the quantile keeps to its limit.

    Where that is asked for, also only if no test finds the rising color slower than the live one.
    """

    name: str = "latency"
    metric: HistogramMetric = HistogramMetric()
    quantile: float = 0.99
    limit_seconds: float = 0.5
    min_samples: int = 300
    compare: ComparisonSettings | None = None

    def check(self, subject: Subject, deadline: Deadline) -> Verdict:
        """Measures over the window, once."""
        if self.compare is not None:
            load_tests()
        asked = asked_colors(subject, with_live=self.compare is not None)
        try:
            found = self.meter.measure(self.metric, subject, asked, deadline)
        except NotAskableError as error:
            return Verdict(gate=self.name, passed=False, reason=str(error), limit=self._limit)
        except UnusableAnswerError as error:
            return self._without(str(error))
        return self._judge(subject, found)

    def _judge(self, subject: Subject, found: dict[Color, Histogram]) -> Verdict:
        rising = found[subject.color]
        measured = rising.quantile(self.quantile)
        if measured is None or round(rising.total) < self.min_samples:
            return self._without(
                f"{_count(rising)} of {subject.color} in the window, and {self.min_samples:,} are"
                f" needed; {_MORE}"
            )
        name = quantile_name(self.quantile)
        value = _shown(measured)
        reason = f"{name} of {subject.color} is {value} over {_count(rising)}"
        passed = not measured.is_only_a_lower_bound and measured.value <= self.limit_seconds
        if not passed:
            reason += f", not at most {seconds(self.limit_seconds)}{self._hint(measured)}"
        verdict = Verdict(
            gate=self.name,
            passed=passed,
            reason=reason,
            value=f"{value}, {_count(rising)}",
            limit=self._limit,
        )
        return self._compared(verdict, subject, found) if passed and self.compare else verdict

    def _compared(
        self, verdict: Verdict, subject: Subject, found: dict[Color, Histogram]
    ) -> Verdict:
        compare, live_color = self.compare, subject.live_color
        if compare is None:
            return verdict
        if live_color is None or live_color not in found or live_color is subject.color:
            return replace(verdict, reason=f"{verdict.reason}; no other color to compare with")
        rising, live = found[subject.color], found[live_color]
        beside = f"{verdict.reason}; {live_color} has {_count(live)}"
        if round(min(rising.total, live.total)) < compare.min_samples:
            return self._without(f"{beside}, and comparing needs {compare.min_samples:,} of each")
        if rising.bounds != live.bounds:
            return self._without(f"{beside} in other buckets, which cannot be compared")
        difference = compare_latencies(
            rising,
            live,
            quantile=self.quantile,
            alpha=compare.alpha,
            max_ratio=compare.max_ratio,
        )
        reason = f"{beside}: {difference}"
        if difference.is_worse:
            reason += f"; {subject.color} is slower than {live_color}, beyond {compare.max_ratio:g}"
        return replace(verdict, passed=not difference.is_worse, reason=reason)

    def _hint(self, measured: Quantile) -> str:
        if measured.is_only_a_lower_bound and measured.value <= self.limit_seconds:
            return f"; its last bucket ends at {measured.value:g} s: add one above the limit"
        return ""

    @property
    def _limit(self) -> str:
        return f"{quantile_name(self.quantile)} <= {seconds(self.limit_seconds)}"

    def _without(self, why: str) -> Verdict:
        return without_data(self.name, self.no_data, why, limit=self._limit)


def quantile_name(share: float) -> str:
    """As people say it, for example `p99`."""
    return f"p{share * 100:g}"


def _count(histogram: Histogram) -> str:
    return f"{round(histogram.total):,} requests"


def _shown(quantile: Quantile) -> str:
    if quantile.is_only_a_lower_bound:
        return f"above {seconds(quantile.value)}"
    return f"{seconds(quantile.value)} (in {max(0.0, quantile.above):g} to {quantile.up_to:g} s)"
