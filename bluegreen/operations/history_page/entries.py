"""The list of what happened: switches, tries, canaries, and releases that came to a color."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime
from html import escape

from bluegreen.operations.attempts import Attempt, Ending
from bluegreen.operations.history import History
from bluegreen.operations.history_page.words import duration, moment_of, written
from bluegreen.operations.timeline import Canary, Deployed, Period

__all__ = ["Happened", "entries", "kind_of", "label_of"]

Happened = Attempt | Canary | Deployed

_OPEN = 50
_COMMIT = 8


def kind_of(each: Happened) -> str:
    """In one word: `switch`, `rollback`, `refused`, `failed`, `canary` or `release`."""
    if isinstance(each, Deployed):
        return "release"
    if isinstance(each, Canary):
        return "canary"
    if each.ending is not Ending.DONE:
        return str(each.ending)
    return "rollback" if each.is_rollback else "switch"


def label_of(each: Happened) -> str:
    """One line about it."""
    if isinstance(each, Deployed):
        return f"release {each.release} on {each.color}"
    if isinstance(each, Canary):
        return f"canary: {each.percent} % to {each.color} {each.release or ''}".rstrip()
    what = "rollback" if each.is_rollback else "switch"
    how = "" if each.ending is Ending.DONE else f", {each.ending}"
    way = f"{each.from_color} → " if each.from_color else "to "
    return f"{what}{how}: {way}{each.to_color} {each.release or ''}".rstrip()


def entries(found: History) -> str:
    """All of them as HTML, newest first; the older ones folded, when there are many.

    Empty when there is nothing to tell.
    """
    happened: list[Happened] = [*found.attempts, *found.canaries, *found.deployed]
    # In one update the release comes first; a release is written down at the update's end.
    happened.sort(key=lambda each: (moment_of(each.at), isinstance(each, Attempt)))
    periods = _Periods(found.periods)
    lines = [_entry(each, periods.at(moment_of(each.at))) for each in reversed(happened)]
    lines += _beginning(found.periods)
    if not lines:
        return ""
    shown = _list(lines[:_OPEN])
    if older := lines[_OPEN:]:
        shown += f"<details><summary>{len(older)} older</summary>{_list(older)}</details>"
    return shown


def _list(lines: Sequence[str]) -> str:
    return f'<ol class="entries">{"".join(lines)}</ol>'


def _entry(each: Happened, period: Period | None) -> str:
    owner = f" {period.color}" if period else ""
    details = "".join(_details(each, period)) if isinstance(each, Attempt) else ""
    if isinstance(each, Canary) and each.end is not None:
        details = f'<p class="quiet">{_lasted(each.at, each.end)}</p>'
    return (
        f'<li class="{kind_of(each)}{owner}"><time>{written(each.at)}</time>'
        f"<p>{escape(label_of(each))}</p>{details}</li>"
    )


def _details(each: Attempt, period: Period | None) -> Iterator[str]:
    if each.refused_by:
        yield f"<p>refused by {escape(', '.join(each.refused_by))}</p>"
    if each.reason:
        yield f'<p class="said">{escape(each.reason)}</p>'
    figures = [
        f"took {duration(each.seconds)}" if each.seconds is not None else "",
        f"cutover {duration(each.cutover_seconds)}" if each.cutover_seconds is not None else "",
        f"by {each.by}" if each.by else "",
        f"commit {each.commit[:_COMMIT]}" if each.commit else "",
        _kept(each, period),
    ]
    yield f'<p class="quiet">{escape(" · ".join(filter(None, figures)))}</p>'


def _kept(each: Attempt, period: Period | None) -> str:
    """How long production stayed there afterwards."""
    if each.ending is not Ending.DONE or period is None or period.end is None:
        return ""
    return _lasted(each.at, period.end)


def _lasted(begin: str, end: str) -> str:
    return f"stayed for {duration((moment_of(end) - moment_of(begin)).total_seconds())}"


def _beginning(periods: Sequence[Period]) -> Iterator[str]:
    """Who had production when what was looked at begins."""
    if periods:
        first = periods[0]
        text = escape(f"{first.color} {first.release or ''}".rstrip())
        yield (
            f'<li class="beginning {first.color}"><time>{written(first.begin)}</time>'
            f"<p>{text} has production; what was looked at begins here</p></li>"
        )


class _Periods:
    """Who had production at a moment."""

    def __init__(self, periods: Sequence[Period]) -> None:
        self._periods = periods
        self._begins = [moment_of(each.begin) for each in periods]

    def at(self, moment: datetime) -> Period | None:
        number = bisect_right(self._begins, moment) - 1
        period = self._periods[number] if number >= 0 else None
        if period is None or (period.end is not None and moment_of(period.end) < moment):
            return None
        return period
