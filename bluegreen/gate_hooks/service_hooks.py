"""The hooks of one service, ready to be bound to its resources."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import pulumi

from bluegreen.colors import Color
from bluegreen.events import EventKind
from bluegreen.gate_hooks.daemon_thread import in_daemon_thread
from bluegreen.gate_hooks.failure import Failure
from bluegreen.gate_hooks.fleet_guard import FleetGuard
from bluegreen.gate_hooks.fleet_ready import FleetReady
from bluegreen.gate_hooks.hook import HookCall, resource_hook
from bluegreen.gate_hooks.router_gate import FollowGate, RouterGate
from bluegreen.gate_hooks.template_guard import TemplateGuard
from bluegreen.gate_hooks.truth import Truth
from bluegreen.gate_hooks.update import Update
from bluegreen.naming import child_name
from bluegreen.transition import FleetState

__all__ = ["CapacityOwner", "ServiceHooks"]

_MARGIN_SECONDS = 15.0
"""Given to a hook on top of the limits of what it runs, so that those limits speak first."""

_HAND_OVER_SECONDS = 60.0


class CapacityOwner(Protocol):
    """Where somebody else than the program may own the number of members: hands it over."""

    def before_write(self, call: HookCall) -> None:
        """Asked before members are updated, once their guard has let them."""

    def after_write(self, call: HookCall) -> None:
        """Asked after members were written, and before their autoscaler is made."""


class ServiceHooks:
    """What stops the router, the active flag and the fleets of one service.

    Hooks are named after the service: their names are shared by the whole program. There are no
    delete hooks: the engine would demand them from every later program, and from `destroy`.
    """

    def __init__(self, update: Update) -> None:
        self._update = update
        self._name = update.name
        self._follow = FollowGate(update)
        self.truth = Truth(update.data_plane, update.plan)

    def anchor(self, judge: Callable[[HookCall], None]) -> pulumi.ResourceHookBinding:
        """A platform's own guard of what the router refers to."""
        guard = resource_hook(
            child_name(self._name, "anchor-guard"),
            judge,
            timeout_seconds=self._update.settings.gates.timeout_seconds + _MARGIN_SECONDS,
            in_preview=True,
            on_refusal=self.truth.tell,
        )
        return self._telling_truth("anchor", pulumi.ResourceHookBinding(before_update=[guard]))

    def router(self, guard: Callable[[HookCall], None] | None = None) -> pulumi.ResourceHookBinding:
        """Gates before the write, the question whether traffic follows after it.

        Args:
            guard: A platform's own question before the gates, asked of an update only.
        """
        settings = self._update.settings
        gate = resource_hook(
            child_name(self._name, "router-gate"),
            RouterGate(self._update),
            # A first canary deployment raises both colors, one after the other.
            timeout_seconds=2 * settings.gates.timeout_seconds + _MARGIN_SECONDS,
            in_preview=True,
            on_refusal=self.truth.tell,
        )
        # Not after a creation: its state is saved only after the hook, and a kill would lose it.
        # The flag asks the same question again in every case.
        follow = resource_hook(
            child_name(self._name, "router-follow"),
            self._follow,
            timeout_seconds=settings.follow.timeout_seconds + _MARGIN_SECONDS,
            in_preview=False,
            on_refusal=self.truth.tell,
        )
        first = [] if guard is None else [self._router_guard(guard)]
        binding = pulumi.ResourceHookBinding(
            before_create=[gate], before_update=[*first, gate], after_update=[follow]
        )
        return self._telling_truth("router", binding)

    def _router_guard(self, guard: Callable[[HookCall], None]) -> pulumi.ResourceHook:
        return resource_hook(
            child_name(self._name, "router-guard"),
            guard,
            timeout_seconds=_MARGIN_SECONDS,
            in_preview=True,
            on_refusal=self.truth.tell,
        )

    def flag(self, write: Callable[[HookCall], None] | None = None) -> pulumi.ResourceHookBinding:
        """The same question before the flag is written; the audit entry afterwards.

        Args:
            write: What a platform writes itself once the answer is yes: after the flag is made, and
                before it is updated.
        """
        ask = resource_hook(
            child_name(self._name, "flag-follow"),
            self._follow,
            timeout_seconds=self._update.settings.follow.timeout_seconds + _MARGIN_SECONDS,
            in_preview=False,
            on_refusal=self.truth.tell,
        )
        record = resource_hook(
            child_name(self._name, "flag-record"),
            self._record_switch,
            timeout_seconds=_MARGIN_SECONDS,
            in_preview=False,
            ignore_errors=True,
        )
        own = [] if write is None else [self._flag_write(write)]
        binding = pulumi.ResourceHookBinding(
            before_create=[ask],
            before_update=[ask, *own],
            after_create=[*own, record],
            after_update=[record],
        )
        return self._telling_truth("flag", binding)

    def _flag_write(self, write: Callable[[HookCall], None]) -> pulumi.ResourceHook:
        return resource_hook(
            child_name(self._name, "flag-write"),
            write,
            timeout_seconds=_MARGIN_SECONDS,
            in_preview=False,
            on_refusal=self.truth.tell,
        )

    def fleet(
        self,
        color: Color,
        *,
        owner: CapacityOwner | None = None,
        ready_within_seconds: float | None = None,
    ) -> pulumi.ResourceHookBinding:
        """The guard of one color's members.

        Args:
            color: Whose members they are.
            owner: Hands the number of members over; None where it is the program's for ever.
            ready_within_seconds: Fail the update when they are not ready by then; None where the
                members' own provider does that.
        """
        guard = resource_hook(
            child_name(self._name, f"{color}-guard"),
            FleetGuard(self._update, color),
            timeout_seconds=self._update.settings.drain.timeout_seconds + _MARGIN_SECONDS,
            in_preview=True,
            on_refusal=self.truth.tell,
        )
        before, after = [guard], []
        if owner is not None:
            before.append(self._hand_over(f"{color}-keep", owner.before_write))
            after.append(self._hand_over(f"{color}-raise", owner.after_write))
        if ready_within_seconds is not None:
            after.append(self._ready(color, ready_within_seconds))
        binding = pulumi.ResourceHookBinding(
            before_create=[guard],
            before_update=[*before],
            after_create=[*after],
            after_update=[*after],
        )
        return self._telling_truth(str(color), binding)

    def template(
        self, color: Color, state_of: Callable[[Mapping[str, Any]], FleetState]
    ) -> pulumi.ResourceHookBinding:
        """The guard of what one color's members are made from, where that is a resource itself.

        Args:
            color: Whose members they are.
            state_of: Reads its properties.
        """
        guard = resource_hook(
            child_name(self._name, f"{color}-template-guard"),
            TemplateGuard(self._update, color, state_of),
            timeout_seconds=_MARGIN_SECONDS,
            in_preview=True,
            on_refusal=self.truth.tell,
        )
        binding = pulumi.ResourceHookBinding(before_update=[guard])
        return self._telling_truth(f"{color}-template", binding)

    def part(self) -> pulumi.ResourceHookBinding:
        """For all the other parts of a service: tells what is live when one of them fails."""
        return self._telling_truth("part", pulumi.ResourceHookBinding())

    def autoscaler(self, color: Color, owner: CapacityOwner) -> pulumi.ResourceHookBinding:
        """What makes sure that an autoscaler has something to start from.

        Asked of its creation, because an update that was killed after the members were written
        has nothing else left to do.
        """
        wake = self._hand_over(f"{color}-wake", owner.after_write)
        binding = pulumi.ResourceHookBinding(before_create=[wake])
        return self._telling_truth(f"{color}-autoscaler", binding)

    def _hand_over(self, role: str, step: Callable[[HookCall], None]) -> pulumi.ResourceHook:
        return resource_hook(
            child_name(self._name, role),
            step,
            timeout_seconds=_HAND_OVER_SECONDS,
            in_preview=False,
            on_refusal=self.truth.tell,
        )

    def _ready(self, color: Color, seconds: float) -> pulumi.ResourceHook:
        return resource_hook(
            child_name(self._name, f"{color}-ready"),
            FleetReady(self._update, color, timeout_seconds=seconds),
            timeout_seconds=seconds + _MARGIN_SECONDS,
            in_preview=False,
            on_refusal=self.truth.tell,
        )

    def _telling_truth(
        self, role: str, binding: pulumi.ResourceHookBinding
    ) -> pulumi.ResourceHookBinding:
        """Adds that outputs and user are told what is live when the provider itself fails."""

        async def tell(args: pulumi.ErrorHookArgs) -> bool:
            if pulumi.runtime.is_dry_run():
                return False
            failure = Failure(
                name=args.name,
                urn=args.urn,
                operation=args.failed_operation,
                inputs=args.new_inputs or {},
                errors=tuple(args.errors),
            )
            live = await self.truth.tell()
            advice = await in_daemon_thread("advice", lambda: self._update.advice(failure))
            verb = "creating" if failure.operation == "create" else "updating"
            pulumi.log.warn(f"{self._name}: {verb} {failure.name} failed; {live}; {advice}")
            return False

        binding.on_error = [pulumi.ErrorHook(child_name(self._name, f"{role}-failed"), tell)]
        return binding

    def _record_switch(self, call: HookCall) -> None:
        update = self._update
        before = update.readers.flag_color(call.old) if call.old else None
        if before is update.plan.active_color:
            return
        rollback = update.overrides.rollback
        update.record(
            EventKind.SWITCH,
            before=str(before or "nothing"),
            after=update.described(update.plan.split),
            reason=rollback.reason if rollback and update.is_rollback else "",
        )
        left = update.data_plane.left_behind(before) if before else None
        if left is not None:
            call.say(f"{update.name}: {left}")
