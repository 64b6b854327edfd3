"""Command line of the benchmarks: `make bench`, or `python -m benchmarks`."""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from rich.console import Console
from rich.text import Text

from benchmarks.measure import measure
from benchmarks.stack import BenchmarkError
from benchmarks.table import markdown, show
from benchmarks.traffic import command as traffic

__all__ = ["main"]

_REPORT = Path(__file__).resolve().parents[1] / ".bluegreen" / "bench" / "report.json"
_COLUMNS = 80
_QUICK_RUNS = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and returns the exit status; a missed target is no failure."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    console = Console(highlight=False, width=_COLUMNS)
    if words[:1] == ["traffic"]:
        return traffic.main(words[1:], console)
    options = _parser().parse_args(words)
    try:
        report = measure(
            _QUICK_RUNS if options.quick else options.runs,
            options.baseline,
            lambda text: console.print(Text(text, "dim")),
        )
    except BenchmarkError as error:
        console.print(Text(str(error), "red"))
        return 1
    except KeyboardInterrupt:
        console.print(Text("interrupted; what was started has been removed", "red"))
        return 130
    options.into.parent.mkdir(parents=True, exist_ok=True)
    options.into.write_text(report.to_json(), encoding="utf-8")
    if options.markdown:
        sys.stdout.write(markdown(report))
        return 0
    console.print()
    show(report, console)
    console.print(Text(f"All figures: {options.into}", "dim"), soft_wrap=True)
    return 0


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _runs(text: str) -> int:
    runs = int(text)
    if not 1 <= runs <= 1000:
        msg = f"{runs} is outside 1 to 1000"
        raise argparse.ArgumentTypeError(msg)
    return runs


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Times the library against a plain Pulumi program with the same resources. "
        "`python -m benchmarks traffic` measures what clients see of a switch.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--runs", type=_runs, default=10, help="pairs of runs of each task (default: %(default)s)")
    add("--quick", action="store_true", help=f"{_QUICK_RUNS} pairs only")
    add(
        "--baseline",
        choices=("plain", "importing"),
        default="plain",
        help="`importing` is the plain program after importing the library: shows what is left "
        "beside that import",
    )
    add("--markdown", action="store_true", help="print the tables as Markdown")
    add("--into", type=Path, default=_REPORT, help="where the figures go")
    return parser


if __name__ == "__main__":
    sys.exit(main())
