"""What carries production traffic, as it is at the load balancer now."""

from collections.abc import Mapping
from typing import Any, Protocol

from bluegreen.aws.anchors import Anchors
from bluegreen.aws.aws_session import AwsSession
from bluegreen.aws.weights import forward_weights, route_of
from bluegreen.errors import UnreadableTrafficError
from bluegreen.settings.aws import ListenerRuleSettings
from bluegreen.settings.service import ServiceSettings
from bluegreen.traffic import Route

__all__ = ["LiveListener", "LiveRouter", "LiveRule", "live_router"]

_Description = Mapping[str, Any]


class LiveRouter(Protocol):
    """The listener or the rule; each method raises `DataPlaneError` without a usable answer."""

    @property
    def kind(self) -> str:
        """What it is, for people."""

    def arn(self) -> str | None:
        """Its ARN; None before the first write."""

    def route(self) -> Route | None:
        """Who is active and who gets which share; None before the first write.

        Raises `UnreadableTrafficError` when it says what this library never wrote.
        """


def live_router(settings: ServiceSettings, aws: AwsSession, anchors: Anchors) -> LiveRouter:
    """The one that the settings ask for."""
    rule = settings.aws.rule
    if rule is None:
        return LiveListener(settings.port, aws, anchors)
    return LiveRule(rule, aws, anchors)


class LiveListener:
    """The listener of production, which is the only one of its load balancer on its port."""

    kind = "listener"

    def __init__(self, port: int, aws: AwsSession, anchors: Anchors) -> None:
        self._port = port
        self._aws = aws
        self._anchors = anchors

    def arn(self) -> str | None:
        """Its ARN; None before the first write."""
        found = self._found()
        return str(found["ListenerArn"]) if found else None

    def route(self) -> Route | None:
        """Who is active and who gets which share; None before the first write."""
        found = self._found()
        if found is None:
            return None
        what = f"the listener on port {self._port}"
        return _readable(what, found.get("DefaultActions") or [], self._anchors)

    def _found(self) -> _Description | None:
        balancer = self._anchors.load_balancer()
        if balancer is None:
            return None
        listeners = self._aws.pages(
            "elbv2", "describe_listeners", "Listeners", LoadBalancerArn=balancer
        )
        return next((each for each in listeners if each.get("Port") == self._port), None)


class LiveRule:
    """The rule of production on a shared load balancer: the one with a color's target group.

    Not only the one with the priority: that may be changed while it serves.
    """

    kind = "listener rule"

    def __init__(self, rule: ListenerRuleSettings, aws: AwsSession, anchors: Anchors) -> None:
        self._rule = rule
        self._aws = aws
        self._anchors = anchors

    def arn(self) -> str | None:
        """Its ARN; None before the first write."""
        found = self._found()
        return str(found["RuleArn"]) if found else None

    def route(self) -> Route | None:
        """Who is active and who gets which share; None before the first write."""
        found = self._found()
        if found is None:
            return None
        what = f"the listener rule with priority {found.get('Priority')}"
        return _readable(what, found.get("Actions") or [], self._anchors)

    def _found(self) -> _Description | None:
        rules = self._aws.pages(
            "elbv2", "describe_rules", "Rules", ListenerArn=self._rule.listener_arn
        )
        groups = set((self._anchors.target_groups() or {}).values())
        own = [each for each in rules if groups & set(_weights(each.get("Actions")))]
        at_priority = [each for each in rules if each.get("Priority") == str(self._rule.priority)]
        chosen = [each for each in own if each in at_priority] or own or at_priority
        return chosen[0] if chosen else None


def _weights(actions: Any) -> Mapping[str, int]:  # noqa: ANN401
    return forward_weights(actions or []) or {}


def _readable(what: str, actions: list[_Description], anchors: Anchors) -> Route:
    route = route_of(forward_weights(actions), anchors.target_groups() or {})
    if route is None:
        msg = f"{what} {_told(actions)}"
        raise UnreadableTrafficError(msg)
    return route


def _told(actions: list[_Description]) -> str:
    weights = forward_weights(actions)
    if weights is None:
        kinds = ", ".join(str(each.get("Type")) for each in actions) or "nothing"
        return f"does not forward to target groups: its actions are {kinds}"
    shares = ", ".join(f"{_name(arn)} {weight}" for arn, weight in weights.items())
    return f"forwards to other target groups than this service's: {shares}"


def _name(arn: str) -> str:
    """The readable part of a target group's ARN."""
    parts = arn.split("/")
    return parts[1] if len(parts) > 1 else arn
