"""Practises a release that goes wrong, on a copy of a stack that nobody uses."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bluegreen.colors import Color
from bluegreen.contract import OutputName
from bluegreen.events import Event, EventKind
from bluegreen.events.event_file import EventFile
from bluegreen.gates.answers import UnusableAnswerError, ask
from bluegreen.gates.gate import Endpoint
from bluegreen.load import BackgroundLoad, LoadPlan, LoadReport, Switch, summarize
from bluegreen.operations.bake import BakeLimits
from bluegreen.operations.drill_stack import DrillStack, drill_stack
from bluegreen.operations.move import Tell
from bluegreen.operations.outcome import RefusedError, UncertainError
from bluegreen.operations.stack import Stack
from bluegreen.operations.switch import switch

__all__ = ["Drilled", "Figure", "drill"]

_LONGEST_SECONDS = 1800.0
_BREACHING_P95_SECONDS = 0.0
"""No answer is as fast as that: the watch has to find a breach."""

_SETTLE_SECONDS = 1.0
_ANSWER_SECONDS, _ANSWERS = 15.0, 5
_NOBODY_THERE = (502, 503, 504)


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that was measured beside its limit."""

    name: str
    value: float | None
    """None when it could not be measured, which counts as missed."""

    unit: str
    limit: float
    """More than that is a miss."""

    @property
    def is_met(self) -> bool:
        """True when it was measured and is within its limit."""
        return self.value is not None and self.value <= self.limit


@dataclass(frozen=True, slots=True)
class Drilled:
    """How a drill went."""

    stack: str
    """The stack that was copied."""

    is_met: bool
    """True when every figure is within its limit, and traffic is back where it was."""

    figures: tuple[Figure, ...]
    requests: int
    failures: dict[str, int]
    breach: str
    """What the watch found, which is made to find something."""

    problems: tuple[str, ...]
    """What went otherwise than it should."""


def drill(
    stack: Stack,
    *,
    rate: float,
    path: str,
    most_lost: int,
    most_stale: int,
    tell: Tell,
    url: str | None = None,
    port: int | None = None,
) -> Drilled:
    """Deploys, switches, finds a breach, rolls back and removes everything again.

    The breach is one of the watch's limits, set to what nothing can keep: what is practised is the
    way from a figure to traffic that is back, not a defect of the release.

    Args:
        stack: The stack to copy; it is read and not changed.
        rate: Requests a second.
        path: What is asked for.
        most_lost: Requests without a good answer that are allowed.
        most_stale: Answers of the color without traffic that are allowed.
        tell: Is told what happens.
        url: Where production of the copy is reached from here, `{service}` and `{port}` filled in;
            None: as production of the stack.
        port: The first of the copy's ports; None for free ones.

    Raises:
        UsageError: It is not known where production of the copy would be.
        RefusedError: The copy could not be made or deployed.
        UncertainError: It could not be removed again.
    """
    with drill_stack(stack, tell, url=url, port=port) as copy:
        _deploy(copy, tell)
        _wait_until_it_answers(copy, path)
        copy.let_production_be_asked()
        with _load(copy, rate, path) as load:
            copy.add(copy.active.other)
            deployed = _deploy(copy, tell)
            _settle(copy)
            breach = _switch_and_breach(copy, path, tell)
            _settle(copy)
            recording = load.stop()
        events = [
            each for each in EventFile(copy.place.events).recent() if each.from_color is not None
        ]
        switches = [_moved(event) for event in events if event.kind is EventKind.SWITCH]
        report = summarize(recording, switches)
        problems = tuple(_problems(copy, events, report))
        figures = tuple(_figures(events, report, deployed, most_lost, most_stale))
        return Drilled(
            stack=stack.name,
            is_met=not problems and all(each.is_met for each in figures),
            figures=figures,
            requests=report.requests,
            failures=dict(report.failures),
            breach=breach,
            problems=problems,
        )


def _deploy(copy: DrillStack, tell: Tell) -> float:
    """Deploys what the config has and tells how long that took, in seconds."""
    _go_on(copy)
    started = time.monotonic()
    try:
        copy.stack.up(message="bluegreen drill: deploy", tell=tell)
    except UncertainError as error:
        _go_on(copy)
        msg = f"the copy could not be deployed: {error}; the stack itself was not touched"
        raise RefusedError(msg) from error
    return time.monotonic() - started


def _settle(copy: DrillStack) -> None:
    """Lets requests go on for a while."""
    time.sleep(_SETTLE_SECONDS)
    _go_on(copy)


def _go_on(copy: DrillStack) -> None:
    """Raises `RefusedError` where somebody wants it to end."""
    number = copy.stack.interruption.requested
    if number is not None:
        msg = f"the drill was stopped by {number.name}; the stack itself was not touched"
        raise RefusedError(msg)


def _wait_until_it_answers(copy: DrillStack, path: str) -> None:
    """Whatever it answers is counted; an address that nobody is at measures nothing."""
    url, end, in_a_row = copy.production_url, time.monotonic() + _ANSWER_SECONDS, 0
    while in_a_row < _ANSWERS:
        try:
            is_served = ask(Endpoint(url), "GET", path, 1.0).status not in _NOBODY_THERE
            problem = ""
        except UnusableAnswerError as error:
            is_served, problem = False, str(error)
        in_a_row = in_a_row + 1 if is_served else 0
        if time.monotonic() > end:
            if not problem:
                return
            msg = (
                f"production of the copy cannot be reached from here: {problem}; the stack itself "
                "was not touched; say where it is reached: --url"
            )
            raise RefusedError(msg)
        time.sleep(0.1)


@contextlib.contextmanager
def _load(copy: DrillStack, rate: float, path: str) -> Iterator[BackgroundLoad]:
    plan = LoadPlan(
        url=f"{copy.production_url}{path}",
        # The service's own address, by who may deploy there.
        is_remote=True,
        rate=rate,
        seconds=_LONGEST_SECONDS,
        # Requests on a connection that is kept say nothing where it stays on its color.
        fresh_share=1.0 if copy.keeps_connections else 0.1,
    )
    with BackgroundLoad(plan) as load:
        yield load


def _switch_and_breach(copy: DrillStack, path: str, tell: Tell) -> str:
    limits = BakeLimits(
        seconds=60, path=path, rate=20.0, max_p95_seconds=_BREACHING_P95_SECONDS, fewest=10
    )
    try:
        switch(copy.stack, copy.active.other, tell=tell, reason="drill", bake=limits)
    except RefusedError as refused:
        return str(refused).splitlines()[0]
    except UncertainError:
        # It tells how to go back, on a copy that is about to be gone.
        if copy.stack.interruption.requested is None:
            raise
    return ""


def _moved(event: Event) -> Switch:
    """When a switch began and was over, by the clock that the load goes by."""
    ago = time.time() - datetime.fromisoformat(event.at).timestamp()
    returned = time.monotonic() - ago
    began = returned - event.durations_seconds.get("update", 0.0)
    return Switch(str(event.from_color), str(event.to_color), began, returned)


def _problems(copy: DrillStack, events: list[Event], report: LoadReport) -> Iterator[str]:
    moves = [(str(event.to_color), event.rollback) for event in events]
    wanted = [(str(copy.active.other), False), (str(copy.active), True)]
    if moves != wanted:
        yield f"the trail has {moves} instead of a switch and a rollback"
    if copy.stack.outputs().get(OutputName.ACTIVE_COLOR) != str(copy.active):
        yield f"{copy.active} does not have production traffic again"
    if not {str(color) for color in Color} <= report.answers.keys():
        yield (
            "not both colors were seen in the answers; stale ones cannot be told: does the "
            "application send X-Bluegreen-Color at the path that was asked for?"
        )


def _figures(
    events: list[Event], report: LoadReport, deployed: float, most_lost: int, most_stale: int
) -> Iterator[Figure]:
    switched = next((each for each in events if not each.rollback), None)
    back = next((each for each in events if each.rollback), None)
    yield Figure("lost requests", report.failed, "", most_lost)
    yield Figure("stale requests", report.stale, "", most_stale)
    yield Figure("deployment", round(deployed, 3), "s", 1800)
    yield Figure("cutover", _duration(switched, "cutover"), "s", 300)
    yield Figure("detection", _between(switched, back), "s", 600)
    yield Figure("rollback", _duration(back, "update"), "s", 120)


def _duration(event: Event | None, part: str) -> float | None:
    return None if event is None else event.durations_seconds.get(part)


def _between(switched: Event | None, back: Event | None) -> float | None:
    """From the switch until its rollback began."""
    if switched is None or back is None:
        return None
    passed = datetime.fromisoformat(back.at) - datetime.fromisoformat(switched.at)
    return round(passed.total_seconds() - back.durations_seconds.get("update", 0.0), 3)
