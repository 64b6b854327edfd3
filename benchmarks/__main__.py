"""Command line of the benchmarks: `make bench`, or `python -m benchmarks`."""

import argparse
import importlib
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from rich.console import Console
from rich.text import Text

from benchmarks.figures import Report
from benchmarks.measure import measure
from benchmarks.onprem_stack import stack_of
from benchmarks.options import BENCH, add_run_options, publish, runs_of, status_of
from benchmarks.table import page_of

__all__ = ["main"]

_COLUMNS = 80
_PARTS = {
    "gates": "benchmarks.gates.command",
    "command": "benchmarks.command.command",
    "traffic": "benchmarks.traffic.command",
    "kubernetes": "benchmarks.kubernetes.command",
    "kubernetes-traffic": "benchmarks.kubernetes.traffic_command",
    "aws": "benchmarks.aws.command",
}
"""What else can be measured; each has a command line of its own, and needs packages of its own."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and returns the exit status; a missed target is no failure."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    console = Console(highlight=False, width=_COLUMNS)
    if words and words[0] in _PARTS:
        part = importlib.import_module(_PARTS[words[0]])
        return int(part.main(words[1:], console))
    options = _parser().parse_args(words)
    return status_of(lambda: _report(options, console), console)


def _report(options: argparse.Namespace, console: Console) -> int:
    report = _measured(options, lambda text: console.print(Text(text, "dim")))
    publish(report.to_json(), [page_of(report)], options, console)
    return 0


def _measured(options: argparse.Namespace, tell: Callable[[str], None]) -> Report:
    programs = Path(__file__).resolve().parent
    with stack_of(programs / options.baseline) as plain, stack_of(programs / "ours") as ours:
        (report,) = measure(runs_of(options), {options.baseline: plain}, ours, tell)
        tell("removing both")
    return report


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Times the library against a plain Pulumi program with the same resources. "
        f"With {', '.join(_PARTS)} in front of the options it measures something else: see there.",
        allow_abbrev=False,
    )
    add_run_options(parser, BENCH / "report.json")
    parser.add_argument(
        "--baseline",
        choices=("plain", "importing"),
        default="plain",
        help="`importing` is the plain program after importing the library: shows what is left "
        "beside that import",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
