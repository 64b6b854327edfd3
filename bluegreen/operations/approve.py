"""Approves a color and its release, so that the gate `approval` lets it have traffic."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime

from bluegreen.colors import Color
from bluegreen.contract import ConfigKey
from bluegreen.events import author
from bluegreen.operations.config_file import Value, edit_config
from bluegreen.operations.one_at_a_time import alone_on
from bluegreen.operations.outcome import RefusedError
from bluegreen.operations.recorded import recorded_color
from bluegreen.operations.stack import Stack
from bluegreen.operations.stack_file import StackConfig
from bluegreen.settings.approval import approve as approval_of

__all__ = ["Approved", "approve"]


@dataclass(frozen=True, slots=True)
class Approved:
    """What somebody has approved."""

    stack: str
    color: str
    release: str
    by: str
    at: str
    """UTC, ISO 8601."""

    is_asked_for: bool
    """False when the config has no gate that asks for an approval."""


def approve(stack: Stack, color: Color | None = None, release: str | None = None) -> Approved:
    """Writes the approval into the stack's config; nothing is switched.

    Args:
        stack: Whose.
        color: The color that may get traffic; None for the one that is idle.
        release: The release that somebody has looked at; None for the one that the config has.

    Raises:
        RefusedError: The config has another release in that color, or cannot be changed.
    """
    with alone_on(stack.config_file):
        config = StackConfig.read(stack.config_file, stack.project.name)
        target = color or recorded_color(stack.outputs()).other
        held = config.color(target).get("release")
        if held is None or (release is not None and release != str(held)):
            told = f"holds {held}" if held is not None else "is not there"
            msg = (
                f"{target} {told} in {stack.config_file.name}"
                + (f", not {release}" if release is not None else "")
                + "; nothing was approved; `bluegreen deploy --release RELEASE` comes first"
            )
            raise RefusedError(msg)
        service = str(config.service.get("name"))
        given = approval_of(
            service, target, str(held), by=author(os.environ), now=datetime.now(UTC)
        )
        values: dict[str, Value] = {key: str(value) for key, value in given.model_dump().items()}
        is_there = isinstance(config.values.get(ConfigKey.APPROVAL), dict)
        key = str(ConfigKey.APPROVAL)
        changes: dict[str, Value] = (
            {f"{key}.{name}": value for name, value in values.items()}
            if is_there
            else {key: values}
        )
        edit_config(stack.config_file, stack.project.name, changes)
        gates = config.service.get("gates")
        return Approved(
            stack=stack.name,
            color=str(target),
            release=str(held),
            by=given.by,
            at=given.at,
            is_asked_for=isinstance(gates, dict) and gates.get("approve") is True,
        )
