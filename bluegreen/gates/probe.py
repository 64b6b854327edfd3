"""Asking one address until enough good answers came in a row."""

from collections.abc import Callable
from dataclasses import dataclass

from bluegreen.gates.answers import Answer, UnusableAnswerError, ask
from bluegreen.gates.gate import Deadline, Endpoint
from bluegreen.gates.wording import one_line

__all__ = ["Finding", "Probe", "Series"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one answer says."""

    value: str
    problem: str = ""
    """Empty when the answer is good."""


@dataclass(frozen=True, slots=True)
class Series:
    """What all answers together say."""

    value: str | None
    """What the last answer that could be judged said."""

    problem: str
    """Empty when enough good answers came in a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """How a gate asks."""

    path: str
    method: str = "GET"
    consecutive: int = 3
    interval_seconds: float = 0.5
    request_timeout_seconds: float = 5

    def run(
        self, endpoint: Endpoint, deadline: Deadline, judge: Callable[[Answer], Finding]
    ) -> Series:
        """Asks until `consecutive` good answers came in a row, or until the deadline."""
        good, tries, value, problem = 0, 0, None, ""
        more = True
        while more:
            seen = self._once(endpoint, deadline, judge)
            tries += 1
            good = 0 if seen.problem else good + 1
            value = seen.value or value
            if good >= self.consecutive:
                return Series(value, problem="")
            # A request cut short by the deadline says less than the one before it.
            if seen.problem and (not problem or deadline.remaining_seconds > 0):
                problem = seen.problem
            more = deadline.sleep(self.interval_seconds)
        return Series(value, self._summary(problem, good, tries))

    def _once(
        self, endpoint: Endpoint, deadline: Deadline, judge: Callable[[Answer], Finding]
    ) -> Finding:
        # Some time is always left for an answer: a client refuses a limit of 0 as an argument.
        limit = max(0.01, min(self.request_timeout_seconds, deadline.remaining_seconds))
        try:
            return judge(ask(endpoint, self.method, self.path, limit))
        except UnusableAnswerError as error:
            return Finding(value="", problem=one_line(str(error), limit=500))

    def _summary(self, problem: str, good: int, tries: int) -> str:
        if not good:
            return f"{problem} (try {tries})"
        short = f"only {good} of {self.consecutive} good answers in a row when the time was over"
        return f"{short}; before them: {problem}" if problem else short
