"""A service of this machine: two fleets of processes, one HAProxy, and gates between them."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi

from bluegreen.colors import Color
from bluegreen.contract import OutputName, OverrideVariable
from bluegreen.errors import ConfigError
from bluegreen.gate_hooks import (
    LiveFacts,
    PropertyReaders,
    ServiceHooks,
    Update,
    check_removed_colors,
    warn_of_unused_permissions,
)
from bluegreen.gates import build_gates
from bluegreen.naming import child_name
from bluegreen.onprem.active_flag import ActiveFlag
from bluegreen.onprem.haproxy_config import live_url
from bluegreen.onprem.haproxy_data_plane import HaproxyDataPlane
from bluegreen.onprem.haproxy_router import GUARANTEE, HaproxyRouter, HaproxyRouterArgs, route_of
from bluegreen.onprem.journal import FileJournal
from bluegreen.onprem.local_haproxy import LocalHaproxy
from bluegreen.onprem.members import live_members
from bluegreen.onprem.ports import http_url
from bluegreen.onprem.process_fleet import ProcessFleet, ProcessFleetArgs, fleet_state_of
from bluegreen.onprem.proxy_guard import ProxyGuard
from bluegreen.onprem.run_directory import RunDirectory
from bluegreen.onprem.supervisor import Supervisor
from bluegreen.onprem.supervisord import Supervisord
from bluegreen.onprem.traffic_map import RoutedTraffic
from bluegreen.overrides import Overrides
from bluegreen.plan import ServicePlan, make_plan
from bluegreen.settings.config import ServiceConfig, misspelt_keys
from bluegreen.settings.service import ServiceSettings
from bluegreen.stack_config import written_keys

__all__ = ["ProcessService", "ProcessServiceArgs"]


@dataclass(frozen=True, kw_only=True)
class ProcessServiceArgs:
    """Inputs of `ProcessService`."""

    config: ServiceConfig
    """What the stack's config says; see `ServiceConfig.load`."""


class ProcessService(pulumi.ComponentResource):
    """One service in two colors on this machine.

    A change of `active_color` updates the router, and after it the active flag; nothing else.
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
        self, name: str, args: ProcessServiceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        run = _run_directory(args.config.service)
        data_plane = _data_plane(args.config.service, run)
        update = _update(name, args.config, run, data_plane)
        super().__init__("bluegreen:index:ProcessService", name, {}, opts)
        early_ends = check_removed_colors(update, is_preview=pulumi.runtime.is_dry_run())
        self._warn(update)

        hooks = ServiceHooks(update)
        build = _Builder(update, hooks, run, pulumi.ResourceOptions(parent=self))
        build.anchors(ProxyGuard(update, data_plane))
        fleets = {color: build.fleet(color) for color in sorted(update.plan.split.colors)}
        router = build.router(fleets)
        flag = build.flag(router)
        # What is not in the program any more ends last: after the flag nothing can refuse it.
        flag.color.apply(lambda _: early_ends.record())
        for color in sorted(update.plan.fleets.keys() - fleets.keys()):
            fleets[color] = build.fleet(color, flag)

        members = [fleet.members for fleet in fleets.values()]
        warn_of_unused_permissions(update, [*members, router.route], self)
        self._truth, self._run, self._service = hooks.truth, run, update.settings.name
        self._set_outputs(router, build.haproxy, fleets)

    def stack_outputs(self) -> dict[str, pulumi.Output[Any]]:
        """What every program of this library exports, by the names in the contract.

        Unlike the attributes they are known after a refusal too, and then say what is live.
        """
        live: dict[str, Callable[[LiveFacts], Any]] = {
            OutputName.ACTIVE_COLOR: lambda facts: str(facts.active_color),
            OutputName.IDLE_COLOR: lambda facts: str(facts.active_color.other),
            OutputName.RELEASES: lambda facts: facts.releases,
            OutputName.GUARANTEE: lambda _: GUARANTEE,
            OutputName.ROLLBACK_COMMAND: lambda facts: _rollback_command(facts.active_color.other),
            OutputName.PRODUCTION_URL: lambda _: self._live_url("production"),
            OutputName.TEST_URL: lambda _: self._live_url("test"),
        }
        return {name: self._truth.output(getattr(self, name), live[name]) for name in OutputName}

    def _live_url(self, frontend: str) -> str | None:
        return live_url(self._run.haproxy_config, f"{self._service}-{frontend}")

    def _warn(self, update: Update) -> None:
        project = pulumi.get_project()
        warnings = [f"{update.name}: {warning}" for warning in update.plan.warnings]
        for warning in (*warnings, *misspelt_keys(project, written_keys(project))):
            pulumi.log.warn(warning, self)

    def _set_outputs(
        self, router: HaproxyRouter, haproxy: LocalHaproxy, fleets: Mapping[Color, ProcessFleet]
    ) -> None:
        self.active_color = router.active_color
        self.idle_color = router.active_color.apply(lambda color: str(Color(color).other))
        self.releases = pulumi.Output.all(
            **{str(color): fleet.release for color, fleet in sorted(fleets.items())}
        )
        self.production_url = haproxy.production_url
        self.test_url = haproxy.test_url
        self.guarantee = router.guarantee
        self.rollback_command = self.idle_color.apply(_rollback_command)
        self.register_outputs({name: getattr(self, name) for name in OutputName})


def _plan(config: ServiceConfig, overrides: Overrides) -> ServicePlan:
    try:
        return make_plan(config, overrides)
    except ConfigError as error:
        raise ConfigError(f"{pulumi.get_project()}:{each}" for each in error.problems) from error


def _rollback_command(color: str) -> str:
    return (
        f"pulumi config set active_color {color} && "
        f"{OverrideVariable.ROLLBACK}='{color}:why' pulumi up"
    )


def _run_directory(service: ServiceSettings) -> RunDirectory:
    written = service.onprem.run_directory
    default = Path(".bluegreen", "run", pulumi.get_project(), pulumi.get_stack(), service.name)
    return RunDirectory(_absolute(Path(written) if written else default))


def _owner(service: ServiceSettings) -> str:
    """Who may use and remove the run directory."""
    return "/".join((pulumi.get_project(), pulumi.get_stack(), service.name))


def _absolute(path: Path) -> Path:
    return Path(pulumi.get_root_directory()) / path


def _data_plane(service: ServiceSettings, run: RunDirectory) -> HaproxyDataPlane:
    supervisord = Supervisord(run.path)
    return HaproxyDataPlane(
        stats_socket=str(run.stats_socket),
        master_socket=str(run.master_socket),
        map_path=run.traffic_map,
        map_key=service.name,
        traffic=RoutedTraffic.of_service(service.name),
        production_url=http_url(service.onprem.bind_address, service.port),
        test_url=http_url("127.0.0.1", service.onprem.test_port),
        flag_path=run.active_flag,
        members=lambda color: live_members(supervisord, color, service.onprem.ports_of(color)),
    )


def _update(
    name: str, config: ServiceConfig, run: RunDirectory, data_plane: HaproxyDataPlane
) -> Update:
    service = config.service
    overrides = Overrides.read(os.environ)
    return Update(
        name=name,
        settings=service,
        plan=_plan(config, overrides),
        overrides=overrides,
        data_plane=data_plane,
        journal=FileJournal(run.journal),
        gates=build_gates(service.gates, readiness_path=service.health_check.path),
        readers=PropertyReaders(route=route_of, fleet=fleet_state_of, flag_color=_flag_color),
    )


def _flag_color(properties: Mapping[str, Any]) -> Color | None:
    color = properties.get("color")
    return Color(color) if color in set(Color) else None


class _Builder:
    """Makes the service's parts; what depends on roles is decided by who calls it when."""

    haproxy: LocalHaproxy

    def __init__(
        self, update: Update, hooks: ServiceHooks, run: RunDirectory, opts: pulumi.ResourceOptions
    ) -> None:
        self._name = update.name
        self._settings = update.settings
        self._plan = update.plan
        self._hooks = hooks
        self._run = run
        self._opts = opts

    def anchors(self, guard: ProxyGuard) -> None:
        """What both colors stand on; asked for before anything else."""
        self._supervisor = Supervisor(
            child_name(self._name, "supervisor"), self._run.path, _owner(self._settings), self._opts
        )
        self.haproxy = LocalHaproxy(
            child_name(self._name, "haproxy"),
            self._settings,
            self._supervisor.run_directory,
            self._merged(pulumi.ResourceOptions(hooks=self._hooks.anchor(guard))),
            self._supervisor.owner,
        )

    def fleet(self, color: Color, *after: pulumi.Resource) -> ProcessFleet:
        args = ProcessFleetArgs(
            settings=self._settings,
            plan=self._plan.fleets[color],
            directory=_absolute(Path(self._settings.onprem.directory or ".")),
            run_directory=self._supervisor.run_directory,
            owner=self._supervisor.owner,
            hooks=self._hooks.fleet(color),
            after=[self.haproxy, *after],
        )
        return ProcessFleet(child_name(self._name, color), args, self._opts)

    def router(self, fleets: Mapping[Color, ProcessFleet]) -> HaproxyRouter:
        args = HaproxyRouterArgs(
            service=self._settings.name,
            route=self._plan.route,
            # Known before the proxy is made: else a preview of any change of the proxy would show
            # a change of the route as well.
            stats_socket=str(self._run.stats_socket),
            map_path=str(self._run.traffic_map),
            hooks=self._hooks.router(),
            after=[self.haproxy, *(fleet.members for fleet in fleets.values())],
        )
        return HaproxyRouter(self._name, args, self._opts)

    def flag(self, router: HaproxyRouter) -> ActiveFlag:
        active = self._plan.active_color
        return ActiveFlag(
            child_name(self._name, "flag"),
            path=self._run.active_flag,
            service=self._settings.name,
            color=active,
            release=self._plan.fleets[active].release,
            opts=self._merged(
                pulumi.ResourceOptions(depends_on=[router.route], hooks=self._hooks.flag())
            ),
        )

    def _merged(self, opts: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions.merge(self._opts, opts)
