"""What every platform's service component has: its warnings, its outputs and their truth."""

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import pulumi

from bluegreen.colors import Color
from bluegreen.contract import OutputName, OverrideVariable
from bluegreen.errors import ConfigError
from bluegreen.gate_hooks import (
    HookCall,
    LiveFacts,
    PlaceGuard,
    ServiceHooks,
    Update,
    check_removed_colors,
    deliveries,
    delivery_problems,
    in_daemon_thread,
    report_if_asked,
    resource_hook,
    warn_of_unused_permissions,
)
from bluegreen.naming import child_name
from bluegreen.overrides import Overrides
from bluegreen.plan import ServicePlan, make_plan
from bluegreen.settings.config import ServiceConfig, misspelt_keys
from bluegreen.stack_config import written_keys

__all__ = ["ServiceComponent", "plan_of"]

_GUARD_SECONDS = 15.0
_GROUND_SECONDS = 300.0
"""A dozen questions, each with a time limit of its own."""


def plan_of(config: ServiceConfig) -> tuple[ServicePlan, Overrides]:
    """What the config asks for, and the permissions of this update.

    Raises:
        ConfigError: What it asks for contradicts itself; by the keys that were written.
    """
    overrides = Overrides.read(os.environ)
    try:
        return make_plan(config, overrides), overrides
    except ConfigError as error:
        raise ConfigError(f"{pulumi.get_project()}:{each}" for each in error.problems) from error


class ServiceComponent(pulumi.ComponentResource):
    """One service in two colors.

    A change of `active_color` updates the router, and after it the followers; nothing else.
    """

    active_color: pulumi.Output[str]
    """The color with production traffic, as the router has it."""

    idle_color: pulumi.Output[str]
    """The other one."""

    releases: pulumi.Output[dict[str, str]]
    """The release in each color that exists."""

    production_url: pulumi.Output[str]
    """Where clients go."""

    test_url: pulumi.Output[str]
    """Reaches the idle color."""

    guarantee: pulumi.Output[str]
    """The router's guarantee class."""

    rollback_command: pulumi.Output[str]
    """What to type to go back."""

    def __init__(
        self,
        token: str,
        name: str,
        update: Update,
        opts: pulumi.ResourceOptions | None,
        place: Mapping[str, pulumi.Input[str]] | None = None,
        standing: Mapping[str, pulumi.Input[Any]] | None = None,
        ground_guard: Callable[[HookCall], None] | None = None,
    ) -> None:
        """Registers the component.

        Args:
            token: Its type.
            name: Its name.
            update: What its hooks share.
            opts: Options of the resource.
            place: What cannot change without making the whole service anew, by its name.
            standing: What it stands on, and what may change, by its name.
            ground_guard: Asked whether it is so, before any of the parts is written.
        """
        properties = {**(place or {}), **(standing or {})}
        guarded = opts
        if properties:
            own = _guarded(name, place or {}, ground_guard)
            guarded = pulumi.ResourceOptions.merge(opts, own)
        super().__init__(token, name, properties, guarded)
        self._update = update
        self._tell_others()
        self._early_ends = check_removed_colors(update, is_preview=pulumi.runtime.is_dry_run())
        self._warn()
        self._hooks = ServiceHooks(update)

    def stack_outputs(self) -> dict[str, pulumi.Output[Any]]:
        """What every program of this library exports, by the names in the contract.

        Unlike the attributes they are known after a refusal too, and then say what is live.
        """
        live: dict[str, Callable[[LiveFacts], Any]] = {
            OutputName.ACTIVE_COLOR: lambda facts: str(facts.active_color),
            OutputName.IDLE_COLOR: lambda facts: str(facts.active_color.other),
            OutputName.RELEASES: lambda facts: facts.releases,
            OutputName.GUARANTEE: lambda _: self._live_guarantee(),
            OutputName.ROLLBACK_COMMAND: lambda facts: _rollback_command(facts.active_color.other),
            OutputName.PRODUCTION_URL: lambda _: self._live_production_url(),
            OutputName.TEST_URL: lambda _: self._live_test_url(),
        }
        truth = self._hooks.truth
        return {name: truth.output(getattr(self, name), live[name]) for name in OutputName}

    def _live_guarantee(self) -> str:
        """The router's guarantee class, for an update that was stopped."""
        raise NotImplementedError

    def _live_production_url(self) -> str | None:
        """Where clients go, as it is live."""
        raise NotImplementedError

    def _live_test_url(self) -> str | None:
        """What reaches the idle color, as it is live."""
        raise NotImplementedError

    def _tell_others(self) -> None:
        update = self._update
        events, root = update.settings.events, Path(pulumi.get_root_directory())
        update.stack = f"{pulumi.get_project()}/{pulumi.get_stack()}"
        update.deliveries = deliveries(events, os.environ, root)
        for problem in delivery_problems(events, os.environ, root):
            pulumi.log.warn(f"{update.name}: {problem}", self)

    def _warn(self) -> None:
        project = pulumi.get_project()
        warnings = [f"{self._update.name}: {each}" for each in self._update.plan.warnings]
        for warning in (*warnings, *misspelt_keys(project, written_keys(project))):
            pulumi.log.warn(warning, self)

    def _record_early_ends_after(self, flag_color: pulumi.Output[Any]) -> None:
        """What is not in the program any more ends last: after the flag nothing can refuse it."""
        # Beside the event loop: somebody may be told who takes his time.
        # Its type does not know of functions that are awaited.
        flag_color.apply(self._record_early_ends)  # type: ignore[arg-type]

    async def _record_early_ends(self, _: object) -> None:
        await in_daemon_thread("early-ends", self._early_ends.record)

    def _warn_of_unused_permissions(self, resources: Iterable[pulumi.Resource]) -> None:
        warn_of_unused_permissions(self._update, resources, self)

    def _set_outputs(
        self,
        *,
        active_color: pulumi.Output[str],
        guarantee: pulumi.Output[str],
        releases: Mapping[Color, pulumi.Output[str]],
        production_url: pulumi.Output[str],
        test_url: pulumi.Output[str],
    ) -> None:
        self.active_color = active_color
        self.idle_color = active_color.apply(lambda color: str(Color(color).other))
        self.releases = pulumi.Output.all(
            **{str(color): release for color, release in sorted(releases.items())}
        )
        self.production_url = production_url
        self.test_url = test_url
        self.guarantee = guarantee
        self.rollback_command = self.idle_color.apply(_rollback_command)
        self.register_outputs({name: getattr(self, name) for name in OutputName})
        report_if_asked(self._update, pulumi.Output.all(self.active_color, *releases.values()))


def _guarded(
    name: str, place: Collection[str], ground_guard: Callable[[HookCall], None] | None
) -> pulumi.ResourceOptions:
    place_guard = _component_hook(name, "place-guard", PlaceGuard(name, place), _GUARD_SECONDS)
    if ground_guard is None:
        hooks = pulumi.ResourceHookBinding(before_update=[place_guard])
    else:
        ground = _component_hook(name, "ground-guard", ground_guard, _GROUND_SECONDS)
        hooks = pulumi.ResourceHookBinding(
            before_create=[ground], before_update=[place_guard, ground]
        )
    return pulumi.ResourceOptions(hooks=hooks)


def _component_hook(
    name: str, role: str, judge: Callable[[HookCall], None], seconds: float
) -> pulumi.ResourceHook:
    return resource_hook(
        child_name(name, role),
        judge,
        timeout_seconds=seconds,
        in_preview=True,
        # A component's outputs are other things than its inputs.
        by_inputs=True,
    )


def _rollback_command(color: str) -> str:
    return (
        f"pulumi config set active_color {color} && "
        f"{OverrideVariable.ROLLBACK}='{color}:why' pulumi up"
    )
