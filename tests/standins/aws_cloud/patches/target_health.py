"""Target health by real checks; moto says that every target is healthy, at once and for ever."""

from collections.abc import Iterable
from typing import Any

from moto.ec2.models import EC2Backend
from moto.elbv2.exceptions import TargetGroupNotFoundError
from moto.elbv2.models import (
    ELBv2Backend,
    FakeHealthStatus,
    FakeTargetGroup,
    elbv2_backends,
)

from tests.standins.aws_cloud.health import Finding, TargetHealth
from tests.standins.aws_cloud.health_board import groups_in_use
from tests.standins.aws_cloud.patching import Replacement
from tests.standins.aws_cloud.world import World

__all__ = ["patch"]

_UNUSED = Finding(
    "Target.NotInUse",
    "Target group is not configured to receive traffic from the load balancer",
)
_STOPPED = Finding("Target.InvalidState", "Target is in the stopped state")
_DRAINING = Finding("Target.DeregistrationInProgress", "Target deregistration is in progress")
_UNKNOWN = Finding("Target.NotRegistered", "Target is not registered to the target group")


def patch(world: World) -> Iterable[Replacement]:
    """States, reasons, and the drain of targets that are taken out."""
    yield Replacement(FakeTargetGroup, "health_for", _health_for(world))
    yield Replacement(ELBv2Backend, "describe_target_health", _describe_target_health(world))
    yield Replacement(FakeTargetGroup, "register", _register(world))
    yield Replacement(FakeTargetGroup, "deregister", _deregister(world))
    yield Replacement(FakeTargetGroup, "deregister_terminated_instances", _terminated)


def _health_for(world: World) -> Any:
    def health_for(
        self: FakeTargetGroup, target: dict[str, Any], ec2_backend: EC2Backend
    ) -> FakeHealthStatus:
        state, finding = _state(world, self, target["Id"], ec2_backend)
        port = self.targets.get(target["Id"], target).get("Port", self.port)
        checked = str(port) if self.health_check_port == "traffic-port" else self.health_check_port
        reason = (finding.reason, finding.description) if finding else (None, None)
        return FakeHealthStatus(target["Id"], port, checked, state, *reason)

    return health_for


def _state(
    world: World, group: FakeTargetGroup, target_id: str, ec2_backend: EC2Backend
) -> tuple[str, Finding | None]:
    if target_id not in group.targets:
        if any(each["Id"] == target_id for each in world.health.draining(group)):
            return "draining", _DRAINING
        return "unused", _UNKNOWN
    instance = ec2_backend.get_instance_by_id(target_id)
    if instance and instance.state in ("stopping", "stopped"):
        return "unused", _STOPPED
    if group.arn not in groups_in_use(_backend(group)):
        return "unused", _UNUSED
    health = world.health.health_of(group, target_id) or TargetHealth()
    return health.state.value, health.finding


def _describe_target_health(world: World) -> Any:
    def describe_target_health(
        self: ELBv2Backend, target_group_arn: str, targets: list[dict[str, Any]]
    ) -> list[FakeHealthStatus]:
        group = self.target_groups.get(target_group_arn)
        if group is None:
            raise TargetGroupNotFoundError
        asked = targets or [*group.targets.values(), *world.health.draining(group)]
        return [group.health_for(target, self.ec2_backend) for target in asked]

    return describe_target_health


def _register(world: World) -> Any:
    original = FakeTargetGroup.register

    def register(self: FakeTargetGroup, targets: list[dict[str, Any]]) -> None:
        original(self, targets)
        for target in targets:
            world.health.registered(self, target["Id"])

    return register


def _deregister(world: World) -> Any:
    original = FakeTargetGroup.deregister

    def deregister(self: FakeTargetGroup, targets: list[dict[str, Any]]) -> None:
        known = dict(self.targets)
        original(self, targets)
        for target in targets:
            world.health.deregistered(self, known[target["Id"]])

    return deregister


def _terminated(self: FakeTargetGroup, instance_ids: list[str]) -> None:
    # They drain like those that are deregistered, and then nobody knows them any more.
    gone = [target for key, target in self.targets.items() if key in instance_ids]
    if gone:
        self.deregister(gone)


def _backend(group: FakeTargetGroup) -> ELBv2Backend:
    return elbv2_backends[group.account_id][group.region_name]
