"""Does the rising color fail more often than the live one, or too often?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from bluegreen.colors import Color
from bluegreen.gates.answers import UnusableAnswerError
from bluegreen.gates.counting import MeteredGate, asked_colors
from bluegreen.gates.gate import Deadline, Subject, Verdict
from bluegreen.gates.no_data import without_data
from bluegreen.gates.prometheus_api import NotAskableError, Series, gained
from bluegreen.gates.prometheus_text import (
    Sample,
    SeriesFilter,
    error_count,
    is_server_error,
)
from bluegreen.gates.statistics import Shares, compare_errors, is_above, load_tests
from bluegreen.settings.measuring_gates import ComparisonSettings

__all__ = ["Answered", "ErrorsGate", "StatusMetric"]

_MORE = (
    "send requests of its own (`requests`), measure longer, or ask for fewer (compare.min_samples)"
)


@dataclass(frozen=True, slots=True)
class Answered:
    """How many answers were given, and how many of them were 5xx."""

    total: float
    errors: float

    def since(self, earlier: "Answered") -> "Answered":
        """What came after an earlier look; raises `ValueError` when a count fell."""
        gained = Answered(self.total - earlier.total, self.errors - earlier.errors)
        if gained.total < 0 or gained.errors < 0:
            msg = "its counters were reset"
            raise ValueError(msg)
        return gained

    @property
    def shares(self) -> Shares:
        """In whole answers: Prometheus extrapolates to the ends of its window."""
        errors = round(self.errors)
        return Shares(errors, max(errors, round(self.total)))


@dataclass(frozen=True, slots=True)
class StatusMetric:
    """A counter of answers by status."""

    metric: str = "http_requests_total"
    status_label: str = "status"

    @property
    def names(self) -> tuple[str, ...]:
        """The counter itself."""
        return (self.metric,)

    def of_page(self, samples: Sequence[Sample], series: SeriesFilter) -> Answered:
        """The counts since the member's start; raises `UnusableAnswerError`."""
        return Answered(*error_count(samples, self.metric, self.status_label, series))

    def query(self, selector: str, window_seconds: float) -> str:
        """How many answers there were of each status."""
        return gained(f"{self.metric}{selector}", self.status_label, window_seconds)

    def of_series(self, series: Sequence[Series]) -> Answered:
        """The counts of the window; raises `UnusableAnswerError`."""
        if not series:
            msg = (
                f"Prometheus has no {self.metric} of the window with these labels;"
                " it must hold two scrapes at least"
            )
            raise UnusableAnswerError(msg)
        if not any(self.status_label in each.labels for each in series):
            msg = f"{self.metric} has no label {self.status_label}; look at status_label"
            raise UnusableAnswerError(msg)
        errors = (
            each.value for each in series if is_server_error(each.labels.get(self.status_label, ""))
        )
        return Answered(sum(each.value for each in series), sum(errors))

    def sum_of(self, parts: Iterable[Answered]) -> Answered:
        """All members together."""
        parts = tuple(parts)
        return Answered(sum(each.total for each in parts), sum(each.errors for each in parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorsGate(MeteredGate):
    """Passes when the share of 5xx answers is small, and not larger than the live color's.

    Shares are compared, never numbers: the live color has most of the traffic.
    """

    name: str = "errors"
    metric: StatusMetric = StatusMetric()
    max_share: float = 0.05
    compare: ComparisonSettings = field(default_factory=ComparisonSettings)

    def check(self, subject: Subject, deadline: Deadline) -> Verdict:
        """Measures over the window, once."""
        load_tests()
        asked = asked_colors(subject, with_live=True)
        try:
            found = self.meter.measure(self.metric, subject, asked, deadline)
        except NotAskableError as error:
            return self._verdict(str(error))
        except UnusableAnswerError as error:
            return self._without(str(error))
        return self._judge(subject, {color: each.shares for color, each in found.items()})

    def _judge(self, subject: Subject, found: dict[Color, Shares]) -> Verdict:
        rising, live_color = found[subject.color], subject.live_color
        reason = f"{rising} of the answers of {subject.color} are 5xx"
        verdict = self._verdict(reason, passed=True, value=str(rising))
        if is_above(rising, self.max_share, self.compare.alpha):
            more = f"{reason}, more than {self.max_share * 100:g} %"
            return replace(verdict, passed=False, reason=more)
        needed = self.compare.min_samples
        if rising.total < needed:
            return self._without(f"{reason}, and {needed:,} are needed; {_MORE}", str(rising))
        if rising.share > self.max_share:
            more = f"{reason}, more than {self.max_share * 100:g} %"
            return replace(verdict, passed=False, reason=more)
        if live_color is None or live_color not in found or live_color is subject.color:
            return replace(verdict, reason=f"{reason}; no other color to compare with")
        return self._compared(subject, verdict, live_color, found)

    def _compared(
        self, subject: Subject, verdict: Verdict, live_color: Color, found: dict[Color, Shares]
    ) -> Verdict:
        rising, live, compare = found[subject.color], found[live_color], self.compare
        beside = f"{verdict.reason}, of {live_color} {live}"
        if live.total < compare.min_samples:
            needed = f"{compare.min_samples:,} are needed of each color"
            return self._without(f"{beside}, and {needed}; {_MORE}", str(rising))
        difference = compare_errors(rising, live, alpha=compare.alpha, max_ratio=compare.max_ratio)
        reason = f"{beside}: {difference}"
        if difference.is_worse:
            reason += f"; {subject.color} fails more often than {live_color}"
        return replace(verdict, passed=not difference.is_worse, reason=reason)

    @property
    def _limit(self) -> str:
        return (
            f"at most {self.max_share * 100:g} %, and {self.compare.max_ratio:g} times the live"
            f" color's (alpha {self.compare.alpha:g})"
        )

    def _without(self, why: str, value: str | None = None) -> Verdict:
        return without_data(self.name, self.no_data, why, limit=self._limit, value=value)

    def _verdict(self, reason: str, *, passed: bool = False, value: str | None = None) -> Verdict:
        return Verdict(gate=self.name, passed=passed, reason=reason, value=value, limit=self._limit)
