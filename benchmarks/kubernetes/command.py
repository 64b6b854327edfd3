"""Command line of this part: `python -m benchmarks kubernetes`."""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from benchmarks.figures import Report
from benchmarks.kubernetes.node_command import run_on_node
from benchmarks.kubernetes.requests import request_table
from benchmarks.kubernetes.stack import Request, stack_of
from benchmarks.measure import measure
from benchmarks.options import BENCH, add_run_options, runs_of
from benchmarks.table import Page, page_of
from tools.cluster.node_cluster import NodeCluster

__all__ = ["Comparison", "main"]

_PROGRAMS = Path(__file__).resolve().parent
_BASELINES = ("awaiting", "plain")
"""In the order in which they run: the last one right before ours."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is known in the end."""

    reports: Sequence[Report]
    """One for each baseline, with the same runs of the library."""

    requests: Counter[Request]
    """Of the last switch."""

    def content(self) -> object:
        """What was measured, and what follows from it."""
        return {
            "reports": [json.loads(report.to_json()) for report in self.reports],
            "requests": [[*request, count] for request, count in self.requests.items()],
        }

    def pages(self) -> list[Page]:
        """One for each baseline, and one with the requests."""
        return [*map(page_of, self.reports), Page([request_table(self.requests)])]


def main(arguments: Sequence[str], console: Console) -> int:
    """Measures and returns the exit status; a missed target is no failure."""
    options = _parser().parse_args(arguments)
    return run_on_node(
        lambda cluster, tell: _measure(runs_of(options), cluster, tell), options, console
    )


def _measure(runs: int, cluster: NodeCluster, tell: Callable[[str], None]) -> Comparison:
    with ExitStack() as stacks:
        baselines = {
            name: stacks.enter_context(stack_of(_PROGRAMS / name, cluster)) for name in _BASELINES
        }
        ours = stacks.enter_context(stack_of(_PROGRAMS / "ours", cluster))
        reports = measure(runs, baselines, ours, tell)
        return Comparison(reports[::-1], ours.requests())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks kubernetes",
        description="Times the library against plain Pulumi programs with the same objects, on a "
        "node of its own; needs root.",
        allow_abbrev=False,
    )
    add_run_options(parser, BENCH / "kubernetes.json")
    return parser
