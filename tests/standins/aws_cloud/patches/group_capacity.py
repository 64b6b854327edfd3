"""The desired capacity of a group stays within its bounds; moto takes any number."""

from collections.abc import Iterable
from typing import Any

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup

from tests.standins.aws_cloud.patching import Replacement
from tests.standins.aws_cloud.world import World

__all__ = ["patch"]


def patch(world: World) -> Iterable[Replacement]:
    """Groups that are made, changed, and told a capacity."""
    yield Replacement(AutoScalingBackend, "create_auto_scaling_group", _create())
    yield Replacement(FakeAutoScalingGroup, "update", _update())
    yield Replacement(AutoScalingBackend, "set_desired_capacity", _set_desired())


def _create() -> Any:
    original = AutoScalingBackend.create_auto_scaling_group

    def create(self: AutoScalingBackend, *args: Any, **kwargs: Any) -> FakeAutoScalingGroup:
        _check(kwargs["desired_capacity"], int(kwargs["min_size"]), int(kwargs["max_size"]))
        return original(self, *args, **kwargs)

    return create


def _update() -> Any:
    original = FakeAutoScalingGroup.update

    def update(self: FakeAutoScalingGroup, *args: Any, **kwargs: Any) -> None:
        least = _given(kwargs["min_size"], self.min_size)
        most = _given(kwargs["max_size"], self.max_size)
        _check(kwargs["desired_capacity"], least, most)
        desired = _given(kwargs["desired_capacity"], self.desired_capacity)
        original(self, *args, **kwargs | {"desired_capacity": min(max(desired, least), most)})

    return update


def _set_desired() -> Any:
    original = AutoScalingBackend.set_desired_capacity

    def set_desired_capacity(
        self: AutoScalingBackend, group_name: str, desired_capacity: int | None
    ) -> None:
        group = self.autoscaling_groups.get(group_name)
        if group is None:
            raise ValidationError("AutoScalingGroup name not found - null")
        if desired_capacity is not None:
            _check_one(desired_capacity, _given(None, group.min_size), _given(None, group.max_size))
        original(self, group_name, desired_capacity)

    return set_desired_capacity


def _given(new: int | str | None, old: int | None) -> int:
    return int(old or 0) if new is None else int(new)


def _check(desired: int | str | None, least: int, most: int) -> None:
    if least > most:
        msg = f"Max bound, {most}, must be greater than or equal to min bound, {least}"
        raise ValidationError(msg)
    if desired is not None and not least <= int(desired) <= most:
        msg = (
            f"Desired capacity:{desired} must be between the specified min size:{least} "
            f"and max size:{most}"
        )
        raise ValidationError(msg)


def _check_one(desired: int, least: int, most: int) -> None:
    bound = f"above max value {most}" if desired > most else f"below min value {least}"
    if not least <= desired <= most:
        msg = f"New SetDesiredCapacity value {desired} is {bound} for the AutoScalingGroup."
        raise ValidationError(msg)
