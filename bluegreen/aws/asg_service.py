"""A service on AWS: two Auto Scaling groups, one load balancer's listener, gates between them."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from bluegreen.aws.active_flag import flag_color_of
from bluegreen.aws.advice import AwsAdvice
from bluegreen.aws.alarm_gate import AlarmGate
from bluegreen.aws.alb_router import GUARANTEE
from bluegreen.aws.asg_fleet import fleet_state_of
from bluegreen.aws.assumed_role import AssumedRole
from bluegreen.aws.aws_session import AwsAccess, AwsSession
from bluegreen.aws.endpoints import needs_balancer_name, production_url, test_url
from bluegreen.aws.ground import Ground, ground_of
from bluegreen.aws.ground_guard import GroundGuard
from bluegreen.aws.later import Later
from bluegreen.aws.launch import user_data_of
from bluegreen.aws.live_side import LiveSide
from bluegreen.aws.names import AwsNames, names_of
from bluegreen.aws.provider_access import access_of
from bluegreen.aws.regions import elsewhere
from bluegreen.aws.service_parts import ServiceParts
from bluegreen.aws.standing import place_of, standing_of
from bluegreen.aws.surroundings import Surroundings
from bluegreen.errors import ConfigError, DataPlaneError
from bluegreen.gate_hooks import PropertyReaders, Update
from bluegreen.gates import Gate, build_gates
from bluegreen.overrides import Overrides
from bluegreen.plan import ServicePlan
from bluegreen.service_component import ServiceComponent, plan_of
from bluegreen.settings.config import ServiceConfig
from bluegreen.settings.service import ServiceSettings

__all__ = ["AsgService", "AsgServiceArgs"]


@dataclass(frozen=True, kw_only=True)
class AsgServiceArgs:
    """Inputs of `AsgService`. What is given here goes before what the config says."""

    config: ServiceConfig
    """What the stack's config says; see `ServiceConfig.load`."""

    load_balancer_arn: pulumi.Input[str] | None = None
    """The Application Load Balancer; default `service.aws.load_balancer_arn`."""

    vpc_id: pulumi.Input[str] | None = None
    """VPC of the members; default `service.aws.vpc_id`."""

    subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None
    """Subnets of the members; default `service.aws.subnet_ids`."""

    certificate_arn: pulumi.Input[str] | None = None
    """Certificate of production and the test endpoint; default `service.aws.certificate_arn`."""

    region: str | None = None
    """The region of the provider in `opts`, if one is given there: the gates have to ask where it
    writes. Default: as the default provider, by `aws:region`, `AWS_REGION` and the profile."""

    profile: str | None = None
    """The profile of that provider; default `aws:profile`, else the normal chain."""

    roles: Sequence[AssumedRole] | None = None
    """The roles that that provider takes on; default `aws:assumeRole`. None at all: `()`."""


class AsgService(ServiceComponent):
    """One service in two colors on AWS.

    A change of `active_color` updates the listener, and after it the active flag and the test
    endpoint's pointer; nothing else.
    """

    def __init__(
        self,
        name: str,
        args: AsgServiceArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        settings = args.config.service
        plan, overrides = plan_of(args.config)
        with _by_written_key():
            ground = _ground(args)
            for fleet in plan.fleets.values():
                user_data_of(fleet, settings)
        stack = f"{pulumi.get_project()}/{pulumi.get_stack()}"
        names = names_of(settings.name, stack, settings.aws)
        session = AwsSession(_access(args))
        _check_region(ground, session)
        live = LiveSide(settings, names, session, ground.load_balancer_arn)
        self._live = live
        update = _update(name, args.config, plan, overrides, live)
        super().__init__(
            "bluegreen:index:AsgService",
            name,
            update,
            opts,
            place=place_of(settings, ground),
            standing=standing_of(settings, plan, names, ground),
            ground_guard=_ground_guard(settings, plan, names, session),
        )

        child = pulumi.ResourceOptions(parent=self)
        balancer_name = self._balancer_name(settings, ground, child)
        parts = ServiceParts(update, self._hooks, names, ground, live, child)
        fleets = {color: parts.fleet(color) for color in sorted(plan.split.colors)}
        router = parts.router(fleets)
        flag = parts.flag(router)
        parts.test_pointer(flag)
        self._record_early_ends_after(flag.version)
        for color in sorted(plan.fleets.keys() - fleets.keys()):
            fleets[color] = parts.fleet(color, flag)

        members = [fleet.members for fleet in fleets.values()]
        self._warn_of_unused_permissions([*members, router.route])
        # With a property of the router, so that they are not told before it is there.
        told = pulumi.Output.all(balancer_name, router.guarantee)
        self._set_outputs(
            active_color=router.active_color,
            guarantee=router.guarantee,
            releases={color: fleet.release for color, fleet in fleets.items()},
            production_url=told.apply(lambda known: production_url(settings, known[0])),
            test_url=told.apply(lambda known: test_url(settings, known[0])),
        )

    def _live_guarantee(self) -> str:
        return GUARANTEE

    def _live_production_url(self) -> str | None:
        try:
            return self._live.endpoints.clients()
        except DataPlaneError:
            return None

    def _live_test_url(self) -> str | None:
        try:
            return self._live.endpoints.test()
        except DataPlaneError:
            return None

    def _balancer_name(
        self, settings: ServiceSettings, ground: Ground, opts: pulumi.ResourceOptions
    ) -> pulumi.Input[str]:
        """The load balancer's own name, looked up where an address cannot do without."""
        if not needs_balancer_name(settings):
            return ""
        found = aws.lb.get_load_balancer_output(
            arn=ground.load_balancer_arn, opts=pulumi.InvokeOutputOptions(parent=opts.parent)
        )
        self._live.endpoints.learn(Later("the load balancer's name", found.dns_name))
        return found.dns_name


def _ground(args: AsgServiceArgs) -> Ground:
    return ground_of(
        args.config.service.aws,
        load_balancer_arn=args.load_balancer_arn,
        vpc_id=args.vpc_id,
        subnet_ids=args.subnet_ids,
        certificate_arn=args.certificate_arn,
    )


@contextlib.contextmanager
def _by_written_key() -> Iterator[None]:
    """Tells problems by the keys as they stand in the stack's config file."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{pulumi.get_project()}:{each}" for each in error.problems) from error


def _access(args: AsgServiceArgs) -> AwsAccess:
    return access_of(
        pulumi.Config("aws"), region=args.region, profile=args.profile, roles=args.roles
    )


def _check_region(ground: Ground, session: AwsSession) -> None:
    """Where it can be told at once; else the hooks tell it before anything moves."""
    wrong = elsewhere(ground.load_balancer_arn, session.known_region)
    if wrong is not None:
        key = f"{pulumi.get_project()}:service.aws.load_balancer_arn"
        raise ConfigError([f"{key}: {wrong.problem}; nothing was changed; {wrong.advice}"])


def _ground_guard(
    settings: ServiceSettings, plan: ServicePlan, names: AwsNames, session: AwsSession
) -> GroundGuard:
    image_keys = {
        color: "service.aws.image_id" if fleet.settings.image is None else f"{color}.image"
        for color, fleet in plan.fleets.items()
    }
    around = Surroundings(session, names, settings, image_keys)
    return GroundGuard(pulumi.get_project(), around)


def _update(
    name: str,
    config: ServiceConfig,
    plan: ServicePlan,
    overrides: Overrides,
    live: LiveSide,
) -> Update:
    return Update(
        name=name,
        settings=config.service,
        plan=plan,
        overrides=overrides,
        data_plane=live.data_plane,
        journal=live.journal,
        gates=_gates(config, live),
        advice=AwsAdvice(live.aws),
        readers=PropertyReaders(
            route=live.recorded_route, fleet=fleet_state_of, flag_color=flag_color_of
        ),
    )


def _gates(config: ServiceConfig, live: LiveSide) -> list[Gate]:
    service = config.service
    gates = list(
        build_gates(
            service.gates,
            readiness_path=service.health_check.path,
            approval=config.approval,
        )
    )
    settings = service.aws.alarm_gate
    if settings is not None:
        gates.append(AlarmGate(aws=live.aws, settings=settings, own_names=live.alarm_names))
    return gates
