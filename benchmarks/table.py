"""The figures for people, in 80 columns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.figures import LARGEST_RATIO, LARGEST_WRITE_MS, Machine, Report, Spread

__all__ = ["Page", "about_machine", "page_of", "spread_of", "table_of"]


@dataclass(frozen=True, slots=True)
class Page:
    """Tables, and what belongs under them."""

    tables: Sequence[Table]
    notes: Sequence[str] = ()

    def show(self, console: Console) -> None:
        """Prints it."""
        for table in self.tables:
            console.print(table)
            console.print()
        for line in self.notes:
            console.print(Text(line, "dim"))

    def markdown(self) -> str:
        """The same tables and notes, to be copied as they are."""
        blocks = ["\n".join(_markdown_lines(table)) for table in self.tables]
        return "\n\n".join([*blocks, *self.notes]) + "\n"


def page_of(report: Report) -> Page:
    """All figures of one comparison."""
    tables = [_tasks(report), _processor(report), _memory(report)]
    if report.writes:
        tables.append(_writes(report.writes))
    return Page(tables, [*_about_ratios(report), about_machine(report.machine)])


def about_machine(machine: Machine) -> str:
    """Where it was measured."""
    return (
        f"{machine.cores} cores, load {machine.load_before:.1f} before; Python {machine.python}, "
        f"Pulumi {machine.pulumi}."
    )


def _about_ratios(report: Report) -> list[str]:
    return [
        f"{report.runs} pairs of runs; medians (smallest to largest).",
        f"Ratio: bluegreen without gates and verification by {report.baseline}, pair by pair.",
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
            spread_of(comparison.ratio),
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
            spread_of(comparison.cpu_ratio),
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
    table.add_row("the router's write", spread_of(writes), limit)
    return table


def _target(limit: str, *, is_met: bool) -> Text:
    return Text(f"≤ {limit} {'met' if is_met else 'missed'}", "green" if is_met else "yellow")


def spread_of(spread: Spread, digits: int = 2) -> str:
    """The median, and what is around it."""
    median, least, most = (f"{each:.{digits}f}" for each in (spread.median, spread.min, spread.max))
    return f"{median} ({least} to {most})"


def table_of(first: str, *others: str) -> Table:
    """An empty one; the first column is for words."""
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column(first, no_wrap=True)
    for other in others:
        table.add_column(other, justify="right", no_wrap=True)
    return table
