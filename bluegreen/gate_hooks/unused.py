"""Permissions that were given for an update and lifted nothing in it."""

from collections.abc import Iterable

import pulumi

from bluegreen.contract import OverrideVariable
from bluegreen.gate_hooks.update import Update

__all__ = ["warn_of_unused_permissions"]

_WITHOUT_EFFECT = {
    OverrideVariable.ROLLBACK: "no traffic was to be moved back",
    OverrideVariable.ALLOW_LIVE_CHANGE: "no change of that color's live members was held up",
    OverrideVariable.RETIRE_EARLY: "no retention was in the way",
    OverrideVariable.OVERRIDE_WINDOW: "no window was in the way",
    OverrideVariable.ACKNOWLEDGE: "that release had not been rolled back, or was not switched to",
}


def warn_of_unused_permissions(
    update: Update, resources: Iterable[pulumi.Resource], component: pulumi.Resource
) -> None:
    """Says once all `resources` are done which permissions have had no effect.

    They stay set in a shell or a pipeline otherwise, and lift something nobody thought of.
    """
    given = [each for each in update.overrides.given if not _is_told_already(update, each)]
    if not given:
        return

    def warn(_: object) -> None:
        for variable in given:
            if variable not in update.used:
                pulumi.log.warn(
                    f"{update.name}: {variable} had no effect: {_WITHOUT_EFFECT[variable]}; "
                    "leave it out of the next `pulumi up`",
                    component,
                )

    pulumi.Output.all(*(resource.urn for resource in resources)).apply(warn)


def _is_told_already(update: Update, variable: OverrideVariable) -> bool:
    """The plan itself says that a rollback is to another color than the active one."""
    return variable is OverrideVariable.ROLLBACK and not update.plan.is_rollback
