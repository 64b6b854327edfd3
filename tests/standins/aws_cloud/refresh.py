"""Instance refreshes: every instance of a group is replaced, a few at a time."""

import datetime
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.autoscaling.models import FakeAutoScalingGroup

__all__ = ["Refresh", "refreshes_of"]

_ACTIVE = ("Pending", "InProgress", "Cancelling")
_NUMBERS = itertools.count(1)


@dataclass
class Refresh:
    """One refresh, from its start to its end."""

    group_name: str
    preferences: Mapping[str, Any]
    waiting: list[str]
    """Ids of the instances that are still to be replaced."""

    size: int
    status: str = "InProgress"
    number: int = field(default_factory=lambda: next(_NUMBERS))
    started: datetime.datetime = field(default_factory=lambda: datetime.datetime.now(datetime.UTC))
    ended: datetime.datetime | None = None

    @property
    def name(self) -> str:
        """Its id in the API."""
        return f"00000000-0000-0000-0000-{self.number:012d}"

    @property
    def is_active(self) -> bool:
        """Whether it goes on."""
        return self.status in _ACTIVE

    @property
    def most_missing(self) -> int:
        """How many may be out of service at a time.

        One at least where none may be started ahead of time: it could not begin else.
        """
        percent = self._percent("MinHealthyPercentage", 90)
        return max(0 if self.most_more else 1, math.floor(self.size * (100 - percent) / 100))

    @property
    def most_more(self) -> int:
        """How many may be started before others are ended; one at least, if any."""
        percent = self._percent("MaxHealthyPercentage", 100) - 100
        return max(1, math.floor(self.size * percent / 100)) if percent > 0 else 0

    def _percent(self, name: str, default: int) -> int:
        given = self.preferences.get(name)
        return default if given is None else int(given)

    def end(self, status: str) -> None:
        """Goes on no more."""
        self.status, self.ended = status, datetime.datetime.now(datetime.UTC)

    def described(self) -> dict[str, Any]:
        """As DescribeInstanceRefreshes tells it."""
        done = self.size - len(self.waiting)
        return {
            "InstanceRefreshId": self.name,
            "AutoScalingGroupName": self.group_name,
            "Status": self.status,
            "StartTime": self.started,
            "EndTime": self.ended,
            "PercentageComplete": 100 * done // self.size if self.size else 100,
            "InstancesToUpdate": len(self.waiting),
            "Preferences": dict(self.preferences),
        }


def refreshes_of(group: FakeAutoScalingGroup) -> list[Refresh]:
    """All refreshes of a group, the oldest first."""
    found: list[Refresh] = vars(group).setdefault("refreshes", [])
    return found
