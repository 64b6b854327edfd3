"""The ARNs of what the router refers to for ever: the load balancer and two target groups."""

from collections.abc import Mapping

from bluegreen.aws.aws_session import AwsSession
from bluegreen.aws.groups import Groups
from bluegreen.aws.later import Later, known
from bluegreen.aws.regions import elsewhere
from bluegreen.colors import Color
from bluegreen.errors import DataPlaneError

__all__ = ["Anchors"]


class Anchors:
    """As Pulumi knows them; before it does, as the colors' Auto Scaling groups have them.

    A color that is not in the config any more is asked about while the program is built, when
    nothing is known yet.
    """

    def __init__(self, aws: AwsSession, groups: Groups, load_balancer: Later) -> None:
        self._aws = aws
        self._groups = groups
        self._load_balancer = load_balancer
        self._target_groups: dict[Color, Later] = {}

    def learn(self, target_groups: Mapping[Color, Later]) -> None:
        """Takes the target groups, once their resources are part of the program."""
        self._target_groups = dict(target_groups)

    def load_balancer(self) -> str | None:
        """Its ARN; None in a preview that cannot know it."""
        try:
            arn = self._load_balancer.get()
        except DataPlaneError:
            found = self._behind_groups()
            if not found:
                raise
            arn = self._in_front_of(found)
        if wrong := elsewhere(arn, self._aws.known_region):
            msg = f"{wrong.problem}; {wrong.advice}"
            raise DataPlaneError(msg)
        return arn

    def target_groups(self) -> dict[Color, str] | None:
        """Their ARNs; None in a preview that cannot know them."""
        if not self._target_groups:
            return self._behind_groups()
        return known(self._target_groups)

    def target_group(self, color: Color) -> str | None:
        """The ARN of one; None where it is not known, or not there."""
        return (self.target_groups() or {}).get(color)

    def _in_front_of(self, target_groups: Mapping[Color, str]) -> str:
        answer = self._aws.call(
            "elbv2", "describe_target_groups", TargetGroupArns=list(target_groups.values())
        )
        arns = {arn for each in answer["TargetGroups"] for arn in each["LoadBalancerArns"]}
        if len(arns) != 1:
            msg = f"the target groups are behind {len(arns)} load balancers, not one"
            raise DataPlaneError(msg)
        return str(arns.pop())

    def _behind_groups(self) -> dict[Color, str]:
        found: dict[Color, str] = {}
        for color in Color:
            arns = (self._groups.of(color) or {}).get("TargetGroupARNs") or []
            if arns:
                found[color] = arns[0]
        return found
