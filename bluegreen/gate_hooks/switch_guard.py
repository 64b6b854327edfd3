"""What holds up a move of traffic to another color although that one may be fine."""

from datetime import UTC, datetime

from bluegreen.colors import Color
from bluegreen.contract import OverrideVariable
from bluegreen.errors import DataPlaneError, RolloutError
from bluegreen.events.rolled_back import rolled_back
from bluegreen.gate_hooks.hook import HookCall
from bluegreen.gate_hooks.update import Update
from bluegreen.traffic import Route, UnreadableTraffic
from bluegreen.transition import Situation, Transition

__all__ = ["SwitchGuard"]


class SwitchGuard:
    """Asked before the gates, in preview and in an update: nothing in the update could change it.

    Only of a move away from the color that is live. The first deployment, a repair towards the
    config's unchanged color, a canary that ends and a rollback are never held up.
    """

    def __init__(self, update: Update) -> None:
        self._update = update

    def __call__(
        self, call: HookCall, transition: Transition, live: Route | UnreadableTraffic | None
    ) -> None:
        """Raises when the traffic must not be moved now."""
        if self._update.is_rollback or not _moves_away(transition, live):
            return
        self._keep_to_windows(call, live)
        for color in transition.rising:
            if isinstance(live, Route) and color is not live.active:
                self._remember_rollbacks(call, color, live)

    def _remember_rollbacks(self, call: HookCall, color: Color, live: Route) -> None:
        """What was rolled back is not switched to again because nobody remembers it."""
        update = self._update
        release = update.release_of(color)
        try:
            found = rolled_back(update.recent_events(), update.name, color, release)
        except DataPlaneError as error:
            call.warn(
                f"{update.name}: cannot tell whether {color} {release} was rolled back: {error}"
            )
            return
        if found is None:
            return
        permission = update.overrides.acknowledge
        if permission is not None and permission.release == release:
            update.used.add(OverrideVariable.ACKNOWLEDGE)
            call.warn(f"{update.name}: {found}; switched all the same: {permission.reason}")
            return
        msg = (
            f"{update.name}: {found}; production traffic has not been moved; deploy another "
            f"release to {color}, or say {OverrideVariable.ACKNOWLEDGE}='{release}:why'"
        )
        update.refuse(call, RolloutError(msg), before=update.described_live(live))

    def _keep_to_windows(self, call: HookCall, live: Route | UnreadableTraffic | None) -> None:
        update = self._update
        now = datetime.now(UTC)
        problem = update.settings.windows.problem(now)
        if problem is None:
            return
        reason = update.overrides.override_window
        if reason is not None:
            update.used.add(OverrideVariable.OVERRIDE_WINDOW)
            call.warn(f"{update.name}: {problem}; switched all the same: {reason}")
            return
        opens = update.settings.windows.next_opening(now)
        msg = (
            f"{update.name}: {problem}; production traffic has not been moved; wait until "
            f"{opens or 'somebody changes service.windows'}, or say "
            f"{OverrideVariable.OVERRIDE_WINDOW}='why'; a rollback is always allowed: "
            f"{OverrideVariable.ROLLBACK}='{update.plan.active_color}:why'"
        )
        update.refuse(call, RolloutError(msg), before=update.described_live(live))


def _moves_away(transition: Transition, live: Route | UnreadableTraffic | None) -> bool:
    if transition.situation is not Situation.PROCEED or not isinstance(live, Route):
        return False
    return any(color is not live.active for color in transition.rising)
