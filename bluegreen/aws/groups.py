"""The Auto Scaling groups of one service, found by their tags."""

from collections.abc import Mapping
from typing import Any

from bluegreen.aws.aws_session import AwsSession
from bluegreen.aws.names import AwsNames
from bluegreen.colors import Color

__all__ = ["Groups"]

_ACTIVITIES = 5


class Groups:
    """Each method raises `DataPlaneError` without a usable answer."""

    def __init__(self, aws: AwsSession, names: AwsNames) -> None:
        self._aws = aws
        self._names = names

    def of(self, color: Color) -> Mapping[str, Any] | None:
        """The group of one color, with its instances; None when there is none."""
        found = self._aws.pages(
            "autoscaling",
            "describe_auto_scaling_groups",
            "AutoScalingGroups",
            Filters=self._names.group_filters(color),
        )
        # One that is being deleted says so.
        staying = [each for each in found if not each.get("Status")]
        return max(staying, key=lambda each: str(each.get("CreatedTime"))) if staying else None

    def activities(self, group: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """What a group has tried last, latest first."""
        answer = self._aws.call(
            "autoscaling",
            "describe_scaling_activities",
            AutoScalingGroupName=group["AutoScalingGroupName"],
            MaxRecords=_ACTIVITIES,
        )
        return list(answer.get("Activities") or [])
