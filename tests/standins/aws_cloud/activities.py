"""What a group has tried: its scaling activities, which moto does not keep."""

import datetime
import itertools
from dataclasses import dataclass, field
from typing import Any

from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState

__all__ = [
    "Activity",
    "activities_of",
    "ends",
    "fails_to_launch",
    "has_ended",
    "launches",
    "serves",
]

_NUMBERS = itertools.count(1)


@dataclass
class Activity:
    """One instance that starts, is ended, or could not be started."""

    group_name: str
    description: str
    status: str
    instance: str = ""
    message: str = ""
    number: int = field(default_factory=lambda: next(_NUMBERS))
    started: datetime.datetime = field(default_factory=lambda: datetime.datetime.now(datetime.UTC))
    ended: datetime.datetime | None = None

    @property
    def name(self) -> str:
        """Its id in the API."""
        return f"00000000-0000-0000-0000-{self.number:012d}"

    def end(self, status: str) -> None:
        """It goes on no more."""
        self.status, self.ended = status, datetime.datetime.now(datetime.UTC)

    def described(self) -> dict[str, Any]:
        """As DescribeScalingActivities tells it."""
        return {
            "ActivityId": self.name,
            "AutoScalingGroupName": self.group_name,
            "Description": self.description,
            "Cause": "a difference between desired and actual capacity",
            "StartTime": self.started,
            "EndTime": self.ended,
            "StatusCode": self.status,
            "StatusMessage": self.message or None,
            "Progress": 100 if self.ended else 50,
        }


def activities_of(group: FakeAutoScalingGroup) -> list[Activity]:
    """All of a group, the oldest first."""
    found: list[Activity] = vars(group).setdefault("activities", [])
    return found


def launches(group: FakeAutoScalingGroup, state: InstanceState) -> None:
    """An instance was asked for, and starts."""
    name = str(state.instance.id)
    text = f"Launching a new EC2 instance: {name}"
    activities_of(group).append(Activity(group.name, text, "PreInService", name))


def fails_to_launch(group: FakeAutoScalingGroup, reason: str) -> None:
    """EC2 has refused an instance."""
    message = f"{reason} Launching EC2 instance failed."
    text = f"Launching a new EC2 instance.  Status Reason: {message}"
    failed = Activity(group.name, text, "Failed", message=message)
    failed.end("Failed")
    activities_of(group).append(failed)


def serves(group: FakeAutoScalingGroup, state: InstanceState) -> None:
    """An instance is in service."""
    _end_latest(group, state)


def ends(group: FakeAutoScalingGroup, state: InstanceState) -> None:
    """An instance is taken out, and drained first."""
    name = str(state.instance.id)
    text = f"Terminating EC2 instance: {name}"
    activity = Activity(group.name, text, "WaitingForELBConnectionDraining", name)
    activities_of(group).append(activity)


def has_ended(group: FakeAutoScalingGroup, state: InstanceState) -> None:
    """An instance is gone."""
    _end_latest(group, state)


def _end_latest(group: FakeAutoScalingGroup, state: InstanceState) -> None:
    for activity in reversed(activities_of(group)):
        if activity.instance == state.instance.id:
            if activity.ended is None:
                activity.end("Successful")
            return
