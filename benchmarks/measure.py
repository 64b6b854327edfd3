"""The same tasks for two programs, turn and turn about."""

import os
import platform
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.figures import Machine, Pair, Report, Task
from benchmarks.stack import Done, Stack, stack_of

__all__ = ["measure"]

_PROGRAMS = Path(__file__).resolve().parent

_STEPS: dict[Task, Callable[[Stack], Done]] = {
    Task.PREVIEW: Stack.preview,
    Task.UP: Stack.up,
    Task.SWITCH: Stack.switch,
}


def measure(runs: int, baseline: str, tell: Callable[[str], None]) -> Report:
    """Deploys both programs, times them in pairs and removes them again.

    Args:
        runs: Pairs of each task.
        baseline: The folder of the program to compare with.
        tell: Is told what goes on.

    Raises:
        BenchmarkError: Something did not happen as it must.
    """
    load = os.getloadavg()[0]
    with stack_of(_PROGRAMS / baseline) as plain, stack_of(_PROGRAMS / "ours") as ours:
        tell("creating both")
        # Also warms what the timed runs need, above all Python's compiled files.
        plain_memory, ours_memory = plain.deploy(), ours.deploy()
        pairs, writes = [], []
        for run in range(1, runs + 1):
            tell(f"run {run} of {runs}")
            pairs += list(_pairs(plain, ours))
            writes += [plain.write_ms(), ours.write_ms()]
        machine = Machine(
            cores=os.cpu_count() or 0,
            load_before=round(load, 2),
            python=platform.python_version(),
            pulumi=plain.pulumi_version,
        )
        tell("removing both")
    return Report(
        baseline=baseline,
        machine=machine,
        pairs=pairs,
        write_ms=writes,
        plain_memory=plain_memory,
        ours_memory=ours_memory,
    )


def _pairs(plain: Stack, ours: Stack) -> Iterator[Pair]:
    for task, step in _STEPS.items():
        of_plain, of_ours = step(plain), step(ours)
        yield Pair(
            task,
            of_plain.seconds,
            of_ours.seconds,
            of_plain.cpu_seconds,
            of_ours.cpu_seconds,
            judged_seconds=ours.judged_seconds() if task is Task.SWITCH else 0.0,
        )
