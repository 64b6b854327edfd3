"""Command line of this part: `python -m benchmarks traffic`."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import ValidationError
from rich.console import Console
from rich.text import Text

from benchmarks.options import BENCH, status_of
from benchmarks.traffic.figures import TrafficReport
from benchmarks.traffic.measure import measure
from benchmarks.traffic.pace import FULL, QUICK
from benchmarks.traffic.table import markdown, show

__all__ = ["main"]


def main(arguments: Sequence[str], console: Console) -> int:
    """Measures, or prints what was measured; a missed target is no failure."""
    options = _parser().parse_args(arguments)
    if options.markdown:
        return _print_markdown(options.into, console)
    return status_of(lambda: _measure(options, console), console)


def _measure(options: argparse.Namespace, console: Console) -> int:
    report = measure(QUICK if options.quick else FULL, BENCH / "nginx", _progress_on(console))
    options.into.parent.mkdir(parents=True, exist_ok=True)
    options.into.write_text(report.to_json(), encoding="utf-8")
    console.print()
    show(report, console)
    console.print(Text(f"All figures: {options.into}", "dim"), soft_wrap=True)
    return 0


def _progress_on(console: Console) -> Callable[[str], None]:
    return lambda text: console.print(Text(text, "dim"), soft_wrap=True)


def _print_markdown(path: Path, console: Console) -> int:
    try:
        report = TrafficReport.from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        msg = f"{path} is not there; nothing was printed; run `python -m benchmarks traffic` first"
        console.print(Text(msg, "red"), soft_wrap=True)
        return 1
    except ValidationError:
        msg = f"{path} has no results of this version; nothing was printed; measure again"
        console.print(Text(msg, "red"), soft_wrap=True)
        return 1
    sys.stdout.write(markdown(report))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks traffic",
        description="Measures what clients see of a switch, beside HAProxy and nginx reloads.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="little of everything: shows that it works")
    add("--markdown", action="store_true", help="print the last results as Markdown")
    add("--into", type=Path, default=BENCH / "traffic.json", help="where the figures are")
    return parser
