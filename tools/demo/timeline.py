"""The picture of a demo: who answered when, what happened meanwhile, and what failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bluegreen.colors import Color
from tools.demo.report import MoveKind, Observations, Report

__all__ = ["PIXELS", "Mark", "MarkKind", "Timeline", "figure_of", "make_timeline", "save"]

PIXELS = (1800, 840)
"""Width and height: twice what a README shows, for dense screens."""

_DOTS_PER_INCH = 200
_STEP_SECONDS = 0.25

_COLORS = {Color.BLUE: "#2f6fde", Color.GREEN: "#2c9a5b"}
_INK = "#30363d"
_FAINT = "#8b949e"
_BAD = "#cf222e"
# Lines and shades end here, of the height, and their labels stand above.
_MARKS_TOP = 0.86

# Of the width: what the word `green` takes.
_LEAST_NAMED_SHARE = 0.045


class MarkKind(StrEnum):
    """What happened at a moment, or for a while."""

    SWITCH = "switch"
    ROLLBACK = "rollback"
    REFUSAL = "refusal"
    BASELINE = "baseline"


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened; seconds since the first request."""

    kind: MarkKind
    start: float
    end: float
    """The same as `start` for a moment."""

    label: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which one color had production traffic."""

    color: Color
    release: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything in the picture; seconds since the first request."""

    title: str
    seconds: Sequence[float]
    """The start of each step."""

    rates: dict[Color, Sequence[float]]
    """Answers per second of each color, step by step."""

    failed: Sequence[int]
    """Failed requests in each step."""

    requests: int
    rate: float
    """Requests per second that were asked for."""

    marks: Sequence[Mark]
    stretches: Sequence[Stretch]


def make_timeline(seen: Observations, report: Report, first_release: str) -> Timeline:
    """Puts a demo in order of time."""
    recording = seen.recording
    zero = min(request.intended for request in recording)
    # The last step is not full and would look like a fall.
    buckets = recording.timeline(_STEP_SECONDS)[:-1] or recording.timeline(_STEP_SECONDS)
    end = buckets[-1].start + _STEP_SECONDS
    return Timeline(
        title=_title(report),
        seconds=[bucket.start for bucket in buckets],
        rates={
            color: [bucket.answers.get(color, 0) / _STEP_SECONDS for bucket in buckets]
            for color in Color
        },
        failed=[bucket.failed for bucket in buckets],
        requests=len(recording),
        rate=recording.target_rate,
        marks=_marks(seen, zero),
        stretches=_stretches(seen, zero, end, first_release),
    )


def figure_of(timeline: Timeline) -> Figure:
    """Draws it."""
    width, height = (pixels / _DOTS_PER_INCH for pixels in PIXELS)
    figure = Figure(figsize=(width, height), dpi=_DOTS_PER_INCH, layout="constrained")
    traffic, failures = figure.subplots(
        2, 1, sharex=True, gridspec_kw={"height_ratios": [9, 1], "hspace": 0.05}
    )
    figure.suptitle(timeline.title, fontsize=10, color=_INK, x=0.01, ha="left")
    _draw_traffic(traffic, timeline)
    _draw_marks(traffic, timeline)
    _draw_failures(failures, timeline)
    return figure


def save(timeline: Timeline, path: Path) -> None:
    """Writes the picture as a PNG of `PIXELS`."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    figure_of(timeline).savefig(unfinished, format="png", dpi=_DOTS_PER_INCH)
    unfinished.replace(path)


def _title(report: Report) -> str:
    return (
        f"{report.requests:,} requests, {report.rate:,.0f} a second, traffic moved "
        f"{report.switches} times: {report.failed} failed, {report.stale} stale"
    )


def _marks(seen: Observations, zero: float) -> list[Mark]:
    def mark(kind: MarkKind, window: tuple[float, float], label: str) -> Mark:
        return Mark(kind, window[0] - zero, window[1] - zero, label)

    moves = [
        mark(MarkKind(move.kind), (move.written, move.written), _label(move.kind, number))
        for number, move in enumerate(seen.moves, start=1)
    ]
    refusal = seen.refusal
    return [
        mark(MarkKind.BASELINE, seen.baseline, "pulumi up\nwithout a change"),
        *moves,
        mark(MarkKind.REFUSAL, refusal.window, f"{refusal.wanted}\nrefused"),
    ]


def _label(kind: MoveKind, number: int) -> str:
    return f"switch\n{number}" if kind is MoveKind.SWITCH else str(kind)


def _stretches(seen: Observations, zero: float, end: float, first_release: str) -> list[Stretch]:
    moves = seen.moves
    color, release, start = Color(moves[0].from_color), first_release, 0.0
    stretches = []
    for move in moves:
        moment = move.written - zero
        stretches.append(Stretch(color, release, start, moment))
        color, release, start = Color(move.to_color), move.release, moment
    return [*stretches, Stretch(color, release, start, end)]


def _draw_traffic(axes: Axes, timeline: Timeline) -> None:
    below = [0.0] * len(timeline.seconds)
    for color, rates in timeline.rates.items():
        # One on top of the other: in the step of a switch both have answered.
        total = [low + rate for low, rate in zip(below, rates, strict=True)]
        axes.fill_between(
            timeline.seconds, below, total, step="post", color=_COLORS[color], linewidth=0
        )
        below = total
    rate = timeline.rate
    axes.set_ylim(0, rate * 1.3)
    axes.set_yticks([0, rate / 2, rate], [f"{value:,.0f}" for value in (0, rate / 2, rate)])
    axes.set_ylabel("answers a second", fontsize=8, color=_INK)
    for stretch in timeline.stretches:
        # Short stretches have no room for a name; their color says it.
        if stretch.end - stretch.start < _LEAST_NAMED_SHARE * timeline.seconds[-1]:
            continue
        axes.text(
            (stretch.start + stretch.end) / 2,
            rate / 2,
            f"{stretch.color}\n{stretch.release}",
            ha="center",
            va="center",
            fontsize=8,
            color="white",
            fontweight="bold",
        )
    _plain(axes)
    axes.tick_params(axis="x", bottom=False, labelbottom=False)


def _draw_marks(axes: Axes, timeline: Timeline) -> None:
    top = axes.get_ylim()[1]
    for mark in timeline.marks:
        color = _BAD if mark.kind is MarkKind.REFUSAL else _INK
        for moment in {mark.start, mark.end}:
            style = "-" if mark.start == mark.end else (0, (2, 2))
            axes.axvline(moment, 0, _MARKS_TOP, color=color, linewidth=1, linestyle=style)
        if mark.end > mark.start:
            axes.axvspan(
                mark.start, mark.end, _MARKS_TOP - 0.03, _MARKS_TOP, color=color, linewidth=0
            )
        axes.text(
            (mark.start + mark.end) / 2,
            top * (_MARKS_TOP + 0.01),
            mark.label,
            ha="center",
            va="bottom",
            fontsize=7.5,
            color=color,
            linespacing=1.1,
        )


def _draw_failures(axes: Axes, timeline: Timeline) -> None:
    failed = sum(timeline.failed)
    axes.set_ylim(0, max(*timeline.failed, 1))
    axes.fill_between(timeline.seconds, timeline.failed, step="post", color=_BAD, linewidth=0)
    axes.set_yticks([])
    axes.set_ylabel("failed", fontsize=8, color=_INK, rotation=0, ha="right", va="center")
    axes.text(
        0.5,
        0.5,
        f"{failed:,} of {timeline.requests:,} requests" if failed else "none",
        transform=axes.transAxes,
        ha="center",
        va="center",
        fontsize=7.5,
        color=_INK if failed else _FAINT,
    )
    axes.set_xlabel("seconds", fontsize=8, color=_INK)
    _plain(axes)


def _plain(axes: Axes) -> None:
    axes.margins(x=0)
    axes.tick_params(labelsize=7.5, colors=_INK, length=2)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(_FAINT)
