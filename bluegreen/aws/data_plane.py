"""The live side of a service on AWS, asked through its APIs."""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bluegreen.aws.active_flag import LiveFlag
from bluegreen.aws.anchors import Anchors
from bluegreen.aws.aws_session import AwsSession
from bluegreen.aws.endpoints import Endpoints
from bluegreen.aws.groups import Groups
from bluegreen.aws.live_router import LiveRouter
from bluegreen.aws.members import desired_of, readiness_of, release_of
from bluegreen.colors import Color
from bluegreen.gates.data_plane import Production
from bluegreen.gates.gate import Endpoint, Readiness
from bluegreen.traffic import Route, TrafficSplit

__all__ = ["AwsDataPlane"]


class AwsDataPlane:
    """Answers the gates' questions; implements `bluegreen.gates.data_plane.DataPlane`."""

    def __init__(
        self,
        aws: AwsSession,
        anchors: Anchors,
        groups: Groups,
        router: LiveRouter,
        flag: LiveFlag,
        endpoints: Endpoints,
        *,
        propagation_seconds: float,
    ) -> None:
        self._aws = aws
        self._anchors = anchors
        self._groups = groups
        self._router = router
        self._flag = flag
        self._endpoints = endpoints
        self._propagation_seconds = propagation_seconds
        self._following_since: tuple[TrafficSplit, float] | None = None

    def live_route(self) -> Route | None:
        """Who is active and who gets which share of production now."""
        return self._router.route()

    def readiness(self, color: Color) -> Readiness:
        """How many members of a color the load balancer sends requests to, of its template."""
        group = self._groups.of(color)
        if group is None:
            return readiness_of(None, [])
        is_short = len(group.get("Instances") or []) < desired_of(group)
        return readiness_of(
            group, self._targets(color), self._groups.activities(group) if is_short else ()
        )

    def release(self, color: Color) -> str | None:
        """The release that a color's members run now."""
        return release_of(self._groups.of(color))

    def sessions(self, color: Color) -> int | None:  # noqa: ARG002
        """None: a load balancer does not tell what a target group is working on."""
        return None

    def pinned_endpoint(self, color: Color) -> Endpoint:
        """The test listener, with the header that reaches one color."""
        return self._endpoints.pinned(color)

    def production(self) -> Production | None:
        """The address that was given, else nobody."""
        return self._endpoints.production()

    def control_view(self, wanted: TrafficSplit) -> tuple[bool, str]:
        """What the listener says, once it has said so for as long as the nodes may take."""
        without = [color for color, share in wanted if share and not self._healthy(color)]
        if without:
            self._following_since = None
            # It would send requests there all the same: without a healthy target it fails open.
            return False, f"the load balancer has no healthy member of {' and '.join(without)}"
        if self._following_since is None or self._following_since[0] != wanted:
            self._following_since = (wanted, time.monotonic())
        age = time.monotonic() - self._following_since[1]
        needed = self._propagation_seconds
        return age >= needed, (
            f"the {self._router.kind} says {wanted}, for {min(age, needed):.1f} of {needed:g} s"
        )

    def last_switch(self) -> datetime | None:
        """When the active flag last changed its color."""
        return self._flag.last_switch(self._made)

    def flagged(self) -> Color | None:
        """The color that the active flag names."""
        return self._flag.color()

    def left_behind(self, color: Color) -> str | None:  # noqa: ARG002
        """None: a load balancer routes requests, so kept connections follow; see docs/aws.md."""
        return None

    def _healthy(self, color: Color) -> bool:
        return any(
            (each.get("TargetHealth") or {}).get("State") == "healthy"
            for each in self._targets(color)
        )

    def _targets(self, color: Color) -> list[Mapping[str, Any]]:
        arn = self._anchors.target_group(color)
        if arn is None:
            return []
        answer = self._aws.call("elbv2", "describe_target_health", TargetGroupArn=arn)
        return list(answer.get("TargetHealthDescriptions") or [])

    def _made(self) -> datetime | None:
        """When the first of the service's groups was made."""
        groups = [group for color in Color if (group := self._groups.of(color)) is not None]
        return min((each["CreatedTime"] for each in groups), default=None)
