"""Command line of this part: `python -m benchmarks kubernetes`."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from benchmarks.figures import Report
from benchmarks.kubernetes.node import NoNodeError, node_cluster
from benchmarks.kubernetes.requests import request_table
from benchmarks.kubernetes.stack import Request, stack_of
from benchmarks.measure import measure
from benchmarks.options import BENCH, add_run_options, runs_of, status_of
from benchmarks.table import markdown, markdown_of, show

__all__ = ["Measured", "main"]

_PROGRAMS = Path(__file__).resolve().parent
_BASELINES = {"awaiting": "awaiting", "plain": "plain"}
"""In the order in which they run; the last one runs right before ours."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What is known in the end."""

    reports: Sequence[Report]
    """One for each baseline, with the same runs of the library."""

    requests: Counter[Request]
    """Of the last switch."""

    def to_json(self) -> str:
        """Indented JSON: what was measured, and what follows from it."""
        content = {
            "reports": [json.loads(report.to_json()) for report in self.reports],
            "requests": [[*request, count] for request, count in self.requests.items()],
        }
        return json.dumps(content, indent=2) + "\n"


def main(arguments: Sequence[str], console: Console) -> int:
    """Measures and returns the exit status; neither a missed target nor a missing node fails."""
    options = _parser().parse_args(arguments)
    return status_of(lambda: _report(options, console), console)


def _report(options: argparse.Namespace, console: Console) -> int:
    try:
        measured = _measured(
            runs_of(options), lambda text: console.print(Text(text, "dim"), soft_wrap=True)
        )
    except NoNodeError as error:
        console.print(Text(f"Kubernetes was not measured: {error}", "yellow"), soft_wrap=True)
        return 0
    options.into.parent.mkdir(parents=True, exist_ok=True)
    options.into.write_text(measured.to_json(), encoding="utf-8")
    if options.markdown:
        blocks = [*map(markdown, measured.reports), markdown_of(request_table(measured.requests))]
        sys.stdout.write("\n".join(blocks))
        return 0
    for report in measured.reports:
        console.print()
        show(report, console)
    console.print()
    console.print(request_table(measured.requests))
    console.print(Text(f"All figures: {options.into}", "dim"), soft_wrap=True)
    return 0


def _measured(runs: int, tell: Callable[[str], None]) -> Measured:
    with node_cluster(tell) as cluster, ExitStack() as stacks:
        baselines = {
            name: stacks.enter_context(stack_of(_PROGRAMS / program, cluster))
            for name, program in _BASELINES.items()
        }
        ours = stacks.enter_context(stack_of(_PROGRAMS / "ours", cluster))
        reports = measure(runs, baselines, ours, tell)
        requests = ours.requests()
        tell("removing all")
    return Measured(reports[::-1], requests)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks kubernetes",
        description="Times the library against plain Pulumi programs with the same objects, on a "
        "node of its own; needs root.",
        allow_abbrev=False,
    )
    add_run_options(parser, BENCH / "kubernetes.json")
    return parser
