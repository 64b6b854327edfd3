"""Getting the rising color going before anything is measured on it."""

import itertools
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from bluegreen.gates.answers import UnusableAnswerError, ask
from bluegreen.gates.command import CommandGate
from bluegreen.gates.gate import Deadline, Endpoint, Subject, Verdict, WrittenGate
from bluegreen.gates.wording import one_line, seconds

__all__ = ["WarmUpCommand", "WarmUpRequests"]

_PAUSE_SECONDS = 0.1
"""After a bad answer: nobody is warmed up by being asked as fast as it can refuse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUpCommand(CommandGate):
    """A program that prepares the color; passes when it ends with status 0 in time."""

    @property
    def runs_first(self) -> bool:
        """Always."""
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUpRequests(WrittenGate):
    """Passes when the color has given so many good answers."""

    paths: Sequence[str]
    requests: int = 100
    concurrency: int = 4
    timeout_seconds: float = 60
    request_timeout_seconds: float = 10

    @property
    def runs_first(self) -> bool:
        """Always."""
        return True

    @property
    def runs_in_preview(self) -> bool:
        """Never: it is work for the color."""
        return False

    def check(self, subject: Subject, deadline: Deadline) -> Verdict:
        """Asks until enough good answers have come, at most until the deadline."""
        limit = deadline.remaining_seconds
        tally = _Tally(self.requests, itertools.cycle(self.paths))
        workers = [
            threading.Thread(
                target=self._work,
                args=(subject.endpoint, tally, deadline),
                name=f"bluegreen-{self.name}",
                # It may be in the middle of an answer that takes longer than the gate.
                daemon=True,
            )
            for _ in range(min(self.concurrency, self.requests))
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(deadline.remaining_seconds)
        good, bad, problem = tally.result()
        reason = f"{good} good answers" + (f", and {bad} others: {problem}" if bad else "")
        passed = good >= self.requests
        return Verdict(
            gate=self.name,
            passed=passed,
            reason=one_line(reason if passed else f"only {reason}, in {seconds(limit)}", 500),
            value=f"{good} good answers",
            limit=f"{self.requests} good answers",
            is_warning=passed and bad > 0,
        )

    def _work(self, endpoint: Endpoint, tally: "_Tally", deadline: Deadline) -> None:
        while deadline.remaining_seconds > 0 and (path := tally.next_path()) is not None:
            problem = self._problem(endpoint, path, deadline)
            tally.add(problem)
            if problem:
                deadline.sleep(_PAUSE_SECONDS)

    def _problem(self, endpoint: Endpoint, path: str, deadline: Deadline) -> str:
        limit = max(0.01, min(self.request_timeout_seconds, deadline.remaining_seconds))
        try:
            answer = ask(endpoint, "GET", path, limit)
        except UnusableAnswerError as error:
            return str(error)
        return "" if answer.is_success else f"GET {path} answered {answer.status}"


@dataclass
class _Tally:
    """What several threads have to share."""

    wanted: int
    paths: "itertools.cycle[str]"
    good: int = 0
    bad: int = 0
    under_way: int = 0
    problem: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next_path(self) -> str | None:
        """What to ask next; None when enough is asked."""
        with self.lock:
            if self.good + self.under_way >= self.wanted:
                return None
            self.under_way += 1
            return next(self.paths)

    def add(self, problem: str) -> None:
        """Counts an answer."""
        with self.lock:
            self.under_way -= 1
            if problem:
                self.bad += 1
                self.problem = problem
            else:
                self.good += 1

    def result(self) -> tuple[int, int, str]:
        """Good answers, others, and what was wrong with the last of those."""
        with self.lock:
            return self.good, self.bad, self.problem
