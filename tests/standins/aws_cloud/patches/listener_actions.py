"""Forward actions are checked before anything is changed; moto takes groups that do not exist."""

import inspect
from collections.abc import Iterable, Iterator
from typing import Any

from moto.elbv2.exceptions import (
    ActionTargetGroupNotFoundError,
    ELBClientError,
    ValidationError,
)
from moto.elbv2.models import ELBv2Backend

from tests.standins.aws_cloud.patching import Replacement
from tests.standins.aws_cloud.world import World

__all__ = ["patch"]

_MOST_GROUPS = 5
_MOST_WEIGHT = 999
_LONGEST_STICKINESS_SECONDS = 604_800

Actions = list[dict[str, Any]]


def patch(world: World) -> Iterable[Replacement]:
    """Every call that says where requests go."""
    for name in ("create_listener", "modify_listener", "create_rule", "modify_rule"):
        yield Replacement(ELBv2Backend, name, _checked(getattr(ELBv2Backend, name)))


def _checked(original: Any) -> Any:
    signature = inspect.signature(original)

    def checked(self: ELBv2Backend, *args: Any, **kwargs: Any) -> Any:
        given = signature.bind(self, *args, **kwargs).arguments
        for action in given.get("actions") or ():
            _check(self, _balancer_arn(given), action)
        return original(self, *args, **kwargs)

    return checked


def _balancer_arn(given: dict[str, Any]) -> str:
    """A listener's and a rule's ARN have that of their load balancer in them."""
    if "load_balancer_arn" in given:
        return str(given["load_balancer_arn"])
    arn = str(given.get("listener_arn") or given.get("rule_arn") or given["arn"])
    kind = ":listener-rule/" if ":listener-rule/" in arn else ":listener/"
    parts = arn.replace(kind, ":loadbalancer/").split("/")
    return "/".join(parts[:4])


def _check(backend: ELBv2Backend, balancer_arn: str, action: dict[str, Any]) -> None:
    if action.get("Type") != "forward":
        return
    config = action.get("ForwardConfig") or {}
    groups = config.get("TargetGroups") or []
    if not [*_group_arns(action)]:
        raise ValidationError("A target group must be specified for a forward action")
    if len(groups) > _MOST_GROUPS:
        msg = f"The number of target groups in a forward action cannot exceed {_MOST_GROUPS}"
        raise ValidationError(msg)
    for group in groups:
        if not 0 <= int(group.get("Weight", 1)) <= _MOST_WEIGHT:
            msg = f"Target group weight must be between 0 and {_MOST_WEIGHT}"
            raise ValidationError(msg)
    _check_stickiness(config.get("TargetGroupStickinessConfig") or {})
    for arn in _group_arns(action):
        _check_group(backend, balancer_arn, arn)


def _check_stickiness(config: dict[str, Any]) -> None:
    seconds = config.get("DurationSeconds")
    is_wrong = seconds is not None and not 1 <= int(seconds) <= _LONGEST_STICKINESS_SECONDS
    if is_wrong or (config.get("Enabled") and seconds is None):
        msg = f"Stickiness duration must be between 1 and {_LONGEST_STICKINESS_SECONDS} seconds"
        raise ValidationError(msg)


def _group_arns(action: dict[str, Any]) -> Iterator[str]:
    if "TargetGroupArn" in action:
        yield action["TargetGroupArn"]
    for group in (action.get("ForwardConfig") or {}).get("TargetGroups") or ():
        yield group["TargetGroupArn"]


def _check_group(backend: ELBv2Backend, balancer_arn: str, arn: str) -> None:
    group = backend.target_groups.get(arn)
    if group is None:
        raise ActionTargetGroupNotFoundError(arn)
    balancer = backend.load_balancers.get(balancer_arn)
    if balancer and group.vpc_id and group.vpc_id != balancer.vpc_id:
        msg = f"Target group '{arn}' is in another VPC than the load balancer"
        raise ELBClientError("InvalidConfigurationRequest", msg)
    if any(other != balancer_arn for other in group.load_balancer_arns):
        msg = f"Target groups cannot be associated with more than one load balancer: {arn}"
        raise ELBClientError("TargetGroupAssociationLimit", msg)
