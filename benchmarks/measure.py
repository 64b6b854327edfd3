"""The same tasks for several programs, turn and turn about."""

import os
import platform
from collections.abc import Callable, Mapping

from benchmarks.figures import Machine, Memory, Pair, Report, Task
from benchmarks.stack import Done, Stack

__all__ = ["measure"]

_STEPS: dict[Task, Callable[[Stack], Done]] = {
    Task.PREVIEW: Stack.preview,
    Task.UP: Stack.up,
    Task.SWITCH: Stack.switch,
}


def measure(
    runs: int, baselines: Mapping[str, Stack], ours: Stack, tell: Callable[[str], None]
) -> list[Report]:
    """Deploys all and times them in turns; one report for each baseline.

    Args:
        runs: Pairs of each task.
        baselines: What to compare with, by name; ours comes after the last of them.
        ours: The library's stack.
        tell: Is told what goes on.

    Raises:
        BenchmarkError: Something did not happen as it must.
    """
    load = os.getloadavg()[0]
    tell("creating all")
    # Also warms what the timed runs need, above all Python's compiled files.
    memory = {name: stack.deploy() for name, stack in baselines.items()}
    ours_memory = ours.deploy()
    rounds = []
    for run in range(1, runs + 1):
        tell(f"run {run} of {runs}")
        rounds.append(_Round(baselines, ours))
    machine = Machine(
        cores=os.cpu_count() or 0,
        load_before=round(load, 2),
        python=platform.python_version(),
        pulumi=ours.pulumi_version,
    )
    return [_report(name, rounds, machine, memory[name], ours_memory) for name in baselines]


class _Round:
    """Every task once, of every program."""

    def __init__(self, baselines: Mapping[str, Stack], ours: Stack) -> None:
        self.pairs: dict[str, list[Pair]] = {name: [] for name in baselines}
        for task, step in _STEPS.items():
            plain = {name: step(stack) for name, stack in baselines.items()}
            of_ours = step(ours)
            judged_seconds = ours.judged_seconds() if task is Task.SWITCH else 0.0
            for name, done in plain.items():
                self.pairs[name].append(_pair(task, done, of_ours, judged_seconds))
        self.write_ms = {name: stack.write_ms() for name, stack in baselines.items()}
        self.our_write_ms = ours.write_ms()


def _pair(task: Task, plain: Done, ours: Done, judged_seconds: float) -> Pair:
    return Pair(
        task, plain.seconds, ours.seconds, plain.cpu_seconds, ours.cpu_seconds, judged_seconds
    )


def _report(
    baseline: str, rounds: list[_Round], machine: Machine, plain: Memory, ours: Memory
) -> Report:
    writes = [write for each in rounds for write in (each.write_ms[baseline], each.our_write_ms)]
    return Report(
        baseline=baseline,
        machine=machine,
        pairs=[pair for each in rounds for pair in each.pairs[baseline]],
        write_ms=[write for write in writes if write is not None],
        plain_memory=plain,
        ours_memory=ours,
    )
