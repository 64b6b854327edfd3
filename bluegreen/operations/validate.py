"""Asks the gates of a color now, and changes nothing."""

from dataclasses import dataclass

from bluegreen.colors import Color
from bluegreen.operations.live import ask_program
from bluegreen.operations.move import Tell
from bluegreen.operations.outcome import RefusedError
from bluegreen.operations.recorded import recorded_color
from bluegreen.operations.stack import Stack
from bluegreen.operations.stack_file import StackConfig
from bluegreen.report import VerdictReport

__all__ = ["Validated", "validate"]


@dataclass(frozen=True, slots=True)
class Validated:
    """What the gates of a color say."""

    stack: str
    color: str
    release: str | None
    """What its members run."""

    at: str
    passed: bool
    verdicts: tuple[VerdictReport, ...]


def validate(stack: Stack, color: Color | None, *, tell: Tell) -> Validated:
    """Asks every gate of a color, as a switch to it would.

    Args:
        stack: Whose.
        color: The color; None for the idle one.
        tell: Is told what happens.

    Raises:
        RefusedError: The gates could not be asked.
    """
    config = StackConfig.read(stack.config_file, stack.project.name)
    target = color or recorded_color(stack.outputs()).other
    if not config.color(target):
        msg = f"{target} is not in {stack.config_file.name}; there is nothing to validate"
        raise RefusedError(msg)
    report = ask_program(stack, validate=target, tell=tell)
    if report.validated != str(target):
        msg = "the program did not ask its gates; is its bluegreen older than this command?"
        raise RefusedError(msg)
    return Validated(
        stack=stack.name,
        color=str(target),
        release=report.colors[str(target)].release,
        at=report.at,
        passed=all(verdict.passed for verdict in report.verdicts),
        verdicts=report.verdicts,
    )
