"""Moves production traffic to a color: the config, one `up`, and the truth when it fails."""

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bluegreen.colors import Color
from bluegreen.contract import ConfigKey, OutputName, RequestVariable
from bluegreen.events import author
from bluegreen.operations.config_file import ConfigEdit, Value, edit_config, restore_config
from bluegreen.operations.engine_message import EngineMessage
from bluegreen.operations.engine_process import Interruption
from bluegreen.operations.live import ask_program
from bluegreen.operations.locks import lock_advice
from bluegreen.operations.outcome import OperationError, RefusedError, UncertainError
from bluegreen.operations.pulumi_command import StackLockedError, UpdateFailedError
from bluegreen.operations.stack import Stack
from bluegreen.operations.stack_file import StackConfig
from bluegreen.report import Report

__all__ = ["Move", "Moved", "Tell", "move_production"]

_ALL = 100

Tell = Callable[[EngineMessage], None]


@dataclass(frozen=True, slots=True)
class Move:
    """What is to be done."""

    verb: str
    """For the history: `switch` or `rollback`."""

    to: Color
    came_from: Color | None
    """The color that has production now."""

    reason: str = ""
    environment: Mapping[str, str] | None = None
    continue_on_error: bool = False
    refresh: bool = False

    @property
    def message(self) -> str:
        """What the stack's history says about it."""
        by = author(os.environ)
        why = f": {self.reason}" if self.reason else ""
        return f"bluegreen {self.verb} {self.came_from or 'nothing'} → {self.to} by {by}{why}"


@dataclass(frozen=True, slots=True)
class Moved:
    """What was done."""

    to: Color
    seconds: float
    """From the command's first write to the end of the update."""

    problems: tuple[str, ...] = ()
    """What went wrong beside it; production has moved all the same."""


def move_production(stack: Stack, config: StackConfig, move: Move, tell: Tell) -> Moved:
    """Writes the config and updates the stack; takes the config back when nothing moved.

    Raises:
        RefusedError: Production traffic is where it was, and so is the config file.
        UncertainError: It failed on the way; says what is known.
    """
    changes: dict[str, Value | None] = {ConfigKey.ACTIVE_COLOR: str(move.to)}
    if config.canary_percent:
        changes[f"{ConfigKey.CANARY}.percent"] = 0
    if config.retired_color is move.to:
        # Left there it would shrink the color in the update that moves production away again.
        changes[ConfigKey.RETIRED] = None
    _stop_if_asked(stack)
    edit = edit_config(stack.config_file, stack.project.name, changes)
    started = time.monotonic()
    try:
        with _stop_file(stack.interruption) as stop:
            stack.up(
                message=move.message,
                environment={**(move.environment or {}), str(RequestVariable.STOP): str(stop)},
                continue_on_error=move.continue_on_error,
                refresh=move.refresh,
                tell=tell,
            )
    except StackLockedError as error:
        left = _taken_back(edit)
        msg = f"not done: {lock_advice(str(error))}; production traffic has not moved{left}"
        raise RefusedError(msg) from error
    except UpdateFailedError as error:
        return _after_failure(stack, move, edit, error, started)
    except OperationError:
        restore_config(edit)
        raise
    return Moved(move.to, time.monotonic() - started)


@contextlib.contextmanager
def _stop_file(interruption: Interruption) -> Iterator[Path]:
    """Where the program learns that somebody wants it to stop."""
    with tempfile.TemporaryDirectory(prefix="bluegreen-") as folder:
        interruption.stop_file = Path(folder, "stop")
        try:
            yield interruption.stop_file
        finally:
            interruption.stop_file = None


def _stop_if_asked(stack: Stack) -> None:
    if stack.interruption.requested is not None:
        msg = f"stopped by {stack.interruption.requested.name}; nothing was changed"
        raise RefusedError(msg)


def _after_failure(
    stack: Stack, move: Move, edit: ConfigEdit, error: UpdateFailedError, started: float
) -> Moved:
    report = _asked(stack)
    live = _live(stack, report, error)
    asked_to_stop = stack.interruption.requested
    why = f"stopped by {asked_to_stop.name}: {error}" if asked_to_stop else str(error)
    # One that somebody gave a part of production by hand was not moved to.
    has_all = report is None or report.colors[str(move.to)].share == _ALL
    if live is move.to and move.to is not move.came_from and has_all:
        is_finished = report is not None and report.flagged == str(move.to)
        if move.continue_on_error and is_finished and not error.was_killed:
            return Moved(move.to, time.monotonic() - started, problems=(why,))
        msg = (
            f"{move.to} has production traffic, but the update did not finish: {why}\n"
            f"the config says {move.to}; `bluegreen switch --to {move.to}` finishes it"
            f"{_unlock(error)}"
        )
        raise UncertainError(msg) from error
    left = _taken_back(edit)
    if live is None or error.was_killed:
        known = f"{live} had production traffic when we asked" if live else "nobody can tell who"
        msg = (
            f"the update was not finished: {why}\n{known}; the config says what it said before"
            f"{left}; look: `bluegreen status --live`{_unlock(error)}"
        )
        raise UncertainError(msg) from error
    msg = (
        f"{why}\nproduction traffic has not moved: {live} is live; the config file says what it "
        f"said before{left}"
    )
    raise RefusedError(msg) from error


def _unlock(error: UpdateFailedError) -> str:
    if not error.was_killed:
        return ""
    return "; the engine was killed and left its lock: `pulumi cancel --yes` first"


def _asked(stack: Stack) -> Report | None:
    """What the program says is live; None when it cannot be asked, which is no failure of its."""
    try:
        return ask_program(stack)
    except OperationError:
        return None


def _live(stack: Stack, report: Report | None, error: UpdateFailedError) -> Color | None:
    if report is not None:
        return Color(report.active) if report.active else None
    if error.was_killed or stack.interruption.requested is not None:
        return None
    # The program does not run, so it has moved nothing: what was recorded is still true.
    try:
        return Color.read(stack.outputs().get(OutputName.ACTIVE_COLOR))
    except OperationError:
        return None


def _taken_back(edit: ConfigEdit) -> str:
    left = restore_config(edit)
    return f"; {left}" if left else ""
