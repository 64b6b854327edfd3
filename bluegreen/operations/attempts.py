"""Every try to move production traffic, put together from a stack's history and its events. Pure.

The history of a stack has every update, on every platform and in every backend, but not why one was
refused nor how long traffic took to follow. Events have that, where they were kept.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bluegreen.colors import Color
from bluegreen.events import Event, EventKind
from bluegreen.operations.past_config import active_color_of, release_of
from bluegreen.operations.stack import PastUpdate

__all__ = ["Attempt", "Ending", "attempts_of"]

_SLACK = timedelta(seconds=2)
"""A history may have whole seconds only."""

_KINDS = {"update", "destroy"}

_ROLLBACK_MESSAGE = "bluegreen rollback"
_MESSAGES = (_ROLLBACK_MESSAGE, "bluegreen switch")


class Ending(StrEnum):
    """How a try ended."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    """The router was written, and traffic was not seen to follow."""


_ENDINGS = {
    EventKind.SWITCH: Ending.DONE,
    EventKind.NOT_FOLLOWED: Ending.FAILED,
    EventKind.REFUSAL: Ending.REFUSED,
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """A switch or a rollback that was done, refused or failed."""

    at: str
    """When it ended; UTC, ISO 8601."""

    ending: Ending
    is_rollback: bool
    from_color: str | None
    to_color: str
    release: str | None
    """What the color holds that was to get the traffic."""

    by: str | None = None
    commit: str | None = None
    reason: str = ""
    """What somebody gave; the history has that of the commands, events that of a rollback."""

    refused_by: tuple[str, ...] = ()
    """The gates that refused."""

    seconds: float | None = None
    """Of the whole update."""

    cutover_seconds: float | None = None
    """From the gates' yes until traffic was seen to follow."""

    deployment_seconds: float | None = None
    """Of the update that deployed the release and of this one; what lies between is not counted."""

    detection_seconds: float | None = None
    """Of a rollback: from the switch before it until it began."""


def attempts_of(
    updates: Sequence[PastUpdate], events: Iterable[Event], namespace: str
) -> tuple[Attempt, ...]:
    """All tries, oldest first.

    Args:
        updates: The stack's history, newest first.
        events: Its audit trail, of any order, as far as there is one.
        namespace: Of the config keys: the project's name.
    """
    oldest_first = [each for each in reversed(updates) if each.kind in _KINDS and each.ended]
    entries = sorted(_unique(events), key=lambda each: each.at)
    found = [
        _with_update(attempt, event, oldest_first, namespace)
        for event in entries
        if (attempt := _of_event(event)) is not None
    ]
    # A refusal by a guard says nothing about a release, and explains its update all the same.
    covered = [event.at for event in entries if event.kind in _ENDINGS]
    found += [
        attempt
        for attempt, update in _of_history(oldest_first, namespace)
        if not any(_is_within(at, update) for at in covered)
    ]
    return tuple(_with_detection(sorted(found, key=lambda each: _moment(each.at))))


def _unique(events: Iterable[Event]) -> Iterable[Event]:
    return {event.id: event for event in events}.values()


def _of_event(event: Event) -> Attempt | None:
    refused_by = tuple(each.gate for each in event.verdicts if not each.passed)
    from_color, to_color = event.from_color, event.to_color
    if event.version == 0 and event.kind is EventKind.SWITCH:
        from_color, to_color = _colors_of_version_0(event)
    is_refusal_of_a_guard = event.kind is EventKind.REFUSAL and not refused_by
    is_first = event.kind is EventKind.SWITCH and from_color is None
    if event.kind not in _ENDINGS or to_color is None or is_refusal_of_a_guard or is_first:
        return None
    return Attempt(
        at=event.at,
        ending=_ENDINGS[event.kind],
        is_rollback=event.rollback,
        from_color=str(from_color) if from_color else None,
        to_color=str(to_color),
        release=event.releases.get(to_color),
        by=event.by,
        commit=event.commit or None,
        reason=event.reason if event.kind is EventKind.SWITCH else "",
        refused_by=refused_by,
        seconds=event.durations_seconds.get("update"),
        cutover_seconds=event.durations_seconds.get("cutover"),
    )


def _colors_of_version_0(event: Event) -> tuple[Color | None, Color | None]:
    before = Color.read(event.from_split)
    return before, before.other if before else None


def _with_update(
    attempt: Attempt, event: Event, updates: Sequence[PastUpdate], namespace: str
) -> Attempt:
    """The same, with what the history knows of the update that it was made in."""
    for number, update in enumerate(updates):
        if _is_within(event.at, update):
            return replace(
                attempt,
                reason=attempt.reason or _reason(update),
                seconds=_seconds(update),
                deployment_seconds=_deployment(updates[: number + 1], attempt, namespace),
            )
    return attempt


def _of_history(
    updates: Sequence[PastUpdate], namespace: str
) -> Iterable[tuple[Attempt, PastUpdate]]:
    """The updates with another active color than the last one that succeeded before them."""
    before: Color | None = None
    for number, update in enumerate(updates):
        after = active_color_of(update, namespace)
        if update.kind == "destroy" and update.result == "succeeded":
            before = None
        if update.kind == "destroy" or after is None:
            continue
        if before is not None and before != after:
            attempt = Attempt(
                at=update.over,
                ending=Ending.DONE if update.result == "succeeded" else Ending.REFUSED,
                is_rollback=update.message.startswith(_ROLLBACK_MESSAGE),
                from_color=before,
                to_color=after,
                release=release_of(update, after, namespace),
                by=update.by,
                commit=update.commit,
                reason=_reason(update),
                seconds=_seconds(update),
            )
            deployed = _deployment(updates[: number + 1], attempt, namespace)
            yield replace(attempt, deployment_seconds=deployed), update
        if update.result == "succeeded":
            before = after


def _reason(update: PastUpdate) -> str:
    """What a command was given; other messages are about anything, as a commit's first line."""
    return update.message.partition(": ")[2] if update.message.startswith(_MESSAGES) else ""


def _deployment(updates: Sequence[PastUpdate], attempt: Attempt, namespace: str) -> float | None:
    """The time of the update that switched, and of the one that had put the release there."""
    *earlier, switch = updates
    deployed = switch
    for update in reversed(earlier):
        was_removed = update.kind == "destroy"
        if was_removed or release_of(update, attempt.to_color, namespace) != attempt.release:
            break
        deployed = update
    both = [switch] if deployed is switch else [deployed, switch]
    return sum(_seconds(each) for each in both)


def _with_detection(attempts: Sequence[Attempt]) -> Iterable[Attempt]:
    switched: Attempt | None = None
    for attempt in attempts:
        if attempt.ending is not Ending.DONE:
            yield attempt
            continue
        if attempt.is_rollback and switched is not None and attempt.seconds is not None:
            passed = _moment(attempt.at) - _moment(switched.at)
            seconds = max(0.0, passed.total_seconds() - attempt.seconds)
            yield replace(attempt, detection_seconds=round(seconds, 3))
        else:
            yield attempt
        switched = attempt


def _is_within(at: str, update: PastUpdate) -> bool:
    begin, end = _moment(update.started), _moment(update.over)
    return begin - _SLACK <= _moment(at) <= end + _SLACK


def _seconds(update: PastUpdate) -> float:
    return (_moment(update.over) - _moment(update.started)).total_seconds()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
