"""What loads say about switches; pure functions."""

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from benchmarks.figures import Spread
from benchmarks.stack import BenchmarkError
from benchmarks.traffic.figures import (
    Cohort,
    IdleClients,
    Move,
    Switching,
    Traffic,
    Write,
    ratio_of,
)
from bluegreen.load import Recording, Request, Switch, count_stale, nearest_rank
from bluegreen.load.recording import Window

__all__ = ["cohort_of", "switching_of", "traffic_of"]

_NEAR_SECONDS = 1.0
_AROUND_SECONDS = 0.4
"""Shorter than half of the time between two switches side by side."""


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
        ratio_of(_p99_ms(recording, [move.window]), _p99_ms(recording, [no_change]))
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


def _by_client(recording: Recording) -> dict[int, list[Request]]:
    """The answered requests of each client."""
    found: dict[int, list[Request]] = {}
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
