"""What listeners ask for, read from moto's load balancers: plain values for the proxy."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from moto.elbv2.models import ELBv2Backend, FakeListener

from tests.standins.aws_cloud.conditions import Condition, conditions_of
from tests.standins.aws_cloud.health_board import HealthBoard
from tests.standins.gateway.routing import Endpoints

__all__ = ["FixedResponse", "Forward", "Listener", "Redirect", "Routing", "Rule", "routing_of"]


@dataclass(frozen=True)
class Forward:
    """Weights by target group, in the order of the action."""

    shares: tuple[tuple[str, int], ...]
    sticky_seconds: int = 0
    """How long a client stays with its target group; 0 if it does not."""


@dataclass(frozen=True)
class FixedResponse:
    """An answer of the load balancer's own."""

    status: int
    content_type: str
    body: str


@dataclass(frozen=True)
class Redirect:
    """Where to; the parts may have `#{host}` and the like in them."""

    status: int
    protocol: str
    host: str
    port: str
    path: str
    query: str


Action = Forward | FixedResponse | Redirect


@dataclass(frozen=True)
class Rule:
    """One rule of a listener; the default rule has no conditions."""

    key: str
    """What the proxy looks its shares up by."""

    conditions: tuple[Condition, ...]
    action: Action


@dataclass(frozen=True)
class Listener:
    """A listener and its rules, in the order in which they are tried."""

    balancer: str
    """ARN of its load balancer."""

    arn: str
    protocol: str
    port: int
    """The one that it has in AWS."""

    rules: tuple[Rule, ...]

    @property
    def name(self) -> str:
        """What the proxy calls it."""
        return "listener-" + self.arn.rpartition("/")[2]


@dataclass(frozen=True)
class Routing:
    """Everything the proxy must do."""

    listeners: tuple[Listener, ...] = ()
    endpoints: Mapping[str, Endpoints] = field(default_factory=dict)
    """Of each target group in use, by its name in the proxy."""


def routing_of(backends: Sequence[ELBv2Backend], health: HealthBoard) -> Routing:
    """Reads what all listeners of all regions ask for."""
    listeners = tuple(each for backend in backends for each in _listeners(backend))
    used = {
        name
        for listener in listeners
        for rule in listener.rules
        if isinstance(rule.action, Forward)
        for name, _ in rule.action.shares
    }
    endpoints = {
        _name(group.arn): _endpoints(health, group)
        for backend in backends
        for group in backend.target_groups.values()
        if _name(group.arn) in used
    }
    return Routing(listeners, endpoints)


def _listeners(backend: ELBv2Backend) -> Iterator[Listener]:
    for balancer in backend.load_balancers.values():
        for listener in balancer.listeners.values():
            rules = tuple(_rules(listener))
            yield Listener(balancer.arn, listener.arn, listener.protocol, int(listener.port), rules)


def _rules(listener: FakeListener) -> Iterator[Rule]:
    own = listener.arn.rpartition("/")[2]
    for rule in listener.rules.values():
        last = "default" if rule.is_default else rule.arn.rpartition("/")[2]
        yield Rule(f"{own}.{last}", conditions_of(rule.conditions), _action(rule.actions))


def _action(actions: Sequence[Any]) -> Action:
    # Authentication may stand before it; the last one answers.
    data = actions[-1].data
    if data["Type"] == "fixed-response":
        config = data["FixedResponseConfig"]
        body = config.get("MessageBody") or ""
        return FixedResponse(
            int(config["StatusCode"]), config.get("ContentType") or "text/plain", body
        )
    if data["Type"] == "redirect":
        return _redirect(data["RedirectConfig"])
    config = data["ForwardConfig"]
    sticky = config.get("TargetGroupStickinessConfig") or {}
    is_sticky = str(sticky.get("Enabled")).lower() == "true"
    return Forward(
        tuple(
            (_name(each["TargetGroupArn"]), int(each["Weight"])) for each in config["TargetGroups"]
        ),
        int(sticky["DurationSeconds"]) if is_sticky else 0,
    )


def _redirect(config: Mapping[str, Any]) -> Redirect:
    return Redirect(
        status=301 if config["StatusCode"] == "HTTP_301" else 302,
        protocol=config.get("Protocol") or "#{protocol}",
        host=config.get("Host") or "#{host}",
        port=str(config.get("Port") or "#{port}"),
        path=config.get("Path") or "/#{path}",
        query=config.get("Query") or "#{query}",
    )


def _name(group_arn: str) -> str:
    # The number alone would do; with the name the proxy's own figures can be read.
    return "_".join(group_arn.split("/")[-2:])


def _endpoints(health: HealthBoard, group: Any) -> Endpoints:
    ready, draining = health.places(group)
    wanted = {str(place) for place in ready}
    return Endpoints(
        tuple(sorted(wanted)), tuple(sorted({str(place) for place in draining} - wanted))
    )
