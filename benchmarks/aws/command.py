"""Command line of this part: `python -m benchmarks aws`."""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from benchmarks.aws.asked import Request, request_table
from benchmarks.aws.stack import stack_of
from benchmarks.figures import Report
from benchmarks.measure import measure
from benchmarks.options import BENCH, add_run_options, publish, runs_of, status_of
from benchmarks.table import Page, page_of
from tests.engine.aws_driver import aws_region
from tests.standins.aws.session import why_no_aws
from tests.standins.haproxy_process import haproxy_binary

__all__ = ["Comparison", "main"]

_PROGRAMS = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is known in the end."""

    report: Report
    requests: Counter[Request]
    """Of the library's last switch."""

    plain_requests: Counter[Request]
    """Of the plain program's; its preview is not told apart."""

    def content(self) -> object:
        """What was measured, and what follows from it."""
        return {
            "report": json.loads(self.report.to_json()),
            "requests": [[*request, count] for request, count in self.requests.items()],
            "plain_requests": [[*request, count] for request, count in self.plain_requests.items()],
        }

    def pages(self) -> list[Page]:
        """The times, and the calls of a switch."""
        table = request_table(self.requests, self.plain_requests)
        return [page_of(self.report), Page([table])]


def main(arguments: Sequence[str], console: Console) -> int:
    """Measures and returns the exit status; a missed target is no failure."""
    options = _parser().parse_args(arguments)

    def tell(text: str) -> None:
        console.print(Text(text, "dim"), soft_wrap=True)

    def work() -> int:
        if reason := _why_not():
            console.print(Text(f"AWS was not measured: {reason}", "yellow"), soft_wrap=True)
            return 0
        found = _measure(runs_of(options), tell)
        content = json.dumps(found.content(), indent=2, ensure_ascii=False) + "\n"
        publish(content, found.pages(), options, console)
        return 0

    return status_of(work, console)


def _measure(runs: int, tell: Callable[[str], None]) -> Comparison:
    with (
        aws_region() as place,
        stack_of(_PROGRAMS / "plain", place, 0) as plain,
        stack_of(_PROGRAMS / "ours", place, 1) as ours,
    ):
        (report,) = measure(runs, {"plain": plain}, ours, tell)
        found = Comparison(report, ours.requests(), plain.requests())
        tell("removing both")
    return found


def _why_not() -> str | None:
    if reason := why_no_aws():
        return reason
    return None if haproxy_binary() else "haproxy is not installed"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks aws",
        description="Times the library against a plain Pulumi program with the same resources, "
        "over the real provider's logic and an API that stands in for AWS.",
        allow_abbrev=False,
    )
    add_run_options(parser, BENCH / "aws.json")
    return parser
