"""What a person sees: steps with an explanation, commands, and what came of them."""

import contextlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from tools.demo.commands import Command
from tools.demo.report import Report

__all__ = ["Screen", "figures_of"]

_WIDEST = 100
_INDENT = 3


class Screen:
    """Works on a terminal and without one, from 80 columns."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or _console()
        self._steps = 0

    def title(self, text: str, *explanation: str) -> None:
        """Opens the story."""
        self._console.print(Rule(Text(text, "bold"), align="left"))
        for line in explanation:
            self._indented(Text(line))

    def step(self, title: str, why: str) -> int:
        """Opens a step; returns its number."""
        self._steps += 1
        self._console.print()
        self._console.print(Text(f"{self._steps:>2} ") + Text(title, "bold"))
        self._indented(Text(why, "dim"))
        return self._steps

    def command(self, command: Command) -> None:
        """Shows a command before it runs."""
        self._indented(Text("$ ", "dim") + Text(str(command), "cyan"))

    def said(self, lines: Iterable[str]) -> None:
        """Shows what a command said, where that is of interest."""
        for line in lines:
            is_bad = line.startswith("error:") or "refused" in line
            self._indented(Text(line, "red" if is_bad else "dim"), more=2)

    def good(self, text: str) -> None:
        """Something is as it should be."""
        self._indented(Text("✓ ", "green") + Text(text))

    def note(self, text: str) -> None:
        """Something to know."""
        self._indented(Text(text))

    def bad(self, text: str) -> None:
        """Something is not as it should be."""
        self._indented(Text("✗ ", "bold red") + Text(text, "red"))

    @contextlib.contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """Shows on a terminal that something goes on."""
        if not self._console.is_terminal:
            yield
            return
        with self._console.status(Text(text, "dim"), spinner="dots"):
            yield

    def figures(self, report: Report) -> None:
        """The closing table."""
        table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
        table.add_column(style="bold", no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(style="dim", ratio=1)
        for row in figures_of(report):
            table.add_row(*(Text(cell) for cell in row))
        self._console.print()
        self._console.print(Rule(Text("what it showed", "bold"), align="left"))
        self._console.print(Padding(table, (0, 0, 0, _INDENT)))

    def files(self, **paths: Path) -> None:
        """Says where results are."""
        self._console.print()
        for name, path in paths.items():
            self._indented(Text(f"{name:<8} {_short(path)}"))

    def to_try(self, title: str, lines: Iterable[tuple[str, str]]) -> None:
        """Commands for the reader, each with what it does."""
        self._console.print()
        self._console.print(Rule(Text(title, "bold"), align="left"))
        for command, meaning in lines:
            self._indented(Text(f"# {meaning}", "dim"))
            # Not wrapped, so that it can be copied.
            self._console.print(Text("   ") + Text(command, "cyan"), soft_wrap=True)

    def _indented(self, text: Text, *, more: int = 0) -> None:
        """Every line of a long text starts at the same column, and none ends in blanks."""
        margin = Text(" " * (_INDENT + more))
        for line in text.wrap(self._console, self._console.width - len(margin)):
            row = margin + line
            row.rstrip()
            self._console.print(row)


def figures_of(report: Report) -> Iterator[tuple[str, str, str]]:
    """Name, value and meaning of the figures that matter."""
    failed, stale = report.control["failed"], report.control["stale"]
    write, up = report.switch_write_ms, report.up_seconds
    yield (
        "requests",
        f"{report.requests:,}",
        f"{report.rate:,.0f} a second while traffic moved {report.switches} times",
    )
    yield (
        "failed",
        f"{report.failed}",
        "without a complete 2xx answer, nothing repeated; control: "
        f"{failed['failed']:,} of {failed['requests']:,} where nobody serves",
    )
    yield (
        "stale",
        f"{report.stale}",
        f"of {report.stale_of:,} sent after `pulumi up` returned, from the old color; control: "
        f"{stale['stale']:,} if it had returned at once",
    )
    yield (
        "the write",
        f"{write.median:.2f} ms",
        f"median of the one proxy command that moves traffic ({write.min:.2f} to {write.max:.2f})",
    )
    yield (
        "pulumi up",
        f"{up.median:.1f} s",
        f"median of a switch: preview, gates, write, check ({up.min:.1f} to {up.max:.1f})",
    )
    yield (
        "p99",
        _milliseconds(report.p99_ms),
        f"latency while switching; {_milliseconds(report.baseline_p99_ms)} while the same "
        "`pulumi up` had nothing to do",
    )


def _milliseconds(value: float | None) -> str:
    return "none" if value is None else f"{value:.1f} ms"


def _short(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _console() -> Console:
    # An old terminal shows a question mark instead of ending the demo.
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    console = Console(highlight=False)
    console.width = min(console.width, _WIDEST)
    return console
