"""How well releases go: five figures against their targets, and the classes of incident. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bluegreen.events import Trigger, trigger_of
from bluegreen.operations.attempts import Attempt, Ending

__all__ = ["Judgement", "TargetFigure", "TriggerFigure", "targets_of", "triggers_of"]

_MINUTE = 60.0
_DEPLOYMENT, _CUTOVER, _DETECTION, _ROLLBACK = 30 * _MINUTE, 5 * _MINUTE, 10 * _MINUTE, 2 * _MINUTE
_SUCCESS_PERCENT = 95.0


class Judgement(StrEnum):
    """What a figure says about its target."""

    MET = "met"
    MISSED = "missed"
    NO_DATA = "no data"


@dataclass(frozen=True, slots=True)
class TargetFigure:
    """One figure beside its target."""

    name: str
    value: float | None
    """Seconds, or percent for `success`: the slowest of `count`; None where nothing is known."""

    unit: str
    """`s` or `%`."""

    target: str
    """For people: `< 1800 s`."""

    verdict: Judgement
    count: int
    """Out of how many."""


@dataclass(frozen=True, slots=True)
class TriggerFigure:
    """One class of incident, and the rollbacks that named it."""

    trigger: str
    expected: str
    """How soon it is usually noticed."""

    count: int
    slowest_seconds: float | None
    """From the switch to the beginning of its rollback."""

    late: int
    """How many were noticed later than that."""


def targets_of(attempts: Sequence[Attempt]) -> tuple[TargetFigure, ...]:
    """The five figures.

    Args:
        attempts: Oldest first.
    """
    switches = [each for each in attempts if not each.is_rollback and each.ending is Ending.DONE]
    rollbacks = [each for each in attempts if each.is_rollback and each.ending is Ending.DONE]
    return (
        _slowest("deployment", switches, lambda each: each.deployment_seconds, _DEPLOYMENT),
        _slowest("cutover", switches, lambda each: each.cutover_seconds, _CUTOVER),
        _success(attempts),
        _slowest("detection", rollbacks, lambda each: each.detection_seconds, _DETECTION),
        _slowest("rollback", rollbacks, lambda each: each.seconds, _ROLLBACK),
    )


def triggers_of(attempts: Sequence[Attempt]) -> tuple[TriggerFigure, ...]:
    """The five classes, each with the rollbacks whose reason begins with it."""
    rollbacks = [each for each in attempts if each.is_rollback and each.ending is Ending.DONE]
    return tuple(
        _trigger(trigger, [each for each in rollbacks if trigger_of(each.reason) is trigger])
        for trigger in Trigger
    )


def _trigger(trigger: Trigger, rollbacks: Sequence[Attempt]) -> TriggerFigure:
    seconds = [each.detection_seconds for each in rollbacks if each.detection_seconds is not None]
    return TriggerFigure(
        trigger=trigger,
        expected=trigger.expected.text,
        count=len(rollbacks),
        slowest_seconds=max(seconds, default=None),
        late=sum(each > trigger.expected.most_seconds for each in seconds),
    )


def _slowest(
    name: str,
    attempts: Sequence[Attempt],
    seconds_of: Callable[[Attempt], float | None],
    limit: float,
) -> TargetFigure:
    known = [seconds for each in attempts if (seconds := seconds_of(each)) is not None]
    value = max(known, default=None)
    return TargetFigure(name, value, "s", f"< {limit:g} s", _verdict(value, limit), len(known))


def _verdict(value: float | None, limit: float) -> Judgement:
    if value is None:
        return Judgement.NO_DATA
    return Judgement.MET if value < limit else Judgement.MISSED


def _success(attempts: Sequence[Attempt]) -> TargetFigure:
    """How many of the switches were done and stayed; a rollback is no switch of its own."""
    good, bad = 0, 0
    after: Attempt | None = None
    for attempt in reversed(_without_repetitions(attempts)):
        was_taken_back = (
            after is not None and after.is_rollback and after.from_color == attempt.to_color
        )
        if attempt.ending is Ending.DONE:
            # What was refused in between moved nothing.
            after = attempt
        if attempt.is_rollback:
            continue
        if attempt.ending is Ending.DONE and not was_taken_back:
            good += 1
        else:
            bad += 1
    total = good + bad
    value = 100 * good / total if total else None
    verdict = Judgement.NO_DATA
    if value is not None:
        verdict = Judgement.MET if value > _SUCCESS_PERCENT else Judgement.MISSED
    return TargetFigure("success", value, "%", f"> {_SUCCESS_PERCENT:g} %", verdict, total)


def _without_repetitions(attempts: Sequence[Attempt]) -> list[Attempt]:
    """A release that is refused again and again fails once; a rollback that fails is no switch."""
    kept: list[Attempt] = []
    for each in attempts:
        if each.is_rollback and each.ending is not Ending.DONE:
            continue
        last = kept[-1] if kept else None
        if (
            last is not None
            and last.ending is not Ending.DONE
            and each.ending is not Ending.DONE
            and (last.to_color, last.release) == (each.to_color, each.release)
        ):
            continue
        kept.append(each)
    return kept
