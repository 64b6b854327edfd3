"""`python -m benchmarks.registration`: what 1 to 1,000 services cost a program."""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from benchmarks.options import BENCH, add_output_options
from benchmarks.registration.services import PLATFORMS
from benchmarks.stack import ROOT

__all__ = ["LARGEST_RATIO", "Cost", "Row", "main", "rows_of"]

LARGEST_RATIO = 1.2
"""Target for the ratio of processor time and of memory."""

_PLAIN = {"onprem": "plain", "kubernetes": "kubernetes/plain", "aws": "aws/plain"}
_COUNTS = (1, 10, 100, 1000)
_RUNS = 3
_LONGEST_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Cost:
    """What one program took to declare its services."""

    seconds: float
    cpu_seconds: float
    mib: float
    resources: int
    hooks: int


@dataclass(frozen=True, slots=True)
class Row:
    """Both programs with the same number of services; medians of the runs."""

    services: int
    plain: Cost
    ours: Cost

    @property
    def cpu_ratio(self) -> float:
        """Ours by plain, in processor time."""
        return self.ours.cpu_seconds / self.plain.cpu_seconds

    @property
    def cpu_ratio_each(self) -> float:
        """The same for each registration: the library registers components, too."""
        return self.cpu_ratio * self.plain.resources / self.ours.resources

    @property
    def memory_ratio(self) -> float | None:
        """Ours by plain, in peak memory; None where it is too little to be seen."""
        return self.ours.mib / self.plain.mib if self.plain.mib >= 1 else None


def rows_of(costs: dict[int, dict[str, Sequence[Cost]]]) -> list[Row]:
    """One row for each number of services, in ascending order."""
    return [
        Row(count, _median(by_program["plain"]), _median(by_program["ours"]))
        for count, by_program in sorted(costs.items())
    ]


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        seconds=statistics.median(each.seconds for each in costs),
        cpu_seconds=statistics.median(each.cpu_seconds for each in costs),
        mib=statistics.median(each.mib for each in costs),
        resources=costs[0].resources,
        hooks=costs[0].hooks,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints the table and writes every figure down."""
    options = _parser().parse_args(arguments)
    # Wide for a file or a pipe, where a cut word helps nobody.
    console = Console(highlight=False, width=100)
    costs: dict[int, dict[str, Sequence[Cost]]] = {}
    for count in options.counts:
        console.print(f"{count} services", style="dim")
        found: dict[str, list[Cost]] = {"plain": [], "ours": []}
        # The largest takes minutes, and is long enough to be told apart in one run.
        for _ in range(1 if count >= max(_COUNTS) else _RUNS):
            for program, of_program in found.items():
                of_program.append(_declare(options.platform, program, count))
        costs[count] = dict(found)
    rows = rows_of(costs)
    into = options.into or BENCH / f"registration-{options.platform}.json"
    into.parent.mkdir(parents=True, exist_ok=True)
    into.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")
    if options.markdown:
        sys.stdout.write("\n".join(markdown(rows)) + "\n")
    else:
        console.print(_table(rows))
    return 0


def markdown(rows: Iterable[Row]) -> list[str]:
    """The table as docs/performance.md has it."""
    lines = [
        "| services | plain | bluegreen | ratio | for each registration | memory |",
        "|---|---|---|---|---|---|",
    ]
    return lines + [f"| {' | '.join(_cells(row))} |" for row in rows]


def _table(rows: Iterable[Row]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("services", "plain", "bluegreen", "ratio", "for each registration", "memory"):
        table.add_column(title, justify="right")
    for row in rows:
        table.add_row(*_cells(row))
    return table


def _cells(row: Row) -> tuple[str, ...]:
    memory = row.memory_ratio
    return (
        f"{row.services:,}",
        f"{row.plain.cpu_seconds:.2f} s",
        f"{row.ours.cpu_seconds:.2f} s",
        f"{row.cpu_ratio:.2f}",
        f"{row.cpu_ratio_each:.2f}",
        "-" if memory is None else f"{memory:.2f} ({row.ours.mib:.0f} MiB)",
    )


def _declare(platform: str, program: str, count: int) -> Cost:
    path = os.pathsep.join([str(ROOT), str(ROOT / "benchmarks" / _PLAIN[platform])])
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.registration.declare", platform, program, str(count)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        check=True,
        timeout=_LONGEST_SECONDS,
    )
    return Cost(**json.loads(done.stdout))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.registration",
        description="Declares many services under recorded registrations, beside plain resources.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--counts", type=int, nargs="+", default=_COUNTS, help="numbers of services")
    add("--platform", choices=tuple(PLATFORMS), default="onprem", help="default: %(default)s")
    add_output_options(parser, None)
    return parser


if __name__ == "__main__":
    sys.exit(main())
