"""A service of this machine: two fleets of processes, one HAProxy, and gates between them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi

from bluegreen.colors import Color
from bluegreen.gate_hooks import PropertyReaders, ServiceHooks, Update
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
from bluegreen.service_component import ServiceComponent, plan_of
from bluegreen.settings.config import ServiceConfig
from bluegreen.settings.service import ServiceSettings

__all__ = ["ProcessService", "ProcessServiceArgs"]


@dataclass(frozen=True, kw_only=True)
class ProcessServiceArgs:
    """Inputs of `ProcessService`."""

    config: ServiceConfig
    """What the stack's config says; see `ServiceConfig.load`."""


class ProcessService(ServiceComponent):
    """One service in two colors on this machine.

    A change of `active_color` updates the router, and after it the active flag; nothing else.
    """

    def __init__(
        self, name: str, args: ProcessServiceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        self._run = _run_directory(args.config.service)
        self._service = args.config.service.name
        data_plane = _data_plane(args.config.service, self._run)
        update = _update(name, args.config, self._run, data_plane)
        super().__init__("bluegreen:index:ProcessService", name, update, opts)

        build = _Builder(update, self._hooks, self._run, pulumi.ResourceOptions(parent=self))
        build.anchors(ProxyGuard(update, data_plane))
        fleets = {color: build.fleet(color) for color in sorted(update.plan.split.colors)}
        router = build.router(fleets)
        flag = build.flag(router)
        self._record_early_ends_after(flag.color)
        for color in sorted(update.plan.fleets.keys() - fleets.keys()):
            fleets[color] = build.fleet(color, flag)

        members = [fleet.members for fleet in fleets.values()]
        self._warn_of_unused_permissions([*members, router.route])
        self._set_outputs(
            active_color=router.active_color,
            guarantee=router.guarantee,
            releases={color: fleet.release for color, fleet in fleets.items()},
            production_url=build.haproxy.production_url,
            test_url=build.haproxy.test_url,
        )

    def _live_guarantee(self) -> str:
        return GUARANTEE

    def _live_production_url(self) -> str | None:
        return self._live_url("production")

    def _live_test_url(self) -> str | None:
        return self._live_url("test")

    def _live_url(self, frontend: str) -> str | None:
        return live_url(self._run.haproxy_config, f"{self._service}-{frontend}")


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
    plan, overrides = plan_of(config)
    return Update(
        name=name,
        settings=service,
        plan=plan,
        overrides=overrides,
        data_plane=data_plane,
        journal=FileJournal(run.journal),
        gates=build_gates(
            service.gates,
            readiness_path=service.health_check.path,
            approval=config.approval,
        ),
        readers=PropertyReaders(route=route_of, fleet=fleet_state_of, flag_color=_flag_color),
    )


def _flag_color(properties: Mapping[str, Any]) -> Color | None:
    return Color.read(properties.get("color"))


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
