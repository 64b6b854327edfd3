"""Command line of this part: `python -m benchmarks command`."""

import argparse
import json
import os
import platform
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
from rich.console import Console
from rich.text import Text

from benchmarks.figures import Machine, Spread
from benchmarks.onprem_stack import OnPremStack, stack_of
from benchmarks.options import BENCH, add_run_options, publish, runs_of, status_of
from benchmarks.table import Page, about_machine, spread_of, table_of
from bluegreen.colors import Color

__all__ = ["main"]

_LARGEST_RATIO = 1.1
_LONGEST_STATUS_SECONDS = 1.0
_LONGEST_ADDED_SECONDS = 0.3
_PROGRAM = Path(__file__).resolve().parents[1] / "ours"


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds, one of each a round."""

    up: tuple[float, ...]
    """`pulumi up` with its preview."""

    up_without_preview: tuple[float, ...]
    switch: tuple[float, ...]
    rollback: tuple[float, ...]
    last_stale: tuple[float, ...]
    """From the start of the rollback's command to the last answer of the other color."""

    status: tuple[float, ...]
    status_live: tuple[float, ...]
    document: tuple[float, ...]
    """`pulumi preview --json --show-sames`."""

    preview: tuple[float, ...]
    """`bluegreen preview`, which runs that."""

    @property
    def added(self) -> tuple[float, ...]:
        """By `bluegreen preview`, round by round."""
        return tuple(ours - bare for ours, bare in zip(self.preview, self.document, strict=True))

    def ratios(self, beside: tuple[float, ...]) -> tuple[float, ...]:
        """Of the command's switch, round by round."""
        return tuple(ours / other for ours, other in zip(self.switch, beside, strict=True))


def main(arguments: Sequence[str], console: Console) -> int:
    """Measures and returns the exit status; a missed target is no failure."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks command",
        description=(
            "Times `bluegreen switch`, `rollback`, `status` and `preview` beside `pulumi up` and "
            "`pulumi preview`."
        ),
        allow_abbrev=False,
    )
    add_run_options(parser, BENCH / "command.json")
    options = parser.parse_args(arguments)

    def work() -> int:
        load = os.getloadavg()[0]
        with stack_of(_PROGRAM) as stack:
            machine = Machine(
                os.cpu_count() or 0,
                round(load, 2),
                platform.python_version(),
                stack.pulumi_version,
            )
            figures = _measured(stack, runs_of(options), lambda text: console.print(Text(text)))
        publish(
            json.dumps(asdict(figures)), [_page(figures, about_machine(machine))], options, console
        )
        return 0

    return status_of(work, console)


def _measured(stack: OnPremStack, runs: int, tell: Callable[[str], None]) -> Figures:
    tell("deploying")
    stack.deploy()
    rounds = []
    # The first one is not counted: it fills caches.
    for number in range(runs + 1):
        tell(f"round {number} of {runs}")
        rounds.append(_round(stack))
    columns = list(zip(*rounds[1:], strict=True))
    return Figures(*columns)


def _round(stack: OnPremStack) -> tuple[float, ...]:
    up = stack.switch().seconds
    without_preview = stack.switch("--skip-preview").seconds
    switch = stack.command("switch").seconds
    before = stack.active.other
    with _watched(stack.production_url) as answers:
        rollback = stack.command("rollback", "--reason", "measured")
    # The next round switches to what was rolled back.
    stack.run_directory.journal.unlink()
    stale = [at for at, color in answers if color is before.other]
    status = stack.command("status").seconds
    live = stack.command("status", "--live").seconds
    document, preview = stack.document().seconds, stack.command("preview").seconds
    last_stale = (max(stale) if stale else rollback.started) - rollback.started
    rolled_back = rollback.seconds
    return (
        *(up, without_preview, switch, rolled_back, last_stale),
        *(status, live, document, preview),
    )


@contextmanager
def _watched(url: str) -> Iterator[list[tuple[float, Color]]]:
    """Asks production every 10 ms, each time on a new connection."""
    answers: list[tuple[float, Color]] = []
    is_over = threading.Event()

    def ask() -> None:
        while not is_over.wait(0.01):
            color = httpx.get(f"{url}/version").headers["X-Bluegreen-Color"]
            answers.append((time.monotonic(), Color(color)))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    yield answers
    is_over.set()
    thread.join()


def _page(figures: Figures, machine: str) -> Page:
    seconds = table_of("seconds", "median (smallest to largest)")
    for name, values in (
        ("pulumi up, a switch", figures.up),
        ("pulumi up --skip-preview, a switch", figures.up_without_preview),
        ("bluegreen switch", figures.switch),
        ("bluegreen rollback", figures.rollback),
        ("rollback: to the last stale answer", figures.last_stale),
        ("bluegreen status", figures.status),
        ("bluegreen status --live", figures.status_live),
        ("pulumi preview --json --show-sames", figures.document),
        ("bluegreen preview", figures.preview),
        ("bluegreen preview: added", figures.added),
    ):
        seconds.add_row(name, spread_of(Spread.of(values)))
    ratios = table_of("bluegreen switch by", "ratio", "target")
    ratio = Spread.of(figures.ratios(figures.up))
    is_met = ratio.median <= _LARGEST_RATIO
    ratios.add_row(
        "pulumi up", spread_of(ratio), f"≤ {_LARGEST_RATIO} {'met' if is_met else 'missed'}"
    )
    bare = Spread.of(figures.ratios(figures.up_without_preview))
    ratios.add_row("pulumi up --skip-preview", spread_of(bare), "")
    notes = [
        f"{name}: ≤ {limit:g} s {'met' if statistics.median(values) <= limit else 'missed'}."
        for name, values, limit in (
            ("status", figures.status, _LONGEST_STATUS_SECONDS),
            ("added by preview", figures.added, _LONGEST_ADDED_SECONDS),
        )
    ]
    rounds = f"{len(figures.up)} rounds of one stack, each of all of these in turn."
    return Page([seconds, ratios], [*notes, rounds, machine])
