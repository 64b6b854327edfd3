"""The picture of both colors over time, to scale: who had production, and what happened when."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from bluegreen.colors import Color
from bluegreen.operations.attempts import Attempt
from bluegreen.operations.history import History
from bluegreen.operations.history_page.entries import Happened, kind_of, label_of
from bluegreen.operations.history_page.words import duration, moment_of, written
from bluegreen.operations.timeline import Canary, Deployed, Period

__all__ = ["strip"]

_LANES = {Color.BLUE: 0, Color.GREEN: 34}
_LANE_HEIGHT, _LEAST_HEIGHT = 30, 4
_MARKS = 82
_HEIGHT = 94
_SHAPES = {
    "switch": "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0",
    "rollback": "M5-6V6L-6 0Z",
    "refused": "M-5-5L5 5M5-5L-5 5",
    "failed": "M0-6L6 5H-6Z",
    "release": "M0-6L6 0L0 6L-6 0Z",
}
"""Told by their form, not by their color alone; each around its middle."""

_LEAST_PERCENT = 0.6
"""So wide is a period at least, or nobody would see it."""

_WIDTHS = {"": 300, "wide": 700}
"""Pixels of a whole lane on a phone and on a screen: what has no room there has no text there."""

_CHARACTER = 9


@dataclass(frozen=True, slots=True)
class _Scale:
    begin: float
    end: float

    def percent(self, at: str) -> float:
        """How far from the left."""
        length = max(self.end - self.begin, 1.0)
        return 100 * min(max(moment_of(at).timestamp() - self.begin, 0.0), length) / length

    def stretch(self, begin: str, end: str) -> tuple[float, float]:
        """How far from the left it begins, and how wide it is."""
        left = self.percent(begin)
        width = max(self.percent(end) - left, _LEAST_PERCENT)
        return min(left, 100 - width), width


def strip(found: History) -> str:
    """It, its axis and its legend as HTML; empty when nobody ever had production."""
    if not found.periods:
        return ""
    happened: list[Attempt | Deployed] = [*found.deployed, *found.attempts]
    moments = [found.periods[0].begin, *(each.at for each in happened)]
    # The clock of this machine may be behind that of those who wrote it down.
    begin, end = min(moments, key=moment_of), max([found.at, *moments], key=moment_of)
    scale = _Scale(moment_of(begin).timestamp(), moment_of(end).timestamp())
    lanes = "".join(_lane(y) for y in _LANES.values())
    bars = "".join(_bar(each, scale, end) for each in found.periods)
    shares = "".join(_share(each, scale, end) for each in found.canaries)
    marks = "".join(_mark(each, scale) for each in happened)
    label = "which color had production when; the list below says the same in words"
    return (
        f'<div class="strip"><div class="lanes"><p class="blue">blue</p><p class="green">green</p>'
        f'</div><svg width="100%" height="{_HEIGHT}" role="img" aria-label="{label}">'
        f"{lanes}{bars}{shares}{marks}</svg></div>"
        f'<p class="axis"><time>{written(begin)}</time><time>{written(end)}</time></p>'
        f"{_legend(happened)}"
    )


def _lane(y: int) -> str:
    return f'<rect class="lane" y="{y}" width="100%" height="{_LANE_HEIGHT}"/>'


def _bar(period: Period, scale: _Scale, last: str) -> str:
    begin, width = scale.stretch(period.begin, period.end or last)
    what = f"{period.color} {period.release or ''}".rstrip()
    return (
        f'<svg x="{begin:.3f}%" y="{_LANES[Color(period.color)]}"'
        f' width="{width:.3f}%" height="{_LANE_HEIGHT}">'
        f"<title>{_told(what, period.begin, period.end or last)}</title>"
        f'<rect class="{period.color}" width="100%" height="100%"/>'
        f"{_text(period.release or '', width)}</svg>"
    )


def _share(canary: Canary, scale: _Scale, last: str) -> str:
    """As high as its share, in the lane of its color."""
    begin, width = scale.stretch(canary.at, canary.end or last)
    height = max(_LANE_HEIGHT * canary.percent / 100, _LEAST_HEIGHT)
    y = _LANES[Color(canary.color)] + _LANE_HEIGHT - height
    return (
        f'<svg x="{begin:.3f}%" y="{y:g}" width="{width:.3f}%" height="{height:g}">'
        f"<title>{_told(label_of(canary), canary.at, canary.end or last)}</title>"
        f'<rect class="{canary.color}" width="100%" height="100%"/></svg>'
    )


def _text(release: str, width: float) -> str:
    needed = _CHARACTER * (len(release) + 1)
    fits = [kind for kind, pixels in _WIDTHS.items() if width * pixels / 100 > needed]
    if not release or not fits:
        return ""
    return f'<text class="{fits[0]}" x="6" y="20">{escape(release)}</text>'


def _told(what: str, begin: str, end: str) -> str:
    seconds = (moment_of(end) - moment_of(begin)).total_seconds()
    return escape(f"{what}: {duration(max(seconds, 0))} from {written(begin)}")


def _mark(each: Attempt | Deployed, scale: _Scale) -> str:
    y = _MARKS
    if isinstance(each, Deployed):
        y = _LANES[Color(each.color)] + _LANE_HEIGHT // 2
    told = escape(f"{written(each.at)} {label_of(each)}")
    return (
        f'<svg class="mark" x="{scale.percent(each.at):.3f}%" y="{y}">'
        f"<title>{told}</title>{_shape(kind_of(each))}</svg>"
    )


def _shape(kind: str) -> str:
    return f'<path class="{kind}" d="{_SHAPES[kind]}"/>'


def _legend(happened: Sequence[Happened]) -> str:
    kinds = {kind_of(each) for each in happened}
    return f'<p class="legend">{"".join(_explained(kinds))}</p>' if kinds else ""


def _explained(kinds: set[str]) -> Iterator[str]:
    for kind in _SHAPES:
        if kind in kinds:
            picture = f'<svg width="14" height="14" viewBox="-7 -7 14 14">{_shape(kind)}</svg>'
            yield f"<span>{picture} {kind}</span>"
