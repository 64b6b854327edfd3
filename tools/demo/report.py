"""What a demo has shown, in figures, and what of it is not as it should be; pure functions."""

import json
import statistics
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from bluegreen.load import Recording, Switch, count_stale, nearest_rank
from bluegreen.load.recording import Window

__all__ = [
    "FailedControl",
    "Move",
    "MoveKind",
    "Observations",
    "Refusal",
    "Report",
    "Spread",
    "StaleControl",
    "make_report",
    "problems_of",
]


class MoveKind(StrEnum):
    """Why production traffic moved."""

    SWITCH = "switch"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class Move:
    """One `pulumi up` that moved production traffic; times are `time.monotonic()`."""

    kind: MoveKind
    from_color: str
    to_color: str
    release: str
    """What the new color holds."""

    started: float
    returned: float
    write_ms: float
    """The proxy's runtime command, as the provider measured it."""

    written: float
    """When the provider wrote."""

    @property
    def window(self) -> Window:
        """From the start of the command to its return."""
        return self.started, self.returned


@dataclass(frozen=True, slots=True)
class Refusal:
    """One `pulumi up` that was to move production traffic and must not."""

    wanted: str
    """Color and release that were asked for."""

    live_color: str
    exit_code: int
    started: float
    returned: float
    said: tuple[str, ...]
    """What the gates said."""

    answer_after: str
    """What production answered when it was asked afterwards."""

    @property
    def window(self) -> Window:
        """From the start of the command to its return."""
        return self.started, self.returned


@dataclass(frozen=True, slots=True)
class FailedControl:
    """A load that must fail: shows that failures are counted."""

    requests: int
    failed: int
    how: str = "the same client, on the test endpoint while the idle color has no members"


@dataclass(frozen=True, slots=True)
class StaleControl:
    """A count that must not be zero: shows that stale answers are counted."""

    requests: int
    stale: int
    how: str = "the same recording, as if each `pulumi up` had returned when it started"


@dataclass(frozen=True, slots=True)
class Observations:
    """Everything a report is made of."""

    recording: Recording
    moves: Sequence[Move]
    refusal: Refusal
    baseline: Window
    """While several `pulumi up` ran that had nothing to change."""

    failed_control: FailedControl


@dataclass(frozen=True, slots=True)
class Spread:
    """Several measured values in three."""

    min: float
    median: float
    max: float

    @classmethod
    def of(cls, values: Iterable[float], digits: int = 3) -> "Spread":
        """The spread of at least one value."""
        ordered = sorted(values)
        middle = statistics.median(ordered)
        return cls(*(round(value, digits) for value in (ordered[0], middle, ordered[-1])))

    def __str__(self) -> str:
        return f"{self.median:g} (from {self.min:g} to {self.max:g})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The figures of one demo, as they stand in `report.json`."""

    requests: int
    """Sent during the load; none was sent twice."""

    failed: int
    """Requests without a complete 2xx answer."""

    stale: int
    """Requests that the old color answered although they were sent after `pulumi up` returned."""

    stale_of: int
    """Requests sent after a switch had returned and before the next one started: all that could
    have been stale."""

    rate: float
    """Requests per second that were sent."""

    target_rate: float
    switches: int
    """Moves of production traffic, the rollback among them."""

    switch_write_ms: Spread
    """The one command that moves traffic, measured in the provider."""

    up_seconds: Spread
    """Each switching `pulumi up` from start to return."""

    p99_ms: float | None
    """Latency from the intended send time, over the windows in which a switching `up` ran."""

    baseline_p99_ms: float | None
    """The same while `up`s without a change ran."""

    max_ms: float | None
    """The slowest answer of the whole load."""

    p99_requests: int
    baseline_requests: int
    answers: Mapping[str, int]
    """Complete answers per color."""

    failures: Mapping[str, int]
    """Failed requests per kind."""

    refusal: Mapping[str, Any]
    moves: Sequence[Mapping[str, Any]]
    control: Mapping[str, Mapping[str, Any]]
    """The counts that must not be zero, with the requests they were counted in."""

    seconds: float | None = None
    """The whole demo, from its first command to the last."""

    left_over: Sequence[str] | None = None
    """What was still there after `pulumi destroy`; None when nothing was destroyed."""

    problems: Sequence[str] = ()
    """What is not as it should be; the demo fails for each."""

    def finished(self, *, seconds: float, left_over: Sequence[str] | None) -> "Report":
        """The same report with what is known only in the end."""
        complete = replace(self, seconds=round(seconds, 1), left_over=left_over)
        return replace(complete, problems=problems_of(complete))

    def to_json(self) -> str:
        """Indented JSON with the same names."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"


def make_report(seen: Observations) -> Report:
    """The figures of a load and of the moves during it; there is at least one move."""
    recording, moves = seen.recording, seen.moves
    failures = recording.failures()
    after = _answers_after(recording, moves)
    switch_latencies = _latencies(recording, [move.window for move in moves])
    baseline_latencies = _latencies(recording, [seen.baseline])
    return Report(
        requests=len(recording),
        failed=sum(failures.values()),
        stale=count_stale(recording, _switches(moves)),
        stale_of=sum(after),
        rate=round(recording.achieved_rate(), 1),
        target_rate=recording.target_rate,
        switches=len(moves),
        switch_write_ms=Spread.of(move.write_ms for move in moves),
        up_seconds=Spread.of((move.returned - move.started for move in moves), 2),
        p99_ms=_milliseconds(nearest_rank(switch_latencies, 99)),
        baseline_p99_ms=_milliseconds(nearest_rank(baseline_latencies, 99)),
        max_ms=_milliseconds(recording.percentile(100)),
        p99_requests=len(switch_latencies),
        baseline_requests=len(baseline_latencies),
        answers=recording.by_color(),
        failures={str(kind): count for kind, count in failures.items()},
        refusal=_refusal_entry(recording, seen.refusal),
        moves=[_move_entry(move, count) for move, count in zip(moves, after, strict=True)],
        control={"failed": asdict(seen.failed_control), "stale": asdict(_stale_control(seen))},
    )


def problems_of(report: Report) -> tuple[str, ...]:
    """One line for each thing that is not as it should be; empty for a demo that succeeded."""
    control, refusal = report.control, report.refusal
    others = sum(n for color, n in refusal["answers"].items() if color != refusal["live_color"])
    judged = (
        (report.failed, f"{report.failed} of {report.requests} requests failed"),
        (report.stale, f"{report.stale} of {report.stale_of} requests got a stale answer"),
        (not report.requests, "no request was sent, so nothing was shown"),
        (not report.stale_of, "no request was sent after a switch, so nothing was shown"),
        (
            any(not move["requests_after"] for move in report.moves),
            "the load did not last: after a switch no request was sent",
        ),
        (not control["failed"]["failed"], "the control that must fail did not fail"),
        (not control["stale"]["stale"], "the control that must be stale was not stale"),
        (not refusal["exit_code"], f"{refusal['wanted']} was not refused"),
        (others, f"{others} requests left {refusal['live_color']} although it was refused"),
        (
            not refusal["answer_after"].startswith(refusal["live_color"]),
            f"after the refusal production answered {refusal['answer_after']!r}",
        ),
        (report.left_over, f"left over: {'; '.join(report.left_over or ())}"),
    )
    return tuple(text for is_wrong, text in judged if is_wrong)


def _switches(moves: Iterable[Move]) -> list[Switch]:
    return [Switch(move.from_color, move.to_color, *move.window) for move in moves]


def _stale_control(seen: Observations) -> StaleControl:
    early = [replace(move, returned=move.started) for move in seen.moves]
    return StaleControl(
        requests=sum(_answers_after(seen.recording, early)),
        stale=count_stale(seen.recording, _switches(early)),
    )


def _answers_after(recording: Recording, moves: Sequence[Move]) -> list[int]:
    """For each move the answers to what was sent after it had returned, up to the next one."""
    sent = sorted(each.sent for each in recording if each.sent is not None and each.status)
    ends = [move.started for move in moves[1:]] + [float("inf")]
    return [
        bisect_left(sent, end) - bisect_left(sent, move.returned)
        for move, end in zip(moves, ends, strict=True)
    ]


def _latencies(recording: Recording, windows: Iterable[Window]) -> list[float]:
    return sorted(latency for window in windows for latency in recording.latencies(window))


def _refusal_entry(recording: Recording, refusal: Refusal) -> dict[str, Any]:
    answers = recording.by_color(refusal.window)
    return {
        "wanted": refusal.wanted,
        "live_color": refusal.live_color,
        "exit_code": refusal.exit_code,
        "up_seconds": round(refusal.returned - refusal.started, 2),
        "requests": sum(answers.values()),
        "answers": answers,
        "answer_after": refusal.answer_after,
        "said": list(refusal.said),
    }


def _move_entry(move: Move, requests_after: int) -> dict[str, Any]:
    return {
        "kind": str(move.kind),
        "from": move.from_color,
        "to": move.to_color,
        "release": move.release,
        "up_seconds": round(move.returned - move.started, 2),
        "write_ms": move.write_ms,
        "requests_after": requests_after,
    }


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 2)
