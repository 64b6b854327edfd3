"""What protects the template of a color's members while they have traffic."""

from collections.abc import Callable, Mapping
from typing import Any

from bluegreen.colors import Color
from bluegreen.gate_hooks.fleet_guard import FleetGuard
from bluegreen.gate_hooks.hook import HookCall
from bluegreen.gate_hooks.update import Update
from bluegreen.transition import FleetState, judge_live_change

__all__ = ["TemplateGuard"]


class TemplateGuard(FleetGuard):
    """Asked before the template of one color's members is updated.

    Nothing runs otherwise by that alone. But it is written before the members' own guard is asked:
    what that one refuses would stay in the template, and be carried out with the next change.
    """

    def __init__(
        self, update: Update, color: Color, state_of: Callable[[Mapping[str, Any]], FleetState]
    ) -> None:
        super().__init__(update, color)
        self._state_of = state_of

    def __call__(self, call: HookCall) -> None:
        """Raises when the members that have traffic would be started otherwise."""
        if not call.old:
            return
        before, after = self._state_of(call.old), self._state_of(call.new)
        if before.fingerprint == after.fingerprint:
            return
        share = self._live_share(call)
        if share is None:
            return
        update, color = self._update, self._color
        permission = update.overrides.allow_live_change
        refusal = judge_live_change(
            color,
            before,
            after,
            share=share,
            wanted_share=update.plan.split.share_of(color),
            is_allowed=permission is not None and permission.color is color,
        )
        # The members' own guard records what was allowed.
        if refusal is not None:
            self._refuse(call, refusal)
