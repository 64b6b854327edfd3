"""What pairs of runs say, as ratios; pure functions."""

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

__all__ = [
    "LARGEST_RATIO",
    "LARGEST_WRITE_MS",
    "Comparison",
    "Machine",
    "Memory",
    "Pair",
    "Report",
    "Spread",
    "Task",
    "compare",
]

LARGEST_RATIO = 1.15
"""Target for the median ratio of each task."""

LARGEST_WRITE_MS = 5.0
"""Target for the median write, in milliseconds."""


class Task(StrEnum):
    """What is timed, from the start of the command to its end."""

    PREVIEW = "preview, no change"
    UP = "up, no change"
    SWITCH = "up, a switch"


@dataclass(frozen=True, slots=True)
class Pair:
    """One run of each program, one right after the other."""

    task: Task
    plain_seconds: float
    ours_seconds: float
    plain_cpu_seconds: float
    """Processor time of the command and all it started, as the kernel counts it."""

    ours_cpu_seconds: float
    """The same; gates and verification included, which mostly wait."""

    judged_seconds: float = 0.0
    """What gates and verification took of `ours_seconds`; a plain program has neither."""

    @property
    def ratio(self) -> float:
        """Ours by plain, without gates and verification."""
        return (self.ours_seconds - self.judged_seconds) / self.plain_seconds

    @property
    def cpu_ratio(self) -> float:
        """Ours by plain, in processor time: says more where other work is on the machine."""
        return self.ours_cpu_seconds / self.plain_cpu_seconds


@dataclass(frozen=True, slots=True)
class Spread:
    """Several values in three."""

    min: float
    median: float
    max: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        """The spread of at least one value."""
        ordered = sorted(values)
        return cls(ordered[0], statistics.median(ordered), ordered[-1])


@dataclass(frozen=True, slots=True)
class Comparison:
    """All pairs of one task; `ratio` is taken pair by pair, not from the medians beside it."""

    task: Task
    plain_seconds: Spread
    ours_seconds: Spread
    judged_seconds: Spread
    ratio: Spread
    plain_cpu_seconds: Spread
    ours_cpu_seconds: Spread
    cpu_ratio: Spread

    @property
    def is_within_target(self) -> bool:
        """Whether the median ratio is at most `LARGEST_RATIO`."""
        return self.ratio.median <= LARGEST_RATIO


def compare(pairs: Sequence[Pair]) -> list[Comparison]:
    """One comparison for each task that has pairs, in the order of `Task`."""
    found = []
    for task in Task:
        of_task = [pair for pair in pairs if pair.task is task]
        if of_task:
            found.append(
                Comparison(
                    task,
                    plain_seconds=Spread.of(pair.plain_seconds for pair in of_task),
                    ours_seconds=Spread.of(pair.ours_seconds for pair in of_task),
                    judged_seconds=Spread.of(pair.judged_seconds for pair in of_task),
                    ratio=Spread.of(pair.ratio for pair in of_task),
                    plain_cpu_seconds=Spread.of(pair.plain_cpu_seconds for pair in of_task),
                    ours_cpu_seconds=Spread.of(pair.ours_cpu_seconds for pair in of_task),
                    cpu_ratio=Spread.of(pair.cpu_ratio for pair in of_task),
                )
            )
    return found


@dataclass(frozen=True, slots=True)
class Memory:
    """The most memory of one `pulumi up` that creates everything; mebibytes, resident."""

    program_mib: float
    """The process of the Pulumi program."""

    all_mib: float
    """All processes of the command at one moment; what they share is counted in each."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Where and under which conditions it was measured."""

    cores: int
    load_before: float
    """Average number of processes that wanted to run in the minute before."""

    python: str
    pulumi: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One benchmark, as it stands in `report.json`."""

    baseline: str
    """The program that was compared with."""

    machine: Machine
    pairs: Sequence[Pair]
    write_ms: Sequence[float]
    """The router's write in every switch of both programs, where the provider measures it: one
    runtime command of the proxy."""

    plain_memory: Memory
    ours_memory: Memory

    @property
    def runs(self) -> int:
        """Pairs of each task."""
        return len(self.pairs) // len(self.comparisons)

    @property
    def comparisons(self) -> list[Comparison]:
        """The figures of all pairs."""
        return compare(self.pairs)

    @property
    def writes(self) -> Spread | None:
        """The figures of all writes."""
        return Spread.of(self.write_ms) if self.write_ms else None

    def to_json(self) -> str:
        """Indented JSON: what was measured, and what follows from it."""
        content: dict[str, Any] = asdict(self)
        content["comparisons"] = [asdict(comparison) for comparison in self.comparisons]
        content["writes"] = asdict(self.writes) if self.writes else None
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
