"""A group's name is its own, and what it refers to exists; moto replaces it, or leaves half."""

from collections.abc import Iterable
from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import EmptyResult

from tests.standins.aws_cloud.groups import end_all
from tests.standins.aws_cloud.patching import Replacement
from tests.standins.aws_cloud.world import World

__all__ = ["patch"]


def patch(world: World) -> Iterable[Replacement]:
    """Groups that are made and deleted."""
    yield Replacement(AutoScalingBackend, "create_auto_scaling_group", _create())
    yield Replacement(AutoScalingResponse, "delete_auto_scaling_group", _delete)


def _create() -> Any:
    original = AutoScalingBackend.create_auto_scaling_group

    def create(self: AutoScalingBackend, *args: Any, **kwargs: Any) -> FakeAutoScalingGroup:
        name = kwargs["name"]
        if name in self.autoscaling_groups:
            msg = f"AutoScalingGroup by this name already exists - {name}"
            raise AutoscalingClientError("AlreadyExists", msg)
        for arn in kwargs["target_group_arns"]:
            if arn not in self.elbv2_backend.target_groups:
                msg = f"Provided Target Groups may not be valid. Please ensure they exist: {arn}"
                raise ValidationError(msg)
        return original(self, *args, **kwargs)

    return create


def _delete(self: AutoScalingResponse) -> EmptyResult:
    backend = self.autoscaling_backend
    name = self._get_param("AutoScalingGroupName")
    group = backend.autoscaling_groups.get(name)
    if group is None:
        raise ValidationError(f"AutoScalingGroup name not found - '{name}'")
    if group.instance_states and not self._get_bool_param("ForceDelete", if_none=False):
        msg = (
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot "
            "instance request(s) still in the group."
        )
        raise AutoscalingClientError("ResourceInUse", msg)
    end_all(group)
    del backend.autoscaling_groups[name]
    return EmptyResult()
