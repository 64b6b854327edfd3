"""Switches production traffic to a color."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NoReturn

from bluegreen.colors import Color
from bluegreen.contract import OutputName, OverrideVariable
from bluegreen.operations.bake import Baked, BakeLimits, watch
from bluegreen.operations.bake_queries import queries_of
from bluegreen.operations.engine_message import EngineMessage
from bluegreen.operations.live import ask_program, ask_url, differs_from
from bluegreen.operations.move import Move, Moved, Tell, move_production
from bluegreen.operations.one_at_a_time import alone_on
from bluegreen.operations.outcome import (
    OperationError,
    RefusedError,
    UncertainError,
    UsageError,
)
from bluegreen.operations.recorded import (
    is_finished,
    recorded_color,
    retained_until,
    rollback_command,
)
from bluegreen.operations.rollback import roll_back
from bluegreen.operations.stack import Stack
from bluegreen.operations.stack_file import StackConfig

__all__ = ["Lifted", "Switched", "switch"]


@dataclass(frozen=True, slots=True)
class Switched:
    """What a switch came to."""

    stack: str
    from_color: str
    to_color: str
    was_needed: bool
    """False when that color was active already: nothing was done."""

    releases: dict[str, str]
    seconds: float
    old_color_until: str | None
    """Until when the old color must stay able to serve; UTC, ISO 8601."""

    rollback_command: str | None
    bake: Baked | None = None
    """What was seen afterwards; None when nobody watched."""

    production_url: str | None = None
    test_url: str | None = None


@dataclass(frozen=True, slots=True)
class Lifted:
    """What may not hold up one switch, for a reason that is recorded."""

    windows: bool = False
    """True to switch outside of the windows."""

    rolled_back: bool = False
    """True to switch again to a release that was rolled back."""

    def environment(self, release: str, reason: str) -> dict[str, str]:
        """What the program is told.

        Raises:
            UsageError: There is no reason.
        """
        if (self.windows or self.rolled_back) and not reason.strip():
            msg = "what is lifted needs a reason, which is recorded; nothing was changed; --reason"
            raise UsageError(msg)
        given = {}
        if self.windows:
            given[str(OverrideVariable.OVERRIDE_WINDOW)] = reason.strip()
        if self.rolled_back:
            given[str(OverrideVariable.ACKNOWLEDGE)] = f"{release}:{reason.strip()}"
        return given


def switch(
    stack: Stack,
    to: Color | None,
    *,
    tell: Tell,
    reason: str = "",
    lifted: Lifted | None = None,
    bake: BakeLimits | None = None,
) -> Switched:
    """Moves production traffic to a color, if its gates let it.

    Args:
        stack: Whose.
        to: The color; None for the one that is idle.
        tell: Is told what happens.
        reason: Kept in the history.
        lifted: What may not hold it up this time.
        bake: What to watch afterwards; a breach moves production back. None: nothing.

    Raises:
        UsageError: Something is lifted without a reason.
        RefusedError: It was refused, or rolled back; production traffic and config are as they
            were.
        UncertainError: It failed on the way, or the watch was stopped.
    """
    with alone_on(stack.config_file):
        config = StackConfig.read(stack.config_file, stack.project.name)
        outputs = stack.outputs()
        active = recorded_color(outputs)
        target = to or _idle(active, config)
        if not config.color(target):
            msg = (
                f"{target} is not in {stack.config_file.name}; nothing was changed; "
                "`bluegreen deploy --release RELEASE` puts a release there"
            )
            raise RefusedError(msg)
        production = _Production(active)
        if active is target:
            production = _ask_production(stack, config, active)
            is_wanted = config.active_color is target and not config.canary_percent
            if is_wanted and production.difference is None and is_finished(stack.history(1)):
                return _result(stack, config, outputs, production, target, None)
        if production.difference is not None:
            tell(EngineMessage(f"{production.difference}; moving it to {target}", "warning"))
        if bake is not None:
            _check_that_production_answers(outputs, bake)
        release = str(config.color(target).get("release"))
        move = Move(
            "switch",
            target,
            production.color,
            reason=reason,
            environment=(lifted or Lifted()).environment(release, reason),
            # The engine has to look, or it sees no change.
            refresh=production.difference is not None,
        )
        moved = move_production(stack, config, move, tell)
        done = _result(stack, config, outputs, production, target, moved)
        is_same = production.color is target
        return done if bake is None or is_same else _baked(stack, config, done, bake, tell)


@dataclass(frozen=True, slots=True)
class _Production:
    """Who has production before the switch."""

    color: Color | None
    """None when it cannot be told."""

    difference: str | None = None
    """How that differs from what is recorded; None when it does not, or was not asked."""


def _ask_production(stack: Stack, config: StackConfig, active: Color) -> _Production:
    """What is live: that a color is recorded as active does not make it so."""
    try:
        report = ask_program(stack)
    except RefusedError as error:
        return _Production(None, f"who has production traffic cannot be told: {error}")
    percent = config.canary_percent if config.active_color is active else 0
    live = Color(report.active) if report.active else None
    return _Production(live, differs_from(report, active, percent))


def _check_that_production_answers(outputs: dict[str, object], bake: BakeLimits) -> None:
    url = outputs.get(OutputName.PRODUCTION_URL)
    answers = ask_url(str(url), None, count=3, path=bake.path)
    if answers.failed:
        msg = (
            f"production does not answer to be watched: {answers.problem}; nothing was changed; "
            "name another path with --bake-path, or switch without --bake"
        )
        raise RefusedError(msg)


def _baked(
    stack: Stack, config: StackConfig, done: Switched, limits: BakeLimits, tell: Tell
) -> Switched:
    def say(text: str, severity: str = "warning") -> None:
        tell(EngineMessage(f"bake: {text}", severity))

    say(f"{done.to_color} has production; watching it for {limits.seconds:g} s", "info")
    old_url = done.test_url
    if old_url and ask_url(old_url, None, count=2, path=limits.path).failed:
        say(f"{done.from_color} does not answer at {old_url}: nothing to compare with")
        old_url = None
    baked = watch(
        str(done.production_url),
        old_url,
        limits,
        tell=say,
        is_stopped=lambda: stack.interruption.requested is not None,
        queries=queries_of(config, Color(done.to_color), str(done.production_url)),
    )
    if baked.breach is not None:
        _roll_back_after(stack, done, baked, tell)
    if not baked.is_whole:
        msg = (
            f"{done.to_color} has production traffic; the watch was stopped after "
            f"{baked.seconds:g} of {limits.seconds:g} s, without a breach so far; nobody watches "
            f"now; to go back: {done.rollback_command}"
        )
        raise UncertainError(msg)
    return replace(done, bake=baked)


def _roll_back_after(stack: Stack, done: Switched, baked: Baked, tell: Tell) -> NoReturn:
    why = f"bake: {baked.breach}"
    told = f"{done.to_color} was not good enough after {baked.seconds:g} s: {baked.breach}"
    tell(EngineMessage(f"{told}; rolling back", "error"))
    try:
        back = roll_back(stack, reason=why, tell=tell)
    except OperationError as error:
        msg = (
            f"{told}\nthe automatic rollback did not work: {error}\n"
            f"{done.to_color} may still have production traffic; try: {done.rollback_command}"
        )
        raise UncertainError(msg) from error
    msg = f"{told}\nrolled back: {back.to_color} {back.release} has production traffic again"
    raise RefusedError(msg)


def _idle(active: Color, config: StackConfig) -> Color:
    if config.active_color not in {None, active}:
        msg = (
            f"the config says {config.active_color}, but the last update left {active}: it is "
            "not clear which one is meant; nothing was changed; "
            f"say it: --to {config.active_color} or --to {active}"
        )
        raise RefusedError(msg)
    return active.other


def _result(
    stack: Stack,
    config: StackConfig,
    outputs: dict[str, object],
    production: _Production,
    target: Color,
    moved: Moved | None,
) -> Switched:
    is_new = moved is not None and production.color is target.other
    production_url, test_url = (
        outputs.get(name) for name in (OutputName.PRODUCTION_URL, OutputName.TEST_URL)
    )
    return Switched(
        stack=stack.name,
        from_color=str(production.color or target.other),
        to_color=str(target),
        was_needed=moved is not None,
        releases={
            str(color): str(config.color(color).get("release"))
            for color in Color
            if config.color(color)
        },
        seconds=round(moved.seconds, 2) if moved else 0.0,
        # What was moved back by hand was not switched from: its clock goes on.
        old_color_until=retained_until(config, datetime.now(UTC))
        if is_new and production.difference is None
        else None,
        rollback_command=rollback_command(stack) if is_new else None,
        production_url=str(production_url) if production_url else None,
        test_url=str(test_url) if test_url else None,
    )
