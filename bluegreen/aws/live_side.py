"""Everything that asks AWS for one service, put together."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from bluegreen.aws.active_flag import LiveFlag
from bluegreen.aws.anchors import Anchors
from bluegreen.aws.aws_session import AwsSession
from bluegreen.aws.data_plane import AwsDataPlane
from bluegreen.aws.endpoints import Endpoints
from bluegreen.aws.event_journal import EventJournal
from bluegreen.aws.groups import Groups
from bluegreen.aws.later import Later
from bluegreen.aws.live_router import live_router
from bluegreen.aws.names import AwsNames
from bluegreen.aws.weights import property_weights, route_of
from bluegreen.colors import Color
from bluegreen.errors import DataPlaneError
from bluegreen.settings.service import ServiceSettings
from bluegreen.traffic import Route

__all__ = ["LiveSide"]


class LiveSide:
    """The service as it is live, and what of the program has to be known for asking it."""

    def __init__(
        self,
        settings: ServiceSettings,
        names: AwsNames,
        aws: AwsSession,
        load_balancer_arn: pulumi.Input[str],
    ) -> None:
        groups = Groups(aws, names)
        self.aws = aws
        self.anchors = Anchors(aws, groups, Later("the load balancer", load_balancer_arn))
        self.router = live_router(settings, aws, self.anchors)
        self.endpoints = Endpoints(settings)
        self.journal = EventJournal(aws, names)
        self.data_plane = AwsDataPlane(
            aws,
            self.anchors,
            groups,
            self.router,
            LiveFlag(aws, names),
            self.endpoints,
            propagation_seconds=settings.aws.propagation_seconds,
        )
        self._alarms: dict[Color, list[Later]] = {}

    def learn_target_groups(self, arns: Mapping[Color, pulumi.Output[str]]) -> None:
        """Takes the target groups, once their resources are part of the program."""
        self.anchors.learn(
            {color: Later(f"the target group of {color}", arn) for color, arn in arns.items()}
        )

    def learn_alarms(self, names: Mapping[Color, Sequence[pulumi.Output[str]]]) -> None:
        """Takes the names of the colors' own alarms."""
        for color, own in names.items():
            self._alarms[color] = [Later(f"an alarm of {color}", name) for name in own]

    def alarm_names(self, color: Color) -> list[str]:
        """The names of one color's own alarms; raises `DataPlaneError` when they are not known."""
        found = [name.get() for name in self._alarms.get(color, [])]
        if None in found:
            msg = f"the alarms of {color} are not made yet"
            raise DataPlaneError(msg)
        return [str(name) for name in found]

    def recorded_route(self, properties: Mapping[str, Any]) -> Route | None:
        """Reads the properties of the router's resource; None when no route of ours is in them."""
        actions = properties.get("defaultActions") or properties.get("actions") or []
        return route_of(property_weights(actions), self.anchors.target_groups() or {})
