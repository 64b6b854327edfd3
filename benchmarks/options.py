"""What the command lines of all benchmarks have in common."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from benchmarks.stack import ROOT, BenchmarkError
from benchmarks.table import Page

__all__ = ["BENCH", "add_output_options", "add_run_options", "publish", "runs_of", "status_of"]

BENCH = ROOT / ".bluegreen" / "bench"
"""Where all figures go."""

_QUICK_RUNS = 3


def add_run_options(parser: argparse.ArgumentParser, report: Path) -> None:
    """How often, and where the figures go."""
    add = parser.add_argument
    add("--runs", type=_runs, default=10, help="pairs of runs of each task (default: %(default)s)")
    add("--quick", action="store_true", help=f"{_QUICK_RUNS} pairs only")
    add_output_options(parser, report)


def add_output_options(parser: argparse.ArgumentParser, report: Path | None) -> None:
    """What becomes of the figures."""
    add = parser.add_argument
    add("--markdown", action="store_true", help="print the tables as Markdown")
    add("--into", type=Path, default=report, help="where the figures go")


def runs_of(options: argparse.Namespace) -> int:
    """How many pairs were asked for."""
    return _QUICK_RUNS if options.quick else int(options.runs)


def publish(
    figures: str, pages: Sequence[Page], options: argparse.Namespace, console: Console
) -> None:
    """Writes every figure down, and prints the tables."""
    options.into.parent.mkdir(parents=True, exist_ok=True)
    options.into.write_text(figures, encoding="utf-8")
    if options.markdown:
        sys.stdout.write("\n".join(page.markdown() for page in pages))
        return
    for page in pages:
        console.print()
        page.show(console)
    console.print(Text(f"All figures: {options.into}", "dim"), soft_wrap=True)


def status_of(work: Callable[[], int], console: Console) -> int:
    """The exit status of some work; what stopped it is one line."""
    try:
        return work()
    except BenchmarkError as error:
        console.print(Text(str(error), "red"))
        return 1
    except KeyboardInterrupt:
        console.print(Text("interrupted; what was started has been removed", "red"))
        return 130


def _runs(text: str) -> int:
    runs = int(text)
    if not 1 <= runs <= 1000:
        msg = f"{runs} is outside 1 to 1000"
        raise argparse.ArgumentTypeError(msg)
    return runs
