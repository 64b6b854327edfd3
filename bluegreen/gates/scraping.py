"""Counts over a window from two looks at what each member of a color says about itself.

All members answer at one address, and whoever answers is chosen there. So a look asks until it has
met as many different members as are ready, and counts are taken member by member: two answers of
two members have no difference.
"""

import contextlib
import math
import random
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bluegreen.colors import Color
from bluegreen.errors import DataPlaneError
from bluegreen.gates.answers import Answer, UnusableAnswerError, ask
from bluegreen.gates.counting import Asked, Counted, Metric, Selection, Window
from bluegreen.gates.gate import Deadline, Subject
from bluegreen.gates.prometheus_text import START_TIME, Sample, read_samples, started_at
from bluegreen.gates.wording import one_line

__all__ = ["MemberFrom", "ScrapeMeter"]

_PAGE_LIMIT_BYTES = 8 * 1024 * 1024
_REQUEST_TIMEOUT_SECONDS = 5.0
_OK = 200
_MORE_LOOKS = 2
"""Beside one of each member: several processes behind one member show up by chance only."""

_LONGEST_PAUSE_SECONDS = 0.02

# One look at a time: where members answer in turn, two looks in step would each meet every second
# one, for ever.
_LOOKING = threading.Lock()

_INSTEAD = "or take the figures from Prometheus (source: prometheus)"


@dataclass(frozen=True, slots=True)
class MemberFrom:
    """What names the member that answered; without both, when its process was started."""

    header: str | None = None
    label: str | None = None

    def name(self, answer: Answer, samples: Sequence[Sample]) -> str | None:
        """Who answered; None when the answer does not say it."""
        if self.header is not None:
            return answer.headers.get(self.header.lower())
        if self.label is not None:
            names = {each.labels.get(self.label, "") for each in samples} - {""}
            return names.pop() if len(names) == 1 else None
        return started_at(samples)

    def __str__(self) -> str:
        if self.header is not None:
            return f"the header {self.header}"
        return f"the label {self.label}" if self.label is not None else START_TIME


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrapeMeter:
    """Looks before and after the window."""

    window: Window
    path: str = "/metrics"
    selection: Selection = field(default_factory=Selection)
    member_from: MemberFrom = field(default_factory=MemberFrom)

    @property
    def lacks(self) -> str:
        """Nothing."""
        return ""

    def measure(
        self, metric: Metric[Counted], subject: Subject, asked: Sequence[Asked], deadline: Deadline
    ) -> dict[Color, Counted]:
        """What each color counted between the two looks; raises `UnusableAnswerError`."""
        with _alone(deadline):
            before = {
                each.color: self._first_look(metric, subject, each, deadline) for each in asked
            }
        self.window.spend(asked, deadline)
        with _alone(deadline):
            return {
                each.color: self._gained(metric, each, before[each.color], deadline)
                for each in asked
            }

    def _first_look(
        self, metric: Metric[Counted], subject: Subject, asked: Asked, deadline: Deadline
    ) -> dict[str, Counted]:
        try:
            ready = subject.readiness(asked.color).ready
        except DataPlaneError as error:
            msg = f"{asked.color} could not be asked for its members: {one_line(str(error))}"
            raise UnusableAnswerError(msg) from error
        if not ready:
            msg = f"no member of {asked.color} is ready"
            raise UnusableAnswerError(msg)
        met: dict[str, Counted] = {}
        for tried in range(1, _tries(ready) + 1):
            name, figures = self._ask(metric, asked, deadline)
            _step_out_of_line(is_known=(name or "") in met)
            if name is None and ready > 1:
                msg = (
                    f"{ready} members of {asked.color} answer at one address and {self.member_from}"
                    f" does not tell them apart; look at member_from, {_INSTEAD}"
                )
                raise UnusableAnswerError(msg)
            met[name or ""] = figures
            if len(met) > ready:
                msg = (
                    f"{len(met)} processes of {asked.color} answered and {ready} members are ready:"
                    f" one was replaced, or several share a member; make them share their metrics,"
                    f" {_INSTEAD}"
                )
                raise UnusableAnswerError(msg)
            if len(met) == ready and tried >= ready + _MORE_LOOKS:
                return met
        msg = f"{_tries(ready)} answers came from {len(met)} of {ready} members of {asked.color}"
        hint = f"; {self.member_from} may be the same for some: look at member_from, {_INSTEAD}"
        raise UnusableAnswerError(msg + hint)

    def _gained(
        self, metric: Metric[Counted], asked: Asked, before: dict[str, Counted], deadline: Deadline
    ) -> Counted:
        after: dict[str, Counted] = {}
        others: set[str] = set()
        for _ in range(_tries(len(before))):
            name, figures = self._ask(metric, asked, deadline)
            _step_out_of_line(is_known=(name or "") in after)
            if name is not None and name not in before:
                others.add(name)
            else:
                after[name or ""] = figures
            if len(after) == len(before):
                break
        gone = len(before) - len(after)
        # Live members come and go with the traffic, and those that stayed are enough to compare
        # with; one of the rising color's that did not stay is what a gate is there to notice.
        if gone and (asked.is_rising or not after):
            msg = (
                f"{gone} of {len(before)} members of {asked.color} did not answer any more after"
                f" the window{f', and {len(others)} others did' if others else ''}: restarted or"
                " replaced, and what was counted since is not known"
            )
            raise UnusableAnswerError(msg)
        try:
            return metric.sum_of(figures.since(before[name]) for name, figures in after.items())
        except ValueError as error:
            msg = f"{metric.names[0]} of {asked.color} cannot be used: {error}"
            raise UnusableAnswerError(msg) from error

    def _ask(
        self, metric: Metric[Counted], asked: Asked, deadline: Deadline
    ) -> tuple[str | None, Counted]:
        limit = max(0.01, min(_REQUEST_TIMEOUT_SECONDS, deadline.remaining_seconds))
        answer = ask(asked.endpoint, "GET", self.path, limit, body_limit_bytes=_PAGE_LIMIT_BYTES)
        if answer.status != _OK:
            said = f": {answer.excerpt}" if answer.excerpt else ""
            msg = f"{self.path} of {asked.color} answered {answer.status}, not {_OK}{said}"
            raise UnusableAnswerError(msg)
        samples = read_samples(answer.body.decode(errors="replace"), START_TIME, *metric.names)
        figures = metric.of_page(samples, self.selection.of(asked))
        return self.member_from.name(answer, samples), figures


@contextlib.contextmanager
def _alone(deadline: Deadline) -> Iterator[None]:
    if not _LOOKING.acquire(timeout=deadline.remaining_seconds):
        msg = "another gate was still looking when the time was over"
        raise UnusableAnswerError(msg)
    try:
        yield
    finally:
        _LOOKING.release()


def _step_out_of_line(*, is_known: bool) -> None:
    """Waits a moment after meeting a member again: somebody else may ask in step with this."""
    if is_known:
        time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS))  # noqa: S311


def _tries(members: int) -> int:
    """So many that all are met, however the next one is picked: missed once in 1,000 looks."""
    return math.ceil(members * (math.log(members) + 7))
