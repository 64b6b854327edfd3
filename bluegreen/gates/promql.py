"""Does the value of a query keep to its limit?"""

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass

from bluegreen.gates.answers import UnusableAnswerError
from bluegreen.gates.gate import Deadline, Subject, Verdict, WrittenGate
from bluegreen.gates.no_data import without_data
from bluegreen.gates.prometheus_api import NotAskableError, PrometheusServer, filled_in, quoted
from bluegreen.settings.measuring_gates import Comparison, NoData

__all__ = ["PromqlGate"]

_HOLDS: dict[Comparison, Callable[[float, float], bool]] = {
    Comparison.LESS: operator.lt,
    Comparison.AT_MOST: operator.le,
    Comparison.EQUAL: operator.eq,
    Comparison.UNEQUAL: operator.ne,
    Comparison.AT_LEAST: operator.ge,
    Comparison.MORE: operator.gt,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PromqlGate(WrittenGate):
    """Passes when the query gives one value, and that one stands to the limit as it should."""

    server: PrometheusServer
    query: str
    limit: float
    comparison: Comparison = Comparison.AT_MOST
    window_seconds: float = 0
    no_data: NoData = NoData.FAIL

    @property
    def lacks(self) -> str:
        """The server's token, where it is not there."""
        return self.server.lacks

    @property
    def runs_in_preview(self) -> bool:
        """Unless it has to wait for the color to be there for a while."""
        return not self.window_seconds

    def check(self, subject: Subject, deadline: Deadline) -> Verdict:
        """Waits for its window, then asks once; again only while the server does not answer."""
        if self.window_seconds and not deadline.sleep(self.window_seconds):
            return self._without("the time was over before the window was")
        try:
            series = self.server.query(self._query(subject), deadline)
        except NotAskableError as error:
            return self._verdict(str(error))
        except UnusableAnswerError as error:
            return self._without(str(error))
        if not series:
            return self._without("the query gives no value")
        if len(series) > 1:
            return self._verdict(
                f"the query gives {len(series)} values and one is judged;"
                " put sum, avg or max around it"
            )
        return self._judge(series[0].value)

    def _judge(self, value: float) -> Verdict:
        if math.isnan(value):
            return self._without("the query gives NaN, as a division by zero does")
        holds = _HOLDS[self.comparison](value, self.limit)
        return self._verdict(
            f"the query gives {value:g}, which is {'' if holds else 'not '}{self._limit}",
            passed=holds,
            value=f"{value:g}",
        )

    @property
    def _limit(self) -> str:
        return f"{self.comparison} {self.limit:g}"

    def _query(self, subject: Subject) -> str:
        names = {name: quoted(value) for name, value in subject.names.items()}
        return filled_in(self.query, names)

    def _without(self, why: str) -> Verdict:
        return without_data(self.name, self.no_data, why, limit=self._limit)

    def _verdict(self, reason: str, *, passed: bool = False, value: str | None = None) -> Verdict:
        return Verdict(gate=self.name, passed=passed, reason=reason, value=value, limit=self._limit)
