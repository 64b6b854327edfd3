"""What a group has tried last; moto always says that it was nothing."""

from collections.abc import Iterable

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult

from tests.standins.aws_cloud.activities import activities_of
from tests.standins.aws_cloud.patching import Replacement
from tests.standins.aws_cloud.world import World

__all__ = ["patch"]

_MOST = 100


def patch(world: World) -> Iterable[Replacement]:
    """The one call; who is started and ended is noted where that is done."""
    yield Replacement(AutoScalingResponse, "describe_scaling_activities", _describe)


def _describe(self: AutoScalingResponse) -> ActionResult:
    groups = self.autoscaling_backend.autoscaling_groups
    name = self._get_param("AutoScalingGroupName")
    if name and name not in groups:
        raise ValidationError(
            f"AutoScalingGroup name not found - AutoScalingGroup {name} not found"
        )
    wanted = self._get_param("ActivityIds", [])
    found = [
        each
        for group in ([groups[name]] if name else groups.values())
        for each in activities_of(group)
        if not wanted or each.name in wanted
    ]
    latest = sorted(found, key=lambda each: each.number, reverse=True)
    most = int(self._get_param("MaxRecords") or _MOST)
    return ActionResult({"Activities": [each.described() for each in latest[:most]]})
