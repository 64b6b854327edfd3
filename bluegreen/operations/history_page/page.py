"""What stands on the page, from top to bottom."""

from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from bluegreen.colors import Color
from bluegreen.operations.history import History
from bluegreen.operations.history_page.entries import entries, kind_of
from bluegreen.operations.history_page.strip import strip
from bluegreen.operations.history_page.words import counted, duration, written
from bluegreen.operations.standing import Standing
from bluegreen.operations.targets import Judgement, TargetFigure, TriggerFigure
from bluegreen.operations.timeline import Period
from bluegreen.page import Share, bar, chips, page, style_beside, table

__all__ = ["as_html"]

_NOTHING = "\N{EN DASH}"


def as_html(found: History) -> str:
    """A page about one stack: who has production and had it when, the targets, what happened."""
    place = f"{found.project}/{found.stack.rsplit('/', 1)[-1]}"
    sections = [
        "\n".join(_now(found, place)),
        "\n".join(_timeline(found)),
        f"<h2>Targets</h2>\n{_targets(found.targets)}",
    ]
    if listed := entries(found):
        sections.append(f"<h2>What happened <small>UTC, newest first</small></h2>\n{listed}")
    sections.append(f"<h2>Rollbacks by class of incident</h2>\n{_triggers(found.triggers)}")
    style = style_beside("bluegreen.operations.history_page", "history.css")
    return page(f"{place}: history", sections, style=style)


def _now(found: History, place: str) -> Iterator[str]:
    yield f"<h1>{escape(f'{place}: {_headline(found.standings)}')}</h1>"
    if counts := _counts(found):
        yield chips(counts)
    shares = [
        Share(Color(each.color), f"{each.color} {each.release or ''} {each.percent} %", percent)
        for each in found.standings
        if (percent := each.percent)
    ]
    if shares:
        yield f'<div class="traffic">{bar(shares)}</div>'
    if found.standings:
        columns = ("color", "role", "traffic", "release", "production")
        yield table(columns, [_row(each, found.periods) for each in found.standings])
    if difference := _difference(found):
        yield f'<p class="error">{difference}</p>'
    read = f"{counted(found.updates, 'update')} and {counted(found.events, 'event')}"
    names = ", ".join(dict.fromkeys(Path(source).name for source in found.sources)) or "no file"
    begin = "As the last update left it, read" if found.standings else "Read"
    text = f"{begin} at {written(found.at)} UTC from {read} ({names})."
    yield f'<p class="quiet">{escape(text)}</p>'


def _headline(standings: Sequence[Standing]) -> str:
    active = next((each for each in standings if each.is_active), None)
    if active is None:
        return "nothing is deployed"
    return f"{active.color} {active.release or ''}".rstrip() + " has production"


def _counts(found: History) -> list[str]:
    counts = Counter(map(kind_of, found.attempts))
    words = [(kind, counted(counts[kind], kind)) for kind in ("switch", "rollback")]
    words += [(kind, f"{counts[kind]} {kind}") for kind in ("refused", "failed")]
    return [word for kind, word in words if counts[kind]]


def _row(each: Standing, periods: Sequence[Period]) -> tuple[str, ...]:
    share = "not known" if each.percent is None else f"{each.percent} %"
    return (
        each.color,
        "active" if each.is_active else "idle",
        share,
        each.release or _NOTHING,
        _in_production(each, periods),
    )


def _in_production(each: Standing, periods: Sequence[Period]) -> str:
    last = next((period for period in reversed(periods) if period.color == each.color), None)
    if last is None:
        return _NOTHING
    return f"until {written(last.end)}" if last.end else f"since {written(last.begin)}"


def _difference(found: History) -> str:
    """What somebody has to know when the switches do not lead to what is recorded."""
    active = next((each.color for each in found.standings if each.is_active), None)
    last = found.periods[-1] if found.periods else None
    if active is None or last is None or (last.end is None and last.color == active):
        return ""
    return (
        f"{active} is recorded, and no switch that is known led there: an update failed or was "
        "killed after its write, or somebody moved it; <code>bluegreen status --live</code> asks"
    )


def _timeline(found: History) -> Iterator[str]:
    yield "<h2>Timeline <small>UTC</small></h2>"
    if not found.attempts:
        yield f"<p>No switch yet in {counted(found.updates, 'update')} that were looked at.</p>"
    yield strip(found)


def _targets(targets: Sequence[TargetFigure]) -> str:
    return f'<ul class="cards">{"".join(map(_card, targets))}</ul>'


def _card(each: TargetFigure) -> str:
    value = _NOTHING if each.value is None else f"{each.value:.1f} {each.unit}"
    kind = {Judgement.MET: "met", Judgement.MISSED: "missed"}.get(each.verdict, "quiet")
    of = f"of {each.count}" if each.unit == "%" else f"slowest of {each.count}"
    return (
        f"<li><p>{escape(each.name)}</p><p><b>{value}</b></p>"
        f'<p class="{kind}">{escape(each.verdict)}</p>'
        f'<p class="quiet">target {escape(each.target)}</p>'
        f'<p class="quiet">{of if each.count else _NOTHING}</p></li>'
    )


def _triggers(triggers: Sequence[TriggerFigure]) -> str:
    columns = ("incident", "usually noticed", "rollbacks", "slowest", "late")
    return table(columns, [_trigger(each) for each in triggers])


def _trigger(each: TriggerFigure) -> tuple[str, ...]:
    slowest = _NOTHING if each.slowest_seconds is None else duration(each.slowest_seconds)
    late = str(each.late) if each.count else _NOTHING
    return (each.trigger.replace("_", " "), each.expected, str(each.count), slowest, late)
