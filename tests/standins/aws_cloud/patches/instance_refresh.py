"""Instance refreshes, which moto does not know: it answers with status 500."""

from collections.abc import Iterable, Mapping
from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import FakeAutoScalingGroup
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult

from tests.standins.aws_cloud.groups import launched_version, staying
from tests.standins.aws_cloud.patching import Replacement
from tests.standins.aws_cloud.refresh import Refresh, refreshes_of
from tests.standins.aws_cloud.world import World

__all__ = ["patch"]


def patch(world: World) -> Iterable[Replacement]:
    """The calls; `groups.tick` does the work."""
    yield Replacement(AutoScalingResponse, "start_instance_refresh", _start)
    yield Replacement(AutoScalingResponse, "describe_instance_refreshes", _describe)
    yield Replacement(AutoScalingResponse, "cancel_instance_refresh", _cancel)


def _start(self: AutoScalingResponse) -> ActionResult:
    group = _group(self)
    if any(each.is_active for each in refreshes_of(group)):
        msg = "An Instance Refresh is already in progress and blocks the execution of this one"
        raise AutoscalingClientError("InstanceRefreshInProgress", msg)
    preferences = self._get_param("Preferences", {})
    _check(preferences)
    present = staying(group)
    if preferences.get("SkipMatching"):
        wanted = launched_version(group)
        present = [state for state in present if state.launch_template != wanted]
    waiting = [state.instance_id for state in present]
    refresh = Refresh(group.name, preferences, waiting, len(staying(group)))
    refreshes_of(group).append(refresh)
    return ActionResult({"InstanceRefreshId": refresh.name})


def _check(preferences: Mapping[str, Any]) -> None:
    most = int(preferences.get("MaxHealthyPercentage") or 100)
    fewest = preferences.get("MinHealthyPercentage")
    if not 100 <= most <= 200:
        msg = f"MaxHealthyPercentage {most} is not between 100 and 200"
        raise ValidationError(msg)
    if fewest is not None and most - int(fewest) > 100:
        msg = "MaxHealthyPercentage may be at most 100 more than MinHealthyPercentage"
        raise ValidationError(msg)


def _describe(self: AutoScalingResponse) -> ActionResult:
    wanted = self._get_param("InstanceRefreshIds", [])
    found = [each for each in refreshes_of(_group(self)) if not wanted or each.name in wanted]
    return ActionResult({"InstanceRefreshes": [each.described() for each in reversed(found)]})


def _cancel(self: AutoScalingResponse) -> ActionResult:
    for each in refreshes_of(_group(self)):
        if each.is_active:
            each.end("Cancelled")
            return ActionResult({"InstanceRefreshId": each.name})
    msg = "No in progress or pending Instance Refresh found for the Auto Scaling group"
    raise AutoscalingClientError("ActiveInstanceRefreshNotFound", msg)


def _group(response: AutoScalingResponse) -> FakeAutoScalingGroup:
    name = response._get_param("AutoScalingGroupName")
    group = response.autoscaling_backend.autoscaling_groups.get(name)
    if group is None:
        raise ValidationError(f"AutoScalingGroup name not found - '{name}'")
    return group
