"""Counts over a window, as a Prometheus server has seen it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bluegreen.colors import Color
from bluegreen.gates.counting import Asked, Counted, Metric, Selection, Window
from bluegreen.gates.gate import Deadline, Subject
from bluegreen.gates.prometheus_api import PrometheusServer, matchers

__all__ = ["PrometheusMeter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusMeter:
    """Waits for the window, then asks what came in it: before, the color was another one."""

    window: Window
    server: PrometheusServer
    selection: Selection = field(default_factory=Selection)

    @property
    def lacks(self) -> str:
        """The server's token, where it is not there."""
        return self.server.lacks

    def measure(
        self,
        metric: Metric[Counted],
        subject: Subject,  # noqa: ARG002
        asked: Sequence[Asked],
        deadline: Deadline,
    ) -> dict[Color, Counted]:
        """What each color counted; raises `UnusableAnswerError` or `NotAskableError`."""
        self.window.spend(asked, deadline)
        return {each.color: self._of(metric, each, deadline) for each in asked}

    def _of(self, metric: Metric[Counted], asked: Asked, deadline: Deadline) -> Counted:
        series = self.selection.of(asked)
        selector = matchers(series.equal, series.unequal)
        query = metric.query(selector, self.window.seconds)
        return metric.of_series(self.server.query(query, deadline))
