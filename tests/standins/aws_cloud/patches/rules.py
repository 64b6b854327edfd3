"""Rules in the order of their priorities; the default rule is the listener's own."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from moto.elbv2.exceptions import ELBClientError, RuleNotFoundError, ValidationError
from moto.elbv2.models import ELBv2Backend, FakeListener, FakeRule

from tests.standins.aws_cloud.patching import Replacement
from tests.standins.aws_cloud.world import World

__all__ = ["patch"]

_LAST_PRIORITY = 50_000


def patch(world: World) -> Iterable[Replacement]:
    """What moto lists, takes and deletes too readily."""
    yield Replacement(FakeListener, "rules", property(_rules))
    yield Replacement(ELBv2Backend, "create_rule", _create_rule())
    yield Replacement(ELBv2Backend, "modify_rule", _modify_rule())
    yield Replacement(ELBv2Backend, "delete_rule", _delete_rule())


def _rules(self: FakeListener) -> dict[Any, Any]:
    own = sorted(self._non_default_rules.items(), key=lambda item: int(item[1].priority))
    return OrderedDict([*own, *self._default_rule.items()])


def _create_rule() -> Any:
    original = ELBv2Backend.create_rule

    def create_rule(
        self: ELBv2Backend,
        listener_arn: str,
        conditions: list[dict[str, Any]],
        priority: int,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        if not 1 <= int(priority) <= _LAST_PRIORITY:
            msg = f"Priority '{priority}' must be in the range 1 to {_LAST_PRIORITY}"
            raise ValidationError(msg)
        return original(self, listener_arn, conditions, priority, *args, **kwargs)

    return create_rule


def _modify_rule() -> Any:
    original = ELBv2Backend.modify_rule

    def modify_rule(self: ELBv2Backend, rule_arn: str, *args: Any, **kwargs: Any) -> Any:
        _check(self, rule_arn, "modified")
        return original(self, rule_arn, *args, **kwargs)

    return modify_rule


def _delete_rule() -> Any:
    original = ELBv2Backend.delete_rule

    def delete_rule(self: ELBv2Backend, arn: str) -> None:
        _check(self, arn, "deleted")
        original(self, arn)

    return delete_rule


def _check(backend: ELBv2Backend, arn: str, verb: str) -> None:
    for balancer in backend.load_balancers.values():
        for listener in balancer.listeners.values():
            for rule in listener.rules.values():
                if rule.arn == arn:
                    _check_is_own(rule, verb)
                    return
    raise RuleNotFoundError


def _check_is_own(rule: FakeRule, verb: str) -> None:
    if rule.is_default:
        msg = f"Default rule '{rule.arn}' cannot be {verb}"
        raise ELBClientError("OperationNotPermitted", msg)
