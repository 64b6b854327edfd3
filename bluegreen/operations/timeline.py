"""Which color had production or a part of it when, and which release came to which color. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bluegreen.colors import Color
from bluegreen.operations.attempts import Attempt, Ending
from bluegreen.operations.past_config import active_color_of, canary_percent_of, release_of
from bluegreen.operations.stack import PastUpdate

__all__ = ["Canary", "Deployed", "Period", "canaries_of", "deployed_of", "periods_of"]


@dataclass(frozen=True, slots=True)
class Period:
    """A time in which one color had production, with one release."""

    color: str
    release: str | None
    begin: str
    """UTC, ISO 8601; of the first one, when what was looked at begins."""

    end: str | None
    """None: it lasts."""


@dataclass(frozen=True, slots=True)
class Canary:
    """A time in which the color without production had a share of it."""

    color: str
    release: str | None
    percent: int
    """Of production traffic, 1 to 99."""

    at: str
    """When the update that gave it had ended; UTC, ISO 8601."""

    end: str | None
    """None: it lasts."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """A release that came to a color."""

    at: str
    """When the first update with it that succeeded had ended; UTC, ISO 8601."""

    color: str
    release: str


def periods_of(
    attempts: Iterable[Attempt], updates: Sequence[PastUpdate], namespace: str
) -> tuple[Period, ...]:
    """Who had production when, oldest first; what was destroyed had none.

    Args:
        attempts: The tries to move it.
        updates: The stack's history, newest first.
        namespace: Of the config keys: the project's name.
    """
    known = [_Known(each.at, each.to_color, each.release) for each in attempts if _is_done(each)]
    known += _known_of(updates, namespace)
    found: list[Period] = []
    for each in sorted(known, key=lambda known: datetime.fromisoformat(known.at)):
        last = found[-1] if found and found[-1].end is None else None
        if last is not None and each.continues(last):
            found[-1] = replace(last, release=last.release or each.release)
            continue
        if last is not None:
            found[-1] = replace(last, end=each.at)
        if each.color is not None:
            found.append(Period(each.color, each.release, each.at, None))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Known:
    """Who has production from a moment on, as one source has it; color None: nobody."""

    at: str
    color: str | None
    release: str | None

    def continues(self, period: Period) -> bool:
        is_other_release = None not in {self.release, period.release} and (
            self.release != period.release
        )
        return self.color == period.color and not is_other_release


def _known_of(updates: Sequence[PastUpdate], namespace: str) -> Iterator[_Known]:
    for update in _succeeded(updates):
        at = update.over
        color = active_color_of(update, namespace)
        if update.kind == "destroy":
            yield _Known(at, None, None)
        elif color is not None:
            yield _Known(at, color, release_of(update, color, namespace))


def canaries_of(updates: Sequence[PastUpdate], namespace: str) -> tuple[Canary, ...]:
    """The shares that updates that succeeded gave, oldest first; another share is another one."""
    found: list[Canary] = []
    for update in _succeeded(updates):
        given = _canary_of(update, namespace)
        last = found[-1] if found and found[-1].end is None else None
        if given is not None and last is not None and given == replace(last, at=update.over):
            continue
        if last is not None:
            found[-1] = replace(last, end=update.over)
        if given is not None:
            found.append(given)
    return tuple(found)


def _canary_of(update: PastUpdate, namespace: str) -> Canary | None:
    active = active_color_of(update, namespace)
    if active is None or update.kind == "destroy":
        return None
    idle = active.other
    percent = canary_percent_of(update, idle, namespace)
    if not percent:
        return None
    return Canary(idle, release_of(update, idle, namespace), percent, update.over, None)


def deployed_of(updates: Sequence[PastUpdate], namespace: str) -> tuple[Deployed, ...]:
    """The releases that came to a color, oldest first; not those of the first update looked at."""
    found: list[Deployed] = []
    before: Mapping[Color, str | None] | None = None
    for update in _succeeded(updates):
        after = {
            color: release_of(update, color, namespace) if update.kind == "update" else None
            for color in Color
        }
        found += [
            Deployed(update.over, color, release)
            for color, release in after.items()
            if before is not None and release is not None and release != before[color]
        ]
        before = after
    return tuple(found)


def _succeeded(updates: Sequence[PastUpdate]) -> Iterator[PastUpdate]:
    """Oldest first; only what changes who has production."""
    for update in reversed(updates):
        if update.result == "succeeded" and update.kind in {"update", "destroy"}:
            yield update


def _is_done(attempt: Attempt) -> bool:
    return attempt.ending is Ending.DONE
