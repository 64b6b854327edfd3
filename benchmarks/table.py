"""The figures for people, in 80 columns."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.figures import LARGEST_RATIO, LARGEST_WRITE_MS, Report, Spread

__all__ = ["markdown", "markdown_of", "show", "table_of"]


def show(report: Report, console: Console) -> None:
    """Prints the report."""
    for table in _tables(report):
        console.print(table)
        console.print()
    for line in _notes(report):
        console.print(Text(line, "dim"))


def markdown(report: Report) -> str:
    """The same tables and notes, to be copied as they are."""
    blocks = [markdown_of(table) for table in _tables(report)]
    return "\n".join([*blocks, "\n\n".join(_notes(report)), ""])


def markdown_of(table: Table) -> str:
    """One table."""
    return "\n".join([*_markdown_lines(table), ""])


def _tables(report: Report) -> list[Table]:
    tables = [_tasks(report), _processor(report), _memory(report)]
    return [*tables, _writes(report.writes)] if report.writes else tables


def _notes(report: Report) -> list[str]:
    machine = report.machine
    return [
        f"{report.runs} pairs of runs; medians (smallest to largest).",
        f"Ratio: bluegreen without gates and verification by {report.baseline}, pair by pair.",
        f"{machine.cores} cores, load {machine.load_before:.1f} before; Python {machine.python}, "
        f"Pulumi {machine.pulumi}.",
    ]


def _markdown_lines(table: Table) -> Iterator[str]:
    yield f"| {' | '.join(str(column.header) for column in table.columns)} |"
    yield "|---" * len(table.columns) + "|"
    for row in zip(*(column.cells for column in table.columns), strict=True):
        yield f"| {' | '.join(map(str, row))} |"


def _tasks(report: Report) -> Table:
    table = table_of("seconds", report.baseline, "bluegreen", "gates", "ratio", "target")
    for comparison in report.comparisons:
        table.add_row(
            str(comparison.task),
            f"{comparison.plain_seconds.median:.2f}",
            f"{comparison.ours_seconds.median:.2f}",
            f"{comparison.judged_seconds.median:.2f}",
            _spread(comparison.ratio),
            _target(f"{LARGEST_RATIO}", is_met=comparison.is_within_target),
        )
    return table


def _processor(report: Report) -> Table:
    table = table_of("processor seconds", report.baseline, "bluegreen", "ratio")
    for comparison in report.comparisons:
        table.add_row(
            str(comparison.task),
            f"{comparison.plain_cpu_seconds.median:.2f}",
            f"{comparison.ours_cpu_seconds.median:.2f}",
            _spread(comparison.cpu_ratio),
        )
    return table


def _memory(report: Report) -> Table:
    table = table_of("peak memory, MiB", report.baseline, "bluegreen", "ratio")
    plain, ours = report.plain_memory, report.ours_memory
    for name, before, after in (
        ("the program", plain.program_mib, ours.program_mib),
        ("all processes", plain.all_mib, ours.all_mib),
    ):
        table.add_row(name, f"{before:.0f}", f"{after:.0f}", f"{after / before:.2f}")
    return table


def _writes(writes: Spread) -> Table:
    table = table_of("milliseconds", "median (min to max)", "target")
    is_met = writes.median <= LARGEST_WRITE_MS
    limit = _target(f"{LARGEST_WRITE_MS:g}", is_met=is_met)
    table.add_row("the router's write", _spread(writes), limit)
    return table


def _target(limit: str, *, is_met: bool) -> Text:
    return Text(f"≤ {limit} {'met' if is_met else 'missed'}", "green" if is_met else "yellow")


def _spread(spread: Spread) -> str:
    return f"{spread.median:.2f} ({spread.min:.2f} to {spread.max:.2f})"


def table_of(first: str, *others: str) -> Table:
    """An empty one; the first column is for words."""
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column(first, no_wrap=True)
    for other in others:
        table.add_column(other, justify="right", no_wrap=True)
    return table
