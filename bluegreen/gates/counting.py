"""What a gate counts over its window, of which colors: the same words for both sources."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self, TypeVar

from bluegreen.colors import Color
from bluegreen.gates.answers import UnusableAnswerError
from bluegreen.gates.gate import Deadline, Endpoint, Subject, WrittenGate
from bluegreen.gates.paced import OwnRequests, send
from bluegreen.gates.prometheus_api import Series, filled_in
from bluegreen.gates.prometheus_text import Sample, SeriesFilter
from bluegreen.gates.statistics import what_is_missing
from bluegreen.settings.measuring_gates import NoData

__all__ = [
    "Asked",
    "Counted",
    "Figures",
    "Meter",
    "MeteredGate",
    "Metric",
    "Selection",
    "Window",
    "asked_colors",
]


class Figures(Protocol):
    """Counters of one color, or of one of its members."""

    def since(self, earlier: Self) -> Self:
        """What came after an earlier look; raises `ValueError` when they were reset."""


Counted = TypeVar("Counted", bound=Figures)


class Metric(Protocol[Counted]):
    """One metric of an application, and how it is read."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its lines in the text format."""

    def of_page(self, samples: Sequence[Sample], series: SeriesFilter) -> Counted:
        """What a member says since its start; raises `UnusableAnswerError`."""

    def query(self, selector: str, window_seconds: float) -> str:
        """The PromQL that asks how much came in the window up to now."""

    def of_series(self, series: Sequence[Series]) -> Counted:
        """What Prometheus answers; raises `UnusableAnswerError`."""

    def sum_of(self, parts: Iterable[Counted]) -> Counted:
        """The figures of at least one member together; raises `UnusableAnswerError`."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One color that is measured."""

    color: Color
    endpoint: Endpoint
    names: Mapping[str, str]
    """What `{color}`, `{release}` and `{service}` stand for."""

    is_rising: bool


@dataclass(frozen=True, slots=True)
class Selection:
    """Which series count, as it is written, with its placeholders."""

    labels: Mapping[str, str] = field(default_factory=dict)
    except_labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def of(self, asked: Asked) -> SeriesFilter:
        """The same for one color."""
        equal = {label: filled_in(text, asked.names) for label, text in self.labels.items()}
        return SeriesFilter(equal=equal, unequal=self.except_labels)


@dataclass(frozen=True, slots=True)
class Window:
    """The time over which is counted."""

    seconds: float
    requests: OwnRequests | None = None
    """What is sent meanwhile; None when the colors have traffic of their own."""

    def spend(self, asked: Sequence[Asked], deadline: Deadline) -> None:
        """Returns at its end; raises `UnusableAnswerError` when the deadline came before."""
        if self.requests is not None:
            endpoints = [each.endpoint for each in asked]
            send(self.requests, endpoints, self.seconds, deadline)
            return
        if not deadline.sleep(self.seconds):
            msg = "the time was over before the window was"
            raise UnusableAnswerError(msg)


class Meter(Protocol):
    """Where figures come from."""

    @property
    def lacks(self) -> str:
        """What has to be put right before it can measure at all; empty when nothing."""

    def measure(
        self, metric: Metric[Counted], subject: Subject, asked: Sequence[Asked], deadline: Deadline
    ) -> dict[Color, Counted]:
        """What each color counted over the window.

        Raises:
            UnusableAnswerError: It could not be measured.
            NotAskableError: It cannot be, whenever it is tried.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class MeteredGate(WrittenGate):
    """What the gates have in common that count over a window."""

    meter: Meter
    no_data: NoData = NoData.FAIL
    timeout_seconds: float = 90
    is_slow: bool = True

    @property
    def lacks(self) -> str:
        """Packages, or the token of the Prometheus server."""
        return what_is_missing() or self.meter.lacks

    @property
    def runs_in_preview(self) -> bool:
        """Never: it takes a window, and the fleet of the update."""
        return False


def asked_colors(subject: Subject, *, with_live: bool) -> tuple[Asked, ...]:
    """The rising color, and the live one where there is another and it is wanted."""
    rising = Asked(subject.color, subject.endpoint, subject.names, is_rising=True)
    live, endpoint = subject.live_color, subject.live_endpoint
    if not with_live or live is None or live is subject.color or endpoint is None:
        return (rising,)
    names = {**subject.names, "color": live.value, "release": subject.live_release or ""}
    return rising, Asked(live, endpoint, names, is_rising=False)
