"""Which load balancers use a target group is read from their rules; moto's list goes stale."""

from collections.abc import Iterable

from moto.elbv2.models import FakeTargetGroup, elbv2_backends

from tests.standins.aws_cloud.patching import Replacement
from tests.standins.aws_cloud.world import World

__all__ = ["patch"]


def patch(world: World) -> Iterable[Replacement]:
    """`LoadBalancerArns` of DescribeTargetGroups, and what is looked up by them."""
    yield Replacement(FakeTargetGroup, "load_balancer_arns", property(_arns, _ignore))


def _arns(self: FakeTargetGroup) -> list[str]:
    backend = elbv2_backends[self.account_id][self.region_name]
    return [
        balancer.arn
        for balancer in backend.load_balancers.values()
        if any(
            self.arn in backend._get_target_group_arns_from(action.data)
            for listener in balancer.listeners.values()
            for rule in listener.rules.values()
            for action in rule.actions
        )
    ]


def _ignore(self: FakeTargetGroup, value: list[str]) -> None:
    """What moto itself wants to keep."""
