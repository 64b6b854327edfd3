"""What a stack's outputs and config say, in the words of the operations."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bluegreen.colors import Color
from bluegreen.contract import OutputName
from bluegreen.operations.outcome import RefusedError
from bluegreen.operations.stack import PastUpdate, Stack
from bluegreen.operations.stack_file import StackConfig

__all__ = ["is_finished", "recorded_color", "retained_until", "rollback_command"]


def recorded_color(outputs: dict[str, object]) -> Color:
    """The color that the last update left with production.

    Raises:
        RefusedError: Nothing is deployed, or the program does not keep to the contract.
    """
    recorded = Color.read(outputs.get(OutputName.ACTIVE_COLOR))
    if recorded is None:
        msg = (
            "the stack has no output active_color: nothing is deployed yet, or its program does "
            "not export `service.stack_outputs()`; nothing was changed; `pulumi up` deploys it"
        )
        raise RefusedError(msg)
    return recorded


def is_finished(updates: Sequence[PastUpdate]) -> bool:
    """Whether the last update did all it should; one that failed on the way did not.

    Args:
        updates: The history, newest first; a part of it is enough.
    """
    return not updates or updates[0].result == "succeeded"


def retained_until(config: StackConfig, since: datetime) -> str | None:
    """Until when a color that is idle since then must stay able to serve; None: for no time."""
    if config.retention_hours == 0:
        return None
    return (since + timedelta(hours=config.retention_hours)).isoformat(timespec="seconds")


def rollback_command(stack: Stack) -> str:
    """What to type to go back."""
    return f"bluegreen rollback --cwd {stack.project.directory} --stack {stack.name} --reason WHY"
