"""A service on Kubernetes: two Deployments, one router, and gates between them."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.core.v1 import ConfigMap, Service

from bluegreen.colors import Color
from bluegreen.errors import BlueGreenError
from bluegreen.gate_hooks import PropertyReaders, ServiceHooks, Update
from bluegreen.gates import build_gates
from bluegreen.kubernetes.active_flag import FlagData, active_flag, flag_color_of
from bluegreen.kubernetes.cluster import Cluster, ClusterAccess
from bluegreen.kubernetes.color_service import color_service, test_service
from bluegreen.kubernetes.data_plane import KubernetesDataPlane
from bluegreen.kubernetes.deployment_fleet import (
    DeploymentFleet,
    DeploymentFleetArgs,
    fleet_state_of,
)
from bluegreen.kubernetes.event_journal import EventJournal
from bluegreen.kubernetes.http_route_router import HttpRouteRouter, weights_route
from bluegreen.kubernetes.live_http_route import LiveHttpRoute
from bluegreen.kubernetes.live_object_guard import LiveObjectGuard
from bluegreen.kubernetes.live_router import LiveRouter
from bluegreen.kubernetes.live_service import LiveService
from bluegreen.kubernetes.names import ObjectNames
from bluegreen.kubernetes.replica_owner import ReplicaOwner
from bluegreen.kubernetes.router_args import KubernetesRouterArgs
from bluegreen.kubernetes.service_router import GUARANTEE, ServiceRouter, selector_route
from bluegreen.naming import child_name
from bluegreen.overrides import Overrides
from bluegreen.plan import ServicePlan
from bluegreen.service_component import ServiceComponent, plan_of
from bluegreen.settings.config import ServiceConfig
from bluegreen.settings.kubernetes import RouterMechanism
from bluegreen.settings.service import ServiceSettings

__all__ = ["DeploymentService", "DeploymentServiceArgs"]


@dataclass(frozen=True, kw_only=True)
class DeploymentServiceArgs:
    """Inputs of `DeploymentService`."""

    config: ServiceConfig
    """What the stack's config says; see `ServiceConfig.load`."""

    kubeconfig: str | None = None
    """Path or content of the kubeconfig of the provider in `opts`, if one is given there: the gates
    have to ask the cluster that it writes to. Default: as the default provider, which goes by
    `kubernetes:kubeconfig`, `KUBECONFIG` and `~/.kube/config`."""

    context: str | None = None
    """The context of that kubeconfig; default `kubernetes:context`, else the current one."""


class DeploymentService(ServiceComponent):
    """One service in two colors on Kubernetes.

    A change of `active_color` updates the router, and after it the active flag and the test
    Service; nothing else.
    """

    def __init__(
        self,
        name: str,
        args: DeploymentServiceArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        settings = args.config.service
        plan, overrides = plan_of(args.config)
        cluster = Cluster(_access(args))
        self._names = ObjectNames(settings.name, _namespace(settings, cluster))
        self._settings = settings
        live = _live_router(settings, cluster, self._names, may_adopt=len(plan.fleets) == 1)
        update = _update(name, args.config, plan, overrides, cluster, self._names, live)
        place = {
            "namespace": self._names.namespace,
            "router": str(settings.kubernetes.router),
            "service": settings.name,
        }
        super().__init__("bluegreen:index:DeploymentService", name, update, opts, place)

        build = _Builder(
            update, self._hooks, cluster, self._names, pulumi.ResourceOptions(parent=self)
        )
        build.anchors()
        fleets = {color: build.fleet(color) for color in sorted(plan.split.colors)}
        router = build.router(fleets, live)
        flag = build.flag(router, FlagData(cluster, self._names))
        build.test_endpoint(flag)
        self._record_early_ends_after(flag.metadata)
        for color in sorted(plan.fleets.keys() - fleets.keys()):
            fleets[color] = build.fleet(color, flag)

        members = [fleet.members for fleet in fleets.values()]
        self._warn_of_unused_permissions([*members, router.route])
        self._set_outputs(
            active_color=router.active_color,
            guarantee=router.guarantee,
            releases={color: fleet.release for color, fleet in fleets.items()},
            # Properties of the router, so that they are not told before it is there.
            production_url=router.guarantee.apply(lambda _: self._live_production_url()),
            test_url=router.guarantee.apply(lambda _: self._live_test_url()),
        )

    def _live_guarantee(self) -> str:
        # Of both routers.
        return GUARANTEE

    def _live_production_url(self) -> str:
        given = self._settings.kubernetes.production_url
        gateway = self._settings.kubernetes.gateway
        if given is not None:
            return given
        if self._settings.kubernetes.router is RouterMechanism.SERVICE or gateway is None:
            return _service_url(self._names, self._settings, self._names.production)
        if gateway.hostnames:
            return f"http://{gateway.hostnames[0]}"
        return f"the address of Gateway {gateway.namespace or self._names.namespace}/{gateway.name}"

    def _live_test_url(self) -> str:
        return _service_url(self._names, self._settings, self._names.test)


def _live_router(
    settings: ServiceSettings, cluster: Cluster, names: ObjectNames, *, may_adopt: bool
) -> LiveRouter:
    if settings.kubernetes.router is RouterMechanism.HTTP_ROUTE:
        return LiveHttpRoute(cluster, names)
    return LiveService(cluster, names, may_adopt=may_adopt)


def _service_url(names: ObjectNames, settings: ServiceSettings, service: str) -> str:
    port = "" if settings.port == 80 else f":{settings.port}"  # noqa: PLR2004  # the one of HTTP
    return f"http://{service}.{names.namespace}.svc{port}"


def _access(args: DeploymentServiceArgs) -> ClusterAccess:
    provider = pulumi.Config("kubernetes")
    return ClusterAccess(
        kubeconfig=args.kubeconfig or provider.get("kubeconfig"),
        context=args.context or provider.get("context"),
    )


def _namespace(settings: ServiceSettings, cluster: Cluster) -> str:
    """As the provider finds it."""
    written = settings.kubernetes.namespace or pulumi.Config("kubernetes").get("namespace")
    if written:
        return written
    try:
        return cluster.namespace
    except BlueGreenError:
        # A preview without a cluster, in a pull request's pipeline.
        return "default"


def _update(
    name: str,
    config: ServiceConfig,
    plan: ServicePlan,
    overrides: Overrides,
    cluster: Cluster,
    names: ObjectNames,
    live: LiveRouter,
) -> Update:
    service = config.service
    return Update(
        name=name,
        settings=service,
        plan=plan,
        overrides=overrides,
        data_plane=KubernetesDataPlane(cluster, names, service, live),
        journal=EventJournal(cluster, names, live),
        gates=build_gates(
            service.gates,
            readiness_path=service.health_check.path,
            approval=config.approval,
        ),
        readers=PropertyReaders(
            route=_READERS[service.kubernetes.router],
            fleet=fleet_state_of,
            flag_color=flag_color_of,
        ),
    )


_Router = ServiceRouter | HttpRouteRouter
_ROUTERS: Mapping[RouterMechanism, type[_Router]] = {
    RouterMechanism.SERVICE: ServiceRouter,
    RouterMechanism.HTTP_ROUTE: HttpRouteRouter,
}
_READERS = {
    RouterMechanism.SERVICE: selector_route,
    RouterMechanism.HTTP_ROUTE: weights_route,
}


class _Builder:
    """Makes the service's parts; what depends on roles is decided by who calls it when."""

    def __init__(
        self,
        update: Update,
        hooks: ServiceHooks,
        cluster: Cluster,
        names: ObjectNames,
        opts: pulumi.ResourceOptions,
    ) -> None:
        self._name = update.name
        self._settings = update.settings
        self._plan: ServicePlan = update.plan
        self._hooks = hooks
        self._cluster = cluster
        self._names = names
        self._opts = opts
        self._anchors: list[Service] = []

    def anchors(self) -> None:
        """The color-pinned Services: both, for ever, before anything that depends on roles."""
        self._anchors = [
            color_service(
                child_name(self._name, color), self._settings, self._names, color, self._opts
            )
            for color in Color
        ]

    def fleet(self, color: Color, *after: pulumi.Resource) -> DeploymentFleet:
        seconds = self._settings.kubernetes.ready_timeout_seconds
        plan = self._plan.fleets[color]
        owner = ReplicaOwner(self._name, self._cluster, self._names, plan)
        args = DeploymentFleetArgs(
            settings=self._settings,
            plan=plan,
            names=self._names,
            hooks=self._hooks.fleet(color, owner=owner, ready_within_seconds=seconds),
            autoscaler_hooks=self._hooks.autoscaler(color, owner) if plan.autoscaling else None,
            after=[*self._anchors, *after],
        )
        return DeploymentFleet(child_name(self._name, color), args, self._opts)

    def router(self, fleets: Mapping[Color, DeploymentFleet], live: LiveRouter) -> _Router:
        args = KubernetesRouterArgs(
            settings=self._settings,
            names=self._names,
            route=self._plan.route,
            hooks=self._hooks.router(LiveObjectGuard(self._name, live)),
            after=[*self._anchors, *(each for fleet in fleets.values() for each in fleet.carriers)],
        )
        return _ROUTERS[self._settings.kubernetes.router](self._name, args, self._opts)

    def flag(self, router: _Router, data: FlagData) -> ConfigMap:
        return active_flag(
            child_name(self._name, "flag"),
            self._names,
            self._plan.active_color,
            self._merged(
                pulumi.ResourceOptions(depends_on=[router.route], hooks=self._hooks.flag(data))
            ),
        )

    def test_endpoint(self, flag: ConfigMap) -> Service:
        """The pointer to the idle color."""
        return test_service(
            child_name(self._name, "test"),
            self._settings,
            self._names,
            self._plan.idle_color,
            [flag],
            self._opts,
        )

    def _merged(self, opts: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions.merge(self._opts, opts)
