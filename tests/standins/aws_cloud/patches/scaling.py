"""Groups grow and shrink as Auto Scaling does it; moto ends instances that are still targets."""

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup, InstanceState

from tests.standins.aws_cloud.activities import fails_to_launch, launches
from tests.standins.aws_cloud.groups import balance, launched_version, register, target_groups
from tests.standins.aws_cloud.machine_images import why_no_image
from tests.standins.aws_cloud.patching import Replacement
from tests.standins.aws_cloud.world import World

__all__ = ["patch"]

_RETRY_SECONDS = 20.0
"""Of AWS, until a start that was refused is tried again."""


def patch(world: World) -> Iterable[Replacement]:
    """How many there are, how each begins, and what it was made from."""
    yield Replacement(FakeAutoScalingGroup, "set_desired_capacity", _set_desired_capacity)
    yield Replacement(FakeAutoScalingGroup, "replace_autoscaling_group_instances", _launch(world))
    yield Replacement(InstanceState, "launch_template", property(_launch_template))
    yield Replacement(AutoScalingBackend, "update_attached_target_groups", _update_attached)
    yield Replacement(AutoScalingBackend, "detach_load_balancer_target_groups", _detach)


def _set_desired_capacity(self: FakeAutoScalingGroup, new_capacity: int | None) -> None:
    self.desired_capacity = self.min_size if new_capacity is None else new_capacity
    balance(self)


def _launch(world: World) -> Any:
    original = FakeAutoScalingGroup.replace_autoscaling_group_instances

    def launch(self: FakeAutoScalingGroup, count_needed: int, propagated_tags: Any) -> None:
        if _is_refused(self, world):
            return
        for _ in range(count_needed):
            with _only_subnet(self, _emptiest_subnet(self)):
                original(self, 1, propagated_tags)
            state = self.instance_states[-1]
            state.lifecycle_state = "Pending"
            state.made_from = launched_version(self)  # type: ignore[attr-defined]
            launches(self, state)

    return launch


def _is_refused(group: FakeAutoScalingGroup, world: World) -> bool:
    """Whether EC2 has nothing to start from, which was there when the group was told of it."""
    known = vars(group)
    if world.pace.now() < known.get("tries_again_at", 0.0):
        return True
    reason = why_no_image(group.ec2_backend, group.image_id)
    if reason is None:
        return False
    known["tries_again_at"] = world.pace.now() + world.pace.real(_RETRY_SECONDS)
    fails_to_launch(group, reason)
    return True


def _emptiest_subnet(group: FakeAutoScalingGroup) -> str | None:
    if group.vpc_zone_identifier is None:
        return None
    used = Counter(state.instance.subnet_id for state in group.instance_states)
    return min(group.vpc_zone_identifier.split(","), key=lambda name: used[name])


@contextlib.contextmanager
def _only_subnet(group: FakeAutoScalingGroup, subnet: str | None) -> Iterator[None]:
    """moto starts all in the first subnet of a group."""
    every, group.vpc_zone_identifier = group.vpc_zone_identifier, subnet
    try:
        yield
    finally:
        group.vpc_zone_identifier = every


def _launch_template(self: InstanceState) -> Any:
    """What it was launched from, and not what its group has now."""
    return getattr(self, "made_from", None)


def _update_attached(self: AutoScalingBackend, group_name: str) -> None:
    register(self.autoscaling_groups[group_name])


def _detach(self: AutoScalingBackend, group_name: str, target_group_arns: list[str]) -> None:
    group = self.autoscaling_groups[group_name]
    for each in target_groups(group):
        if each.arn in target_group_arns:
            own = [state.instance.id for state in group.instance_states]
            each.deregister([{"Id": name} for name in own if name in each.targets])
    group.target_group_arns = [
        arn for arn in group.target_group_arns if arn not in target_group_arns
    ]
