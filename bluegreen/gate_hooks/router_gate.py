"""What stops the router's one write, and what asks afterwards whether traffic follows."""

import os
from pathlib import Path

from bluegreen.colors import Color
from bluegreen.contract import OverrideVariable, RequestVariable
from bluegreen.errors import DataPlaneError, GateError, RolloutError, UnreadableTrafficError
from bluegreen.events import EventKind
from bluegreen.gate_hooks.hook import HookCall
from bluegreen.gate_hooks.switch_guard import SwitchGuard
from bluegreen.gate_hooks.timeline import Moment
from bluegreen.gate_hooks.update import Update
from bluegreen.gates.follow import verify_follow
from bluegreen.gates.gate import Subject, Verdict
from bluegreen.gates.runner import ask_again, refusal_text, run_gates
from bluegreen.traffic import Route, TrafficSplit, UnreadableTraffic
from bluegreen.transition import Situation, Transition, judge_transition

__all__ = ["FollowGate", "RouterGate"]

_PREVIEW_SECONDS = 3.0
"""A preview reports what the gates would say now; nobody wants to wait for that."""


class RouterGate:
    """Asked before the router is created or updated."""

    def __init__(self, update: Update) -> None:
        self._update = update

    def __call__(self, call: HookCall) -> None:
        """Raises when the write must not happen."""
        update = self._update
        update.timeline.mark(Moment.ASKED)
        try:
            recorded = self._recorded(call)
            live = self._live()
        except DataPlaneError as error:
            self._cannot_tell(call, error)
            return
        transition = judge_transition(
            wanted=update.plan.route,
            recorded=recorded,
            live=live,
            is_rollback=update.is_rollback,
        )
        if transition.refusal is not None:
            conflict = RolloutError(f"{update.name}: {transition.refusal}")
            update.refuse(call, conflict, before=update.described_live(live))
        self._announce(call, live, transition)
        SwitchGuard(update)(call, transition, live)
        for color in transition.rising:
            self._judge(call, color, live)
        self._stop_if_asked(call, live)
        update.timeline.mark(Moment.PASSED)

    def _stop_if_asked(self, call: HookCall, live: Route | UnreadableTraffic | None) -> None:
        """The last moment at which somebody who has pressed Ctrl-C is listened to."""
        path = os.environ.get(RequestVariable.STOP)
        if path and Path(path).exists() and not call.is_preview:
            update = self._update
            stopped = RolloutError(f"{update.name}: stopped; production traffic has not moved")
            update.refuse(call, stopped, before=update.described_live(live))

    def _recorded(self, call: HookCall) -> Route | None:
        """What the state has; after a refresh that may be what nobody can read."""
        if call.old is None:
            return None
        recorded = self._update.readers.route(call.old)
        if recorded is not None:
            return recorded
        flagged = self._update.data_plane.flagged()
        return Route(flagged, TrafficSplit.all_to(flagged)) if flagged else None

    def _live(self) -> Route | UnreadableTraffic | None:
        try:
            return self._update.data_plane.live_route()
        except UnreadableTrafficError as error:
            return UnreadableTraffic(str(error))

    def _cannot_tell(self, call: HookCall, error: DataPlaneError) -> None:
        text = f"{self._update.name}: cannot tell who is live: {error}"
        if not call.is_preview:
            refusal = RolloutError(f"{text}; production traffic has not been moved")
            self._update.refuse(call, refusal, before="unknown")
        call.warn(f"{text}; the same in an update would be a refusal")

    def _announce(
        self, call: HookCall, live: Route | UnreadableTraffic | None, transition: Transition
    ) -> None:
        update = self._update
        wanted = update.described(update.plan.split)
        what = f"{update.described_live(live)} → {wanted}"
        match transition.situation:
            case Situation.FINISH:
                call.say(f"{update.name}: traffic is where it should be: {wanted}")
            case Situation.REPAIR:
                call.warn(f"{update.name}: traffic was moved by hand; moving it back: {what}")
            case _:
                call.say(f"{update.name}: production traffic {what}")
        rollback = update.overrides.rollback
        if rollback is not None and update.plan.is_rollback and transition.rising:
            update.used.add(OverrideVariable.ROLLBACK)
            if update.is_rollback:
                call.say(f"{update.name}: rollback: {rollback.reason}")
            else:
                call.warn(
                    f"{update.name}: not treated as a rollback, because this update changes "
                    f"{update.plan.active_color} itself; all gates are asked"
                )

    def _judge(self, call: HookCall, color: Color, live: Route | UnreadableTraffic | None) -> None:
        update = self._update
        subject = update.subject(color, live)
        if call.is_preview:
            self._report(call, subject)
            return
        names = ", ".join(gate.name for gate in update.gates)
        call.progress(f"{update.name}: asking the gates of {subject.color}: {names}")
        limit = update.settings.gates.timeout_seconds
        verdicts = run_gates(update.gates, subject, timeout_seconds=limit)
        verdicts = ask_again(update.gates, subject, verdicts, timeout_seconds=limit)
        update.verdicts.extend(verdicts)
        for verdict in verdicts:
            (call.warn if verdict.is_warning else call.say)(f"{update.name}: {color}: {verdict}")
            if verdict.detail and (verdict.would_refuse or not verdict.passed):
                call.say(f"{update.name}: {color}: {verdict.gate} said:\n{verdict.detail}")
        if not all(verdict.passed for verdict in verdicts):
            refusal = GateError(refusal_text(subject, verdicts))
            update.refuse(call, refusal, before=update.described_live(live))

    def _report(self, call: HookCall, subject: Subject) -> None:
        """Shows what the gates would say now; refuses nothing, since this update may change it."""
        update = self._update
        for gate in update.gates:
            if gate.lacks and not (subject.is_rollback and gate.is_slow):
                call.warn(f"{update.name}: {subject.color}: {gate.name} cannot run: {gate.lacks}")
        if subject.color in update.changing:
            names = ", ".join(gate.name for gate in update.gates)
            call.say(
                f"{update.name}: gates of {subject.color} {subject.release}, asked after its fleet "
                f"is changed: {names}"
            )
            return
        looking = [gate for gate in update.gates if gate.runs_in_preview and not gate.lacks]
        verdicts = run_gates(looking, subject, timeout_seconds=_PREVIEW_SECONDS)
        for verdict in verdicts:
            tell = call.say if verdict.passed and not verdict.is_warning else call.warn
            tell(f"{update.name}: {subject.color}, now: {verdict}")
        names = ", ".join(gate.name for gate in update.gates if not gate.runs_in_preview)
        if names:
            call.say(
                f"{update.name}: gates of {subject.color} {subject.release}, asked in the update "
                f"only: {names}"
            )


class FollowGate:
    """Asked after the router's write, and again before the flag says that it happened."""

    def __init__(self, update: Update) -> None:
        self._update = update
        self._has_said_yes = False

    def __call__(self, call: HookCall) -> None:
        """Raises when production traffic does not come from the colors it should come from."""
        timeline = self._update.timeline
        timeline.mark(Moment.WRITTEN)
        verdict = self.verdict()
        if not verdict.passed:
            msg = (
                f"{self._update.name}: traffic does not follow: {verdict.reason} "
                f"({verdict.value}, needed {verdict.limit}); {self._what_is_written()}"
            )
            self._record_failure(call, msg)
            raise RolloutError(msg)
        timeline.mark(Moment.FOLLOWED)
        if not self._has_said_yes:
            call.say(f"{self._update.name}: {verdict}")
        self._has_said_yes = True

    def _what_is_written(self) -> str:
        """A provider may keep what it was to write as the state, also when it was refused."""
        update = self._update
        try:
            live = update.data_plane.live_route()
        except DataPlaneError:
            live = None
        if live is not None and live.split != update.plan.split:
            return (
                "the router has not been written, whatever the state says, nor has the active "
                "flag; `pulumi up --refresh` writes them, or set active_color back"
            )
        return (
            "the router has been written, the active flag has not; `pulumi up` asks again, or set "
            "active_color back"
        )

    def _record_failure(self, call: HookCall, why: str) -> None:
        update = self._update
        try:
            update.record(
                EventKind.NOT_FOLLOWED,
                before="unknown",
                after=update.described(update.plan.split),
                reason=why,
            )
        except DataPlaneError as not_recorded:
            call.warn(f"{update.name}: {not_recorded}")

    def verdict(self) -> Verdict:
        """Asks the data plane."""
        update = self._update
        settings = update.settings
        return verify_follow(
            update.data_plane, update.plan.split, settings.color_from, settings.follow
        )
