"""What the proxy must do: rules in the order in which they are tried, shares, and endpoints."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.standins.gateway.attachment import Attachment, attachments, backend_problem
from tests.standins.gateway.objects import SERVICES, Object, Objects

__all__ = ["Backend", "Endpoints", "HeaderChanges", "Match", "Routing", "Rule", "routing_of"]

_READY_UNLESS_SAID = (None, True)


@dataclass(frozen=True, order=True)
class Backend:
    """One port of a Service."""

    namespace: str
    service: str
    port: int

    @property
    def name(self) -> str:
        """What the proxy calls it; none of the parts has an underscore."""
        return f"{self.namespace}_{self.service}_{self.port}"


@dataclass(frozen=True)
class Match:
    """When a rule is meant."""

    hostname: str | None
    path: str
    is_exact: bool
    headers: tuple[tuple[str, str], ...]
    method: str | None

    @property
    def rank(self) -> tuple[object, ...]:
        """The published order: what is more specific is smaller."""
        host = self.hostname or ""
        return (
            host.startswith("*.") if host else 2,
            -len(host),
            not self.is_exact,
            -len(self.path),
            self.method is None,
            -len(self.headers),
        )


@dataclass(frozen=True)
class HeaderChanges:
    """What a filter does to a request or an answer."""

    set: tuple[tuple[str, str], ...] = ()
    add: tuple[tuple[str, str], ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule:
    """One rule of a route."""

    key: str
    """`namespace/route/number`: what the proxy looks the shares up by."""

    matches: tuple[Match, ...]
    shares: tuple[tuple[Backend | None, int], ...]
    """Weights, in the order of the route; None for a backend that is not there: status 500."""

    request: HeaderChanges = HeaderChanges()
    response: HeaderChanges = HeaderChanges()


@dataclass(frozen=True)
class Endpoints:
    """`address:port` of what may get new requests, and of what only finishes those that it has."""

    ready: tuple[str, ...] = ()
    draining: tuple[str, ...] = ()


@dataclass(frozen=True)
class Routing:
    """Everything the proxy must do."""

    rules: tuple[Rule, ...] = ()
    endpoints: Mapping[Backend, Endpoints] = field(default_factory=dict)
    generations: Mapping[str, int] = field(default_factory=dict)
    """Of each route that is served, by `namespace/name`."""


def routing_of(objects: Objects, addresses: Mapping[str, str]) -> Routing:
    """Reads what the accepted routes ask for.

    Args:
        objects: What is in the cluster.
        addresses: Where an endpoint's address really is, as `host:port`: loopback, which
            EndpointSlices may not name.
    """
    served: dict[str, Attachment] = {}
    for each in attachments(objects):
        if each.accepted.is_true:
            served.setdefault(_name_of(each.route), each)
    rules = tuple(rule for each in served.values() for rule in _rules(objects, each))
    backends = {backend for rule in rules for backend, _ in rule.shares if backend}
    return Routing(
        rules,
        {each: _endpoints(objects, each, addresses) for each in sorted(backends)},
        {name: each.route["metadata"]["generation"] for name, each in served.items()},
    )


def _name_of(route: Object) -> str:
    return f"{route['metadata']['namespace']}/{route['metadata']['name']}"


def _rules(objects: Objects, attachment: Attachment) -> Iterator[Rule]:
    for number, rule in enumerate(attachment.route["spec"]["rules"]):
        filters = {each["type"]: each for each in rule.get("filters") or ()}
        yield Rule(
            f"{_name_of(attachment.route)}/{number}",
            tuple(_matches(rule, attachment.hostnames)),
            tuple(_shares(objects, attachment.route, rule)),
            _changes(filters.get("RequestHeaderModifier", {}).get("requestHeaderModifier")),
            _changes(filters.get("ResponseHeaderModifier", {}).get("responseHeaderModifier")),
        )


def _matches(rule: Mapping[str, Any], hostnames: tuple[str, ...]) -> Iterator[Match]:
    for match in rule["matches"]:
        for hostname in hostnames or (None,):
            yield Match(
                hostname,
                match["path"]["value"],
                match["path"]["type"] == "Exact",
                _pairs(match.get("headers")),
                match.get("method"),
            )


def _shares(
    objects: Objects, route: Object, rule: Mapping[str, Any]
) -> Iterator[tuple[Backend | None, int]]:
    for reference in rule.get("backendRefs") or ():
        is_there = backend_problem(objects, route, reference).is_true
        namespace = route["metadata"]["namespace"]
        backend = Backend(namespace, reference["name"], reference["port"]) if is_there else None
        yield backend, reference["weight"]


def _changes(modifier: Mapping[str, Any] | None) -> HeaderChanges:
    modifier = modifier or {}
    return HeaderChanges(
        _pairs(modifier.get("set")),
        _pairs(modifier.get("add")),
        tuple(modifier.get("remove") or ()),
    )


def _pairs(headers: list[Mapping[str, str]] | None) -> tuple[tuple[str, str], ...]:
    return tuple((header["name"], header["value"]) for header in headers or ())


def _endpoints(objects: Objects, backend: Backend, addresses: Mapping[str, str]) -> Endpoints:
    ready: set[str] = set()
    draining: set[str] = set()
    for each in objects.slices_of(backend.namespace, backend.service):
        port = _port(objects, backend, each)
        for endpoint in (each.get("endpoints") or ()) if port else ():
            found = {_place(address, port, addresses) for address in endpoint["addresses"]}
            (ready if _is_ready(endpoint) else draining).update(found)
    return Endpoints(tuple(sorted(ready)), tuple(sorted(draining - ready)))


def _port(objects: Objects, backend: Backend, endpoint_slice: Object) -> int:
    """The port of the pods: Service and slice call it by the same name. 0 if there is none."""
    service = objects.get(SERVICES, backend.namespace, backend.service)
    ports = service["spec"].get("ports") or () if service else ()
    names = {each["port"]: each.get("name", "") for each in ports}
    numbers = {each.get("name") or "": each["port"] for each in endpoint_slice.get("ports") or ()}
    return int(numbers.get(names.get(backend.port, ""), 0))


def _place(address: str, port: int, addresses: Mapping[str, str]) -> str:
    host = f"[{address}]" if ":" in address else address
    return addresses.get(address, f"{host}:{port}")


def _is_ready(endpoint: Mapping[str, Any]) -> bool:
    conditions = endpoint.get("conditions") or {}
    return conditions.get("ready") in _READY_UNLESS_SAID and not conditions.get("terminating")
