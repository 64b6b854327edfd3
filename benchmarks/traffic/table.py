"""The figures for people: on a terminal in 80 columns, or as Markdown for the documentation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.figures import LARGEST_WRITE_MS, Spread
from benchmarks.traffic.figures import (
    LARGEST_P99_RATIO,
    MOST_SIGMAS,
    Traffic,
    TrafficReport,
)

__all__ = ["Sheet", "markdown", "sheets", "show"]

_NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table; the first column says what a row is about."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def show(report: TrafficReport, console: Console) -> None:
    """Prints the report."""
    for sheet in sheets(report):
        console.print(_on_terminal(sheet))
        console.print()
    for line in _notes(report):
        console.print(Text(line, "dim"))


def markdown(report: TrafficReport) -> str:
    """The same tables and notes, to be copied as they are."""
    blocks = ["\n".join(_markdown_lines(sheet)) for sheet in sheets(report)]
    return "\n\n".join([*blocks, *_notes(report)]) + "\n"


def sheets(report: TrafficReport) -> list[Sheet]:
    """Every figure that is shown."""
    return [
        _switching(report),
        _side_by_side(report),
        _latencies(report),
        _times(report),
        _idle(report),
        _losses(report),
        _canaries(report),
        _cohort(report),
    ]


def _switching(report: TrafficReport) -> Sheet:
    switching, traffic = report.switching, report.switching.traffic
    pairs = Spread.of(switching.pair_ratios) if switching.pair_ratios else None
    rows = [
        (
            "requests failed",
            f"{traffic.failed:,} of {traffic.requests:,}",
            _target("0", is_met=not traffic.failed),
        ),
        (
            "stale answers",
            f"{traffic.stale:,} of {traffic.asked_after:,}",
            _target("0", is_met=not traffic.stale),
        ),
        ("requests a second", f"{traffic.rate:,.1f} of {traffic.target_rate:,.0f}", ""),
        (
            "p99, updates that switch",
            f"{_number(switching.p99_ms)} ms",
            "",
        ),
        ("p99, updates without a change", f"{_number(switching.no_change_p99_ms)} ms", ""),
        (
            "ratio of the two",
            _number(switching.ratio),
            _target(f"≤ {LARGEST_P99_RATIO}", is_met=report.is_p99_within_target),
        ),
        ("ratio, pair by pair", _spread(pairs) if pairs else _NOTHING, ""),
        ("p99, 1 s around the write", f"{_number(switching.near_p99_ms)} ms", ""),
        (
            "the whole write",
            f"{_spread(switching.durable_ms)} ms",
            _target(f"≤ {LARGEST_WRITE_MS:g} ms", is_met=report.is_write_within_target),
        ),
        ("runtime command in it", f"{_spread(switching.command_ms)} ms", ""),
        ("update that switches", f"{_spread(switching.up_seconds)} s", ""),
        ("update without a change", f"{_spread(switching.no_change_seconds)} s", ""),
    ]
    return Sheet((f"{traffic.switches} switches by pulumi up", "measured", "target"), rows)


def _side_by_side(report: TrafficReport) -> Sheet:
    return Sheet(
        ("side by side", "failed", "stale, sent after the return"),
        [
            (
                each.name,
                f"{each.failed:,} of {each.requests:,}",
                f"{each.stale:,} of {each.asked_after:,} ({_percent(each)} %)",
            )
            for each in _all_ways(report)
        ],
    )


def _latencies(report: TrafficReport) -> Sheet:
    return Sheet(
        ("p99, milliseconds", "at a switch", "before", "ratio"),
        [
            (each.name, _number(each.p99_ms), _number(each.calm_p99_ms), _number(each.p99_ratio))
            for each in _all_ways(report)
        ],
    )


def _times(report: TrafficReport) -> Sheet:
    return Sheet(
        ("milliseconds", "until the return", "until traffic has followed"),
        [
            (each.name, _whole(each.command_ms), _whole(each.followed_ms))
            for each in _all_ways(report)
        ],
    )


def _idle(report: TrafficReport) -> Sheet:
    return Sheet(
        ("clients idle at a switch, by", "new color", "old color", "closed", "lost"),
        [
            (each.name, *map(str, (idle.new, idle.old, idle.closed, idle.failed)))
            for each in report.side_by_side
            if (idle := each.idle)
        ],
    )


def _losses(report: TrafficReport) -> Sheet:
    return Sheet(
        ("old members, requests of 50 ms", "rounds", "lost"),
        [
            (each.name, str(each.rounds), f"{each.failed:,} of {each.requests:,}")
            for each in report.losses
        ],
    )


def _canaries(report: TrafficReport) -> Sheet:
    return Sheet(
        ("canary, new clients", "got it", "share", "off by", "target"),
        [
            (
                f"{each.percent} %",
                f"{each.canary:,} of {each.clients:,}",
                f"{each.share:.2f} %",
                f"{each.sigmas:.1f} sigma",
                _target(f"≤ {MOST_SIGMAS:g}", is_met=each.is_within_target),
            )
            for each in report.canaries
        ],
    )


def _cohort(report: TrafficReport) -> Sheet:
    cohort = report.cohort
    row = (
        f"{cohort.percent} %, {cohort.canary} of {cohort.clients}",
        f"{cohort.requests:,}",
        f"{cohort.after_restart:,}",
        f"{cohort.strayed:,}",
        _target("0", is_met=not cohort.strayed),
    )
    return Sheet(("clients with a cookie", "requests", "after restart", "strayed", "target"), [row])


def _all_ways(report: TrafficReport) -> Iterator[Traffic]:
    yield report.switching.traffic
    yield from report.side_by_side


def _notes(report: TrafficReport) -> Iterator[str]:
    machine = report.machine
    yield "Medians (smallest to largest). Latency counts from when a request was due."
    yield "p99 at a switch: within 0.4 s; before: the same proxy, before its first switch."
    yield "Idle at a switch: 20 connections, used again 1 s after the new color was seen."
    yield (
        f"{machine.cores} cores, load {machine.load_before:.1f} before; Python {machine.python}, "
        f"Pulumi {machine.pulumi}; {report.seconds:.0f} s."
    )
    for skipped in report.skipped:
        yield f"Not measured: {skipped}."


def _target(text: str, *, is_met: bool) -> str:
    return f"{text}, {'met' if is_met else 'missed'}"


def _percent(traffic: Traffic) -> str:
    share = 100 * traffic.stale / traffic.asked_after if traffic.asked_after else 0.0
    return f"{share:.2f}"


def _number(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:.2f}"


def _spread(spread: Spread) -> str:
    return f"{spread.median:.2f} ({spread.min:.2f} to {spread.max:.2f})"


def _whole(spread: Spread) -> str:
    return f"{spread.median:.0f} ({spread.min:.0f} to {spread.max:.0f})"


def _on_terminal(sheet: Sheet) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    for number, column in enumerate(sheet.columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=True)
    for row in sheet.rows:
        table.add_row(*(Text(cell, _style(cell)) for cell in row))
    return table


def _style(cell: str) -> str:
    if cell.endswith(", met"):
        return "green"
    return "yellow" if cell.endswith(", missed") else ""


def _markdown_lines(sheet: Sheet) -> Iterator[str]:
    yield f"| {' | '.join(sheet.columns)} |"
    yield "|---" * len(sheet.columns) + "|"
    for row in sheet.rows:
        yield f"| {' | '.join(row)} |"
