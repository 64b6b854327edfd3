"""What is known of switches in the end, in figures."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import TypeAdapter

from benchmarks.figures import LARGEST_WRITE_MS, Machine, Spread
from bluegreen.load.recording import Window

__all__ = [
    "LARGEST_P99_RATIO",
    "MOST_SIGMAS",
    "CanaryShare",
    "Cohort",
    "IdleClients",
    "Loss",
    "Move",
    "Switching",
    "Traffic",
    "TrafficReport",
    "Write",
    "ratio_of",
]

LARGEST_P99_RATIO = 1.25
"""Target for p99 while an update switches, by p99 while one changes nothing."""

MOST_SIGMAS = 4.0
"""Target for the distance of a canary's share from what was asked for."""


@dataclass(frozen=True, slots=True)
class Move:
    """One move of all traffic; times are `time.monotonic()`."""

    from_color: str
    to_color: str
    started: float
    """When the command was started."""

    returned: float
    moved: float
    """When it began to move traffic: at its start, or at the write of a `pulumi up`."""

    @property
    def window(self) -> Window:
        """From the start of the command to its return."""
        return self.started, self.returned

    def around(self, seconds: float) -> Window:
        """So many seconds before and after traffic began to move."""
        return self.moved - seconds, self.moved + seconds


@dataclass(frozen=True, slots=True)
class IdleClients:
    """What became of connections that stayed open over one switch and were then used again."""

    new: int
    """Answered by the new color."""

    old: int
    """Answered by the old color."""

    closed: int
    """Closed by the proxy before they were used: a client notices, and connects again."""

    failed: int
    """Used, and not answered."""

    seconds: float
    """Between the first answer of the new color to anybody and their next request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What the clients of one way to switch saw; milliseconds."""

    name: str
    switches: int
    requests: int
    failed: int
    """Without a complete 2xx answer."""

    failures: Mapping[str, int]
    """The failed by kind."""

    stale: int
    """Answered by the old color although sent after the command had returned."""

    asked_after: int
    """Sent after a command had returned and before the next was started: all that could be stale"""

    rate: float
    target_rate: float
    p99_ms: float | None
    """Of the requests within 0.4 s of a move."""

    calm_p99_ms: float | None
    """Of those before the first switch, through the same proxy."""

    command_ms: Spread
    """From the start of the command to its return."""

    followed_ms: Spread
    """From the beginning of the move until the last request was sent that the old color got."""

    idle: IdleClients | None = None

    @property
    def p99_ratio(self) -> float | None:
        """What a move costs: p99 around it by p99 without one."""
        return ratio_of(self.p99_ms, self.calm_p99_ms)


@dataclass(frozen=True, slots=True)
class Write:
    """One write of the router as its provider measured it; milliseconds."""

    command_ms: float
    """The proxy's runtime command."""

    durable_ms: float
    """The map file with its fsync, the command, and reading back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switching:
    """`pulumi up` under load: those that switch beside those that change nothing."""

    traffic: Traffic
    p99_ms: float | None
    """Over all updates that switched."""

    no_change_p99_ms: float | None
    """Over all updates without a change, which took turns with the others."""

    near_p99_ms: float | None
    """Within 1 s of the write."""

    pair_ratios: Sequence[float]
    """p99 of each update that switched by that of the one beside it, which did not."""

    writes: Sequence[Write]
    up_seconds: Spread
    no_change_seconds: Spread

    @property
    def ratio(self) -> float | None:
        """p99 over all updates that switched by p99 over all that did not."""
        return ratio_of(self.p99_ms, self.no_change_p99_ms)

    @property
    def durable_ms(self) -> Spread:
        """The whole write."""
        return Spread.of(write.durable_ms for write in self.writes)

    @property
    def command_ms(self) -> Spread:
        """The runtime command in it."""
        return Spread.of(write.command_ms for write in self.writes)


@dataclass(frozen=True, slots=True)
class Loss:
    """What was lost when an old color was ended after a switch."""

    name: str
    rounds: int
    requests: int
    failed: int


@dataclass(frozen=True, slots=True)
class CanaryShare:
    """How many clients a canary got of those that came for the first time."""

    percent: int
    clients: int
    canary: int
    """Answered by the canary's color."""

    failed: int = 0

    @property
    def share(self) -> float:
        """In percent."""
        return 100 * self.canary / self.clients

    @property
    def sigmas(self) -> float:
        """How far that is from the percentage, in standard deviations of the binomial."""
        p = self.percent / 100
        deviation = math.sqrt(self.clients * p * (1 - p))
        return abs(self.canary - self.clients * p) / deviation

    @property
    def is_within_target(self) -> bool:
        """Whether that can be chance."""
        return self.sigmas <= MOST_SIGMAS


@dataclass(frozen=True, slots=True)
class Cohort:
    """Whether clients that keep their cookie keep their color."""

    percent: int
    clients: int
    canary: int
    """Clients whose color is the canary's."""

    requests: int
    """Answered after the client had its cookie."""

    strayed: int
    """Of these, answered by another color than the client's."""

    after_restart: int
    """Of the requests, sent after the proxy had been started again."""

    failed: int
    """Not answered; the restart ends the proxy, which is not how it is changed in use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficReport:
    """One run, as it stands in `traffic.json`."""

    machine: Machine
    switching: Switching
    side_by_side: Sequence[Traffic]
    skipped: Sequence[str]
    """What was not measured, and why."""

    losses: Sequence[Loss]
    canaries: Sequence[CanaryShare]
    cohort: Cohort
    seconds: float

    @property
    def is_write_within_target(self) -> bool:
        """Whether the median of the whole write is at most `LARGEST_WRITE_MS`."""
        return self.switching.durable_ms.median <= LARGEST_WRITE_MS

    @property
    def is_p99_within_target(self) -> bool:
        """Whether the ratio is at most `LARGEST_P99_RATIO`."""
        ratio = self.switching.ratio
        return ratio is not None and ratio <= LARGEST_P99_RATIO

    def to_json(self) -> str:
        """Indented JSON: what was measured, and what follows from it."""
        content: dict[str, Any] = asdict(self)
        content["switching"]["ratio"] = self.switching.ratio
        content["switching"]["durable_ms"] = asdict(self.switching.durable_ms)
        for each, canary in zip(content["canaries"], self.canaries, strict=True):
            each["sigmas"] = canary.sigmas
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "TrafficReport":
        """Reads back what `to_json` wrote; raises `pydantic.ValidationError`."""
        return TypeAdapter(cls).validate_json(text)


def ratio_of(above: float | None, below: float | None) -> float | None:
    """One by the other; None where one of them is not known."""
    return above / below if above is not None and below else None
