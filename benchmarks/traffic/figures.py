"""What loads say about switches, in figures; pure functions."""

import json
import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import TypeAdapter

from benchmarks.figures import LARGEST_WRITE_MS, Machine, Spread
from benchmarks.stack import BenchmarkError
from bluegreen.load import Recording, Switch, count_stale, nearest_rank
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
    "cohort_of",
    "switching_of",
    "traffic_of",
]

LARGEST_P99_RATIO = 1.25
"""Target for p99 while an update switches, by p99 while one changes nothing."""

MOST_SIGMAS = 4.0
"""Target for the distance of a canary's share from what was asked for."""

_NEAR_SECONDS = 1.0
_AROUND_SECONDS = 0.4
"""Shorter than half of the time between two switches side by side."""


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
        return _ratio(self.p99_ms, self.calm_p99_ms)


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
        return _ratio(self.p99_ms, self.no_change_p99_ms)

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


def traffic_of(
    name: str,
    recording: Recording,
    moves: Sequence[Move],
    calm: Window,
    idle: IdleClients | None = None,
) -> Traffic:
    """The figures of one load with at least one move; `calm` is a time without any.

    Raises:
        BenchmarkError: The load ended before the last move, which then nobody saw.
    """
    if not any(each.sent is not None and each.sent > moves[-1].returned for each in recording):
        msg = f"{name}: the load ended before the last switch; its figures would say nothing"
        raise BenchmarkError(msg)
    failures = recording.failures()
    switches = [Switch(move.from_color, move.to_color, *move.window) for move in moves]
    return Traffic(
        name=name,
        switches=len(moves),
        requests=len(recording),
        failed=sum(failures.values()),
        failures={str(kind): count for kind, count in failures.items()},
        stale=count_stale(recording, switches),
        asked_after=_asked_after(recording, moves),
        rate=recording.achieved_rate(),
        target_rate=recording.target_rate,
        p99_ms=_p99_ms(recording, [move.around(_AROUND_SECONDS) for move in moves]),
        calm_p99_ms=_p99_ms(recording, [calm]),
        command_ms=Spread.of((move.returned - move.started) * 1000 for move in moves),
        followed_ms=Spread.of(_followed_ms(recording, moves)),
        idle=idle,
    )


def switching_of(
    traffic: Traffic,
    recording: Recording,
    moves: Sequence[Move],
    no_changes: Sequence[Window],
    writes: Sequence[Write],
) -> Switching:
    """The figures of updates that took turns: one without a change beside each that switched."""
    ratios = (
        _ratio(_p99_ms(recording, [move.window]), _p99_ms(recording, [no_change]))
        for no_change, move in zip(no_changes, moves, strict=True)
    )
    return Switching(
        traffic=traffic,
        p99_ms=_p99_ms(recording, [move.window for move in moves]),
        no_change_p99_ms=_p99_ms(recording, no_changes),
        near_p99_ms=_p99_ms(recording, [move.around(_NEAR_SECONDS) for move in moves]),
        pair_ratios=[ratio for ratio in ratios if ratio is not None],
        writes=writes,
        up_seconds=Spread.of(move.returned - move.started for move in moves),
        no_change_seconds=Spread.of(end - start for start, end in no_changes),
    )


def cohort_of(recording: Recording, percent: int, canary: str, restarted: float) -> Cohort:
    """Whether each client stayed with the color that it had when it got its cookie."""
    colors: dict[int, str] = {}
    requests = strayed = after_restart = 0
    for client, asked in _by_client(recording).items():
        first_answer = min(each.ended for each in asked)
        # Without a cookie yet: the last of these to be answered has set the one that stays.
        before = [each for each in asked if each.sent is None or each.sent < first_answer]
        last = max(before, key=lambda each: each.ended)
        colors[client] = last.color
        kept = [each for each in asked if each.sent is not None and each.sent > last.ended]
        requests += len(kept)
        strayed += sum(each.color != last.color for each in kept)
        after_restart += sum(each.sent > restarted for each in kept if each.sent is not None)
    return Cohort(
        percent=percent,
        clients=len(colors),
        canary=sum(color == canary for color in colors.values()),
        requests=requests,
        strayed=strayed,
        after_restart=after_restart,
        failed=recording.failed(),
    )


def _by_client(recording: Recording) -> dict[int, list[Any]]:
    """The answered requests of each client."""
    found: dict[int, list[Any]] = {}
    for request in recording:
        if request.client is not None and request.color:
            found.setdefault(request.client, []).append(request)
    return found


def _asked_after(recording: Recording, moves: Sequence[Move]) -> int:
    sent = sorted(each.sent for each in recording if each.sent is not None and each.status)
    ends = [move.started for move in moves[1:]] + [math.inf]
    return sum(
        bisect_right(sent, end) - bisect_right(sent, move.returned)
        for move, end in zip(moves, ends, strict=True)
    )


def _followed_ms(recording: Recording, moves: Sequence[Move]) -> list[float]:
    last = [move.moved for move in moves]
    starts = [move.moved for move in moves]
    for request in recording:
        if request.sent is None or not request.status:
            continue
        number = bisect_right(starts, request.sent) - 1
        if number >= 0 and request.color == moves[number].from_color:
            last[number] = max(last[number], request.sent)
    return [(end - move.moved) * 1000 for end, move in zip(last, moves, strict=True)]


def _p99_ms(recording: Recording, windows: Iterable[Window]) -> float | None:
    latencies = sorted(value for window in windows for value in recording.latencies(window))
    seconds = nearest_rank(latencies, 99)
    return None if seconds is None else seconds * 1000


def _ratio(above: float | None, below: float | None) -> float | None:
    return above / below if above is not None and below else None
