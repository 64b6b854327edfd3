"""One run: everything behind one stack, with the same members and the same client."""

import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.figures import Machine
from benchmarks.onprem_stack import OnPremStack, stack_of
from benchmarks.stack import ROOT
from benchmarks.traffic.canary import measure_canaries, measure_cohort
from benchmarks.traffic.drain import measure_losses
from benchmarks.traffic.figures import TrafficReport
from benchmarks.traffic.pace import Pace
from benchmarks.traffic.side_by_side import measure_side_by_side
from benchmarks.traffic.switching import measure_switching

__all__ = ["measure", "prepare"]

_PROGRAM = ROOT / "stacks"


def measure(pace: Pace, cache: Path, tell: Callable[[str], None]) -> TrafficReport:
    """Deploys the stack, measures and removes it again.

    Args:
        pace: How much of everything.
        cache: Where nginx is kept when it is not installed.
        tell: Is told what goes on.

    Raises:
        BenchmarkError: Something did not happen as it must.
    """
    load, started = os.getloadavg()[0], time.monotonic()
    with stack_of(_PROGRAM) as stack:
        tell("creating the stack")
        prepare(stack)
        switching = measure_switching(stack, pace, tell)
        side_by_side, skipped = measure_side_by_side(stack, pace, cache, tell)
        losses = measure_losses(stack, pace, tell)
        canaries = measure_canaries(stack, pace, tell)
        cohort = measure_cohort(stack, pace, canaries[-1].percent, tell)
        pulumi = stack.pulumi_version
        tell("removing the stack")
    return TrafficReport(
        machine=Machine(
            cores=os.cpu_count() or 0,
            load_before=round(load, 2),
            python=platform.python_version(),
            pulumi=pulumi,
        ),
        switching=switching,
        side_by_side=side_by_side,
        skipped=skipped,
        losses=losses,
        canaries=canaries,
        cohort=cohort,
        seconds=round(time.monotonic() - started, 1),
    )


def prepare(stack: OnPremStack) -> None:
    """Creates it, with members that end at once when they are told to: no drain of their own."""
    stack.configure_members("--grace 0")
    stack.apply()
