"""Command line of this part: `python -m benchmarks gates`."""

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from benchmarks.gates.simulate import MEDIAN_SECONDS, SIGMA, Cell, Table, simulated
from benchmarks.options import BENCH, add_output_options, publish, status_of
from benchmarks.table import Page, table_of

__all__ = ["main"]

_PAIRS = 1_000
_QUICK_PAIRS = 100


def main(arguments: Sequence[str], console: Console) -> int:
    """Simulates, and prints how much was stopped."""
    options = _parser().parse_args(arguments)
    return status_of(lambda: _simulate(options, console), console)


def _simulate(options: argparse.Namespace, console: Console) -> int:
    pairs = _QUICK_PAIRS if options.quick else _PAIRS
    console.print(Text(f"{pairs} pairs of each kind", "dim"))
    tables = list(simulated(pairs))
    figures = json.dumps([asdict(table) for table in tables], indent=2) + "\n"
    publish(figures, [_page(tables, pairs)], options, console)
    return 0


def _page(tables: Iterable[Table], pairs: int) -> Page:
    return Page(
        [_table(table) for table in tables],
        [
            f"Percent of {pairs:,} pairs that the defaults stop: alpha 0.01, max_ratio 1.2.",
            "Columns: requests of the rising color, of the live color.",
            f"Latencies: lognormal, median {MEDIAN_SECONDS * 1000:g} ms, sigma {SIGMA:g}, in the"
            " buckets of the usual client libraries; p99.",
        ],
    )


def _table(table: Table) -> RichTable:
    rows = {row: list(cells) for row, cells in groupby(table.cells, key=lambda cell: cell.row)}
    first = next(iter(rows.values()))
    shown = table_of(table.title, *(f"{_size(each.rising)} / {_size(each.live)}" for each in first))
    for row, cells in rows.items():
        shown.add_row(row, *map(_percent, cells))
    return shown


def _percent(cell: Cell) -> str:
    return f"{cell.percent:.1f}"


def _size(count: int) -> str:
    return f"{count // 1000}k" if count >= 1_000 else str(count)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks gates",
        description="Gives pairs of colors with known rates to the tests of the gates: how often "
        "equal ones are stopped, and how often one that is worse.",
        allow_abbrev=False,
    )
    parser.add_argument("--quick", action="store_true", help=f"{_QUICK_PAIRS} pairs of each kind")
    default: Path = BENCH / "gates.json"
    add_output_options(parser, default)
    return parser
