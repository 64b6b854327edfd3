"""Makes the parts of a service on AWS; what depends on roles is decided by who calls it when."""

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from bluegreen.aws.active_flag import active_flag
from bluegreen.aws.alarms import color_alarms
from bluegreen.aws.alb_router import AlbRouter, AlbRouterArgs
from bluegreen.aws.asg_fleet import AsgFleet, AsgFleetArgs, template_state_of
from bluegreen.aws.event_journal import event_log
from bluegreen.aws.ground import Ground
from bluegreen.aws.live_router_guard import LiveRouterGuard
from bluegreen.aws.live_side import LiveSide
from bluegreen.aws.names import AwsNames
from bluegreen.aws.security_groups import members_group
from bluegreen.aws.target_groups import target_group
from bluegreen.aws.test_endpoint import (
    pinned_rule,
    pointer_rule,
    redirect_listener,
    test_listener,
    test_openings,
)
from bluegreen.colors import Color
from bluegreen.gate_hooks import ServiceHooks, Update
from bluegreen.naming import child_name

__all__ = ["ServiceParts"]


class ServiceParts:
    """One service's parts; the anchors are made at once, and never depend on roles."""

    def __init__(
        self,
        update: Update,
        hooks: ServiceHooks,
        names: AwsNames,
        ground: Ground,
        live: LiveSide,
        opts: pulumi.ResourceOptions,
    ) -> None:
        self._name = update.name
        self._settings = update.settings
        self._plan = update.plan
        self._hooks = hooks
        self._names = names
        self._ground = ground
        self._live = live
        self._opts = opts
        hooks_of_part = pulumi.ResourceOptions(hooks=hooks.part())
        self._part_opts = pulumi.ResourceOptions.merge(opts, hooks_of_part)
        self._target_groups = self._made_target_groups()
        self._test_listener = self._made_test_listener()
        self._members_groups = self._made_members_groups()
        self._anchors: list[pulumi.Resource] = [
            *self._target_groups.values(),
            self._test_listener,
            *self._pinned_rules(),
            *test_openings(self._name, self._settings, names, self._part_opts),
            *self._beside_the_way(),
        ]
        self._alarms()

    def fleet(self, color: Color, *after: pulumi.Resource) -> AsgFleet:
        """The members of one color."""
        seconds = self._settings.aws.ready_timeout_seconds
        args = AsgFleetArgs(
            settings=self._settings,
            plan=self._plan.fleets[color],
            names=self._names,
            target_group_arn=self._target_groups[color].arn,
            subnet_ids=self._ground.subnet_ids,
            security_group_ids=self._members_groups,
            hooks=self._hooks.fleet(color, ready_within_seconds=seconds),
            template_hooks=self._hooks.template(color, template_state_of),
            after=[*self._anchors, *after],
        )
        return AsgFleet(child_name(self._name, color), args, self._opts)

    def router(self, fleets: Mapping[Color, AsgFleet]) -> AlbRouter:
        """What moves production traffic."""
        args = AlbRouterArgs(
            settings=self._settings,
            names=self._names,
            route=self._plan.route,
            load_balancer_arn=self._ground.load_balancer_arn,
            target_group_arns={color: each.arn for color, each in self._target_groups.items()},
            certificate_arn=self._ground.certificate_arn,
            hooks=self._hooks.router(LiveRouterGuard(self._name, self._live.router)),
            after=[*self._anchors, *(fleet.members for fleet in fleets.values())],
        )
        return AlbRouter(self._name, args, self._opts)

    def flag(self, router: AlbRouter) -> aws.ssm.Parameter:
        """What tells jobs and other programs."""
        own = pulumi.ResourceOptions(depends_on=[router.route], hooks=self._hooks.flag())
        return active_flag(
            child_name(self._name, "flag"),
            self._names,
            self._plan.active_color,
            pulumi.ResourceOptions.merge(self._opts, own),
        )

    def test_pointer(self, flag: pulumi.Resource) -> None:
        """What reaches the idle color; the listener itself says that there is none yet."""
        idle = self._plan.idle_color
        if idle not in self._plan.fleets:
            return
        own = pulumi.ResourceOptions(depends_on=[flag])
        pointer_rule(
            child_name(self._name, "test"),
            self._names,
            self._test_listener,
            self._target_groups[idle],
            pulumi.ResourceOptions.merge(self._part_opts, own),
        )

    def _made_target_groups(self) -> dict[Color, aws.lb.TargetGroup]:
        groups = {
            color: target_group(
                child_name(self._name, color),
                self._settings,
                self._names,
                color,
                self._ground.vpc_id,
                self._part_opts,
            )
            for color in Color
        }
        self._live.learn_target_groups({color: each.arn for color, each in groups.items()})
        return groups

    def _made_test_listener(self) -> aws.lb.Listener:
        return test_listener(
            child_name(self._name, "test-listener"),
            self._settings,
            self._names,
            self._ground.load_balancer_arn,
            self._ground.certificate_arn,
            self._part_opts,
        )

    def _made_members_groups(self) -> list[pulumi.Input[str]]:
        given = self._settings.aws.instance_security_group_ids
        if given:
            return list(given)
        own = members_group(
            child_name(self._name, "members"),
            self._settings,
            self._names,
            self._ground.vpc_id,
            self._part_opts,
        )
        return [own.id]

    def _pinned_rules(self) -> list[pulumi.Resource]:
        return [
            pinned_rule(
                child_name(self._name, f"{color}-pinned"),
                self._names,
                color,
                self._test_listener,
                self._target_groups[color],
                self._part_opts,
            )
            for color in Color
        ]

    def _beside_the_way(self) -> list[pulumi.Resource]:
        """What no request passes: the log of events, and what sends clients to production."""
        made: list[pulumi.Resource] = []
        aws_settings = self._settings.aws
        if aws_settings.events_log_group is None:
            days = aws_settings.events_retention_days
            made.append(
                event_log(child_name(self._name, "events"), self._names, days, self._part_opts)
            )
        if aws_settings.redirect_http:
            made.append(
                redirect_listener(
                    child_name(self._name, "redirect"),
                    self._settings,
                    self._names,
                    self._ground.load_balancer_arn,
                    self._part_opts,
                )
            )
        return made

    def _alarms(self) -> None:
        settings = self._settings.aws.alarms
        if settings is None:
            return
        found = {
            color: color_alarms(
                child_name(self._name, color),
                self._names,
                color,
                settings,
                self._ground.load_balancer_arn,
                group,
                self._part_opts,
            )
            for color, group in self._target_groups.items()
        }
        self._live.learn_alarms({color: [one.name for one in own] for color, own in found.items()})
