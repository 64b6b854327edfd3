"""What protects a color's members: their release while they have traffic, time to drain after."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from bluegreen.colors import Color
from bluegreen.contract import OverrideVariable
from bluegreen.errors import DataPlaneError, RolloutError
from bluegreen.events import EventKind
from bluegreen.gate_hooks.hook import HookCall
from bluegreen.gate_hooks.retention import Retention
from bluegreen.gate_hooks.update import Update
from bluegreen.gates.gate import Deadline
from bluegreen.transition import (
    FleetChange,
    FleetState,
    fleet_change,
    judge_live_change,
)

__all__ = ["FleetGuard"]

_DRAIN_POLL_SECONDS = 0.05
_PROGRESS_SECONDS = 5.0
"""Between two words about a drain: a pipeline's log keeps every one of them."""


class FleetGuard:
    """Asked before the members of one color are created or changed."""

    def __init__(self, update: Update, color: Color) -> None:
        self._update = update
        self._color = color
        self._retention = Retention(update)

    def __call__(self, call: HookCall) -> None:
        """Raises when this change of the color must not happen, or not yet."""
        self._update.changing.add(self._color)
        after = self._update.readers.fleet(call.new)
        if not call.old:
            return
        before = self._present(call, self._update.readers.fleet(call.old), after)
        change = fleet_change(before, after)
        if change.is_nothing:
            self._protect_what_runs(call, before, after)
            return
        share = self._live_share(call)
        if share is None:
            return
        self._protect_live_members(call, before, after, share)
        if share == 0:
            self._let_idle_go(call, before, change)
        elif change.is_shrink and self._update.plan.split.share_of(self._color) == 0:
            self._shrink_after_the_switch(call, before, share)

    def _present(self, call: HookCall, recorded: FleetState, after: FleetState) -> FleetState:
        """With the size that it has now, where what is written next could be too small."""
        if recorded.is_autoscaled:
            return self._autoscaled(call, recorded, after)
        return recorded if after.is_autoscaled else self._by_hand(recorded)

    def _autoscaled(self, call: HookCall, recorded: FleetState, after: FleetState) -> FleetState:
        """With the size that its autoscaler has given it since."""
        if after.most_replicas >= recorded.most_replicas:
            return recorded
        try:
            size = self._update.data_plane.readiness(self._color).desired
        except DataPlaneError as error:
            text = f"cannot tell how many members {self._color} has: {error}"
            if not call.is_preview:
                self._refuse(call, f"{text}; they were not changed; `pulumi up` tries again")
            call.warn(f"{self._update.name}: {text}; the same in an update would be a refusal")
            return recorded
        return replace(recorded, replicas=size)

    def _by_hand(self, recorded: FleetState) -> FleetState:
        """As large as somebody has made it by hand since, where it is to keep its traffic."""
        plane, color = self._update.data_plane, self._color
        if self._update.plan.split.share_of(color) == 0:
            return recorded
        try:
            live = plane.live_route()
            if live is None or live.split.share_of(color) == 0:
                return recorded
            size = plane.readiness(color).desired
        except DataPlaneError:
            # What follows asks the same where it matters, and says it.
            return recorded
        return replace(recorded, replicas=max(recorded.replicas, size))

    def _live_share(self, call: HookCall) -> int | None:
        """The color's share now; None in a preview that cannot tell."""
        try:
            live = self._update.data_plane.live_route()
        except DataPlaneError as error:
            text = f"cannot tell whether {self._color} has traffic: {error}"
            if call.is_preview:
                warning = f"{self._update.name}: {text}; the same in an update would be a refusal"
                call.warn(warning)
                return None
            self._refuse(
                call,
                f"{text}; its members were not changed; leave {self._color} as it is, run "
                "`pulumi up`, and change it after that",
            )
        return live.split.share_of(self._color) if live else 0

    def _protect_what_runs(self, call: HookCall, before: FleetState, after: FleetState) -> None:
        """An allowed change that was killed is ahead of the state; nobody allowed the way back."""
        try:
            release = self._update.data_plane.release(self._color)
        except DataPlaneError:
            return
        if release in {None, after.release}:
            return
        running = replace(before, release=release, fingerprint=f"of {release}")
        share = self._live_share(call)
        if share:
            self._protect_live_members(call, running, after, share)

    def _protect_live_members(
        self, call: HookCall, before: FleetState, after: FleetState, share: int
    ) -> None:
        update, color = self._update, self._color
        permission = update.overrides.allow_live_change
        wanted = update.plan.split.share_of(color)
        refusal = judge_live_change(
            color, before, after, share=share, wanted_share=wanted, is_allowed=False
        )
        if refusal is None:
            return
        if permission is None or permission.color is not color:
            self._refuse(call, refusal)
        update.used.add(OverrideVariable.ALLOW_LIVE_CHANGE)
        what = f"from {before.release}, {before.replicas} members"
        call.warn(
            f"{update.name}: the live members of {color} change {what} to {after.release}, "
            f"{after.most_replicas} members; allowed once: {permission.reason}"
        )
        if not call.is_preview:
            update.record(
                EventKind.LIVE_CHANGE,
                before=f"{color} {before.release}, {before.replicas} members",
                after=f"{color} {after.release}, {after.most_replicas} members",
                reason=permission.reason,
            )

    def _shrink_after_the_switch(self, call: HookCall, before: FleetState, share: int) -> None:
        """The color has traffic now, and is to have none when its turn comes."""
        if not call.is_preview:
            self._refuse(
                call,
                f"{self._color} still has {share} % of production traffic; it was not shrunk; "
                "`pulumi up` tries again",
            )
        refusal = self._retention.of_what_is_left_now(self._color, before.release)
        if refusal is None:
            return
        if self._update.overrides.retire_early is None:
            self._refuse(call, refusal)
        self._update.used.add(OverrideVariable.RETIRE_EARLY)

    def _let_idle_go(self, call: HookCall, before: FleetState, change: FleetChange) -> None:
        if before.replicas == 0:
            return
        self._keep_retention(call, before, change)
        if not call.is_preview:
            self._drain(call)

    def _keep_retention(self, call: HookCall, before: FleetState, change: FleetChange) -> None:
        update, color = self._update, self._color
        refusal = self._retention.asked_by(call, color, before.release, before=str(color))
        if refusal is None:
            return
        if change.is_new_release:
            call.warn(
                f"{update.name}: {color} is the rollback target: "
                f"rollback to {before.release} ends now"
            )
            return
        if update.overrides.retire_early is None:
            self._refuse(call, refusal)
        update.used.add(OverrideVariable.RETIRE_EARLY)
        if not call.is_preview:
            self._retention.record_early_end(
                f"{color} {before.release}, {before.replicas} members",
                f"{update.plan.fleets[color].replicas} members",
            )

    def _drain(self, call: HookCall) -> None:
        """Waits until the color works on nothing any more; bounded, and then says what is left."""
        update, color = self._update, self._color
        limit = update.settings.drain.timeout_seconds
        deadline = Deadline(limit)
        next_word = limit - _PROGRESS_SECONDS
        while (sessions := self._sessions(call)) is not None:
            if sessions == 0:
                return
            if deadline.remaining_seconds < next_word:
                next_word = deadline.remaining_seconds - _PROGRESS_SECONDS
                call.progress(f"{update.name}: {color} drains: {sessions} requests left")
            if not deadline.sleep(_DRAIN_POLL_SECONDS):
                call.warn(
                    f"{update.name}: {color} still works on {sessions} requests after "
                    f"{limit:g} seconds; its members are ended all the same"
                )
                return
        self._wait_since_switch(deadline)

    def _sessions(self, call: HookCall) -> int | None:
        try:
            return self._update.data_plane.sessions(self._color)
        except DataPlaneError as error:
            self._refuse(
                call,
                f"cannot tell what {self._color} still works on: {error}; its members were not "
                "changed; `pulumi up` tries again",
            )

    def _wait_since_switch(self, deadline: Deadline) -> None:
        """Where requests cannot be counted, the old color gets the whole time since the switch."""
        since = self._retention.idle_since()
        limit = timedelta(seconds=self._update.settings.drain.timeout_seconds)
        left = (since + limit - datetime.now(UTC)).total_seconds() if since else 0.0
        if left > 0:
            deadline.sleep(left)

    def _refuse(self, call: HookCall, text: str) -> NoReturn:
        error = RolloutError(f"{self._update.name}: {text}")
        self._update.refuse(call, error, before=str(self._color))
