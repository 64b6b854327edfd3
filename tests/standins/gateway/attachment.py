"""Which HTTPRoutes belong to our Gateways, and whether what they refer to is there."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.standins.gateway.objects import HTTP_ROUTES, SERVICES, Object, Objects, key_of

__all__ = ["Attachment", "Judgement", "attachments", "backend_problem"]

_GROUP = "gateway.networking.k8s.io"
# The same words stand in the proxy's configuration; a header's name there is one of its arguments.
_HEADER_NAME = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class Judgement:
    """A condition of a status, before it has a time."""

    type: str
    reason: str
    message: str
    is_true: bool = True


@dataclass(frozen=True)
class Attachment:
    """One parentRef of a route that names a Gateway of ours."""

    route: Object
    parent: Mapping[str, Any]
    accepted: Judgement
    resolved: Judgement
    hostnames: tuple[str, ...] = ()
    """Hosts that requests must be for; none means any."""


def attachments(objects: Objects) -> Iterator[Attachment]:
    """Judges every parentRef that is for us, the oldest route first."""
    ours = {key_of(gateway): gateway for gateway in objects.our_gateways()}
    for route in objects.all(HTTP_ROUTES):
        for parent in route["spec"].get("parentRefs") or ():
            gateway = ours.get(_gateway_key(route, parent))
            if gateway and parent["group"] == _GROUP and parent["kind"] == "Gateway":
                yield _attach(objects, route, parent, gateway)


def backend_problem(objects: Objects, route: Object, reference: Mapping[str, Any]) -> Judgement:
    """Says whether requests can be sent to what a backendRef names."""
    namespace, name = route["metadata"]["namespace"], reference["name"]
    if (reference["group"], reference["kind"]) != ("", "Service"):
        found = f"{reference['group']}/{reference['kind']}"
        return _unresolved("InvalidKind", f"{found} {name} is no Service")
    if reference.get("namespace", namespace) != namespace:
        other = f"{reference['namespace']}/{name}"
        return _unresolved("RefNotPermitted", f"Service {other} is in another namespace")
    service = objects.get(SERVICES, namespace, name)
    if service is None:
        return _unresolved("BackendNotFound", f"there is no Service {namespace}/{name}")
    if reference["port"] not in (port["port"] for port in service["spec"].get("ports") or ()):
        message = f"Service {namespace}/{name} has no port {reference['port']}"
        return _unresolved("BackendNotFound", message)
    return Judgement("ResolvedRefs", "ResolvedRefs", "every reference was found")


def _gateway_key(route: Object, parent: Mapping[str, Any]) -> tuple[str, str]:
    return parent.get("namespace", route["metadata"]["namespace"]), parent["name"]


def _attach(
    objects: Objects, route: Object, parent: Mapping[str, Any], gateway: Object
) -> Attachment:
    resolved = _resolved(objects, route)
    listeners = [one for one in gateway["spec"]["listeners"] if _names(parent, one)]
    if not listeners:
        refused = _refused("NoMatchingParent", f"no listener of {gateway['metadata']['name']} fits")
        return Attachment(route, parent, refused, resolved)
    listeners = [one for one in listeners if _lets_in(one, gateway, route)]
    if not listeners:
        refused = _refused("NotAllowedByListeners", "the listener takes no routes from here")
        return Attachment(route, parent, refused, resolved)
    hostnames = _hostnames(route["spec"].get("hostnames") or (), listeners)
    if hostnames is None:
        refused = _refused("NoMatchingListenerHostname", "no hostname fits one of the listener")
        return Attachment(route, parent, refused, resolved)
    problem = next(_unsupported(route), None)
    if problem:
        return Attachment(route, parent, _refused("UnsupportedValue", problem), resolved)
    accepted = Judgement("Accepted", "Accepted", "the route is served")
    return Attachment(route, parent, accepted, resolved, hostnames)


def _names(parent: Mapping[str, Any], listener: Mapping[str, Any]) -> bool:
    section, port = parent.get("sectionName"), parent.get("port")
    is_meant = section in (None, listener["name"]) and port in (None, listener["port"])
    return is_meant and listener["protocol"] == "HTTP"


def _lets_in(listener: Mapping[str, Any], gateway: Object, route: Object) -> bool:
    # A selector asks for labels of namespaces, which are not watched: it lets nobody in.
    origin: str = listener["allowedRoutes"]["namespaces"]["from"]
    is_same = key_of(route)[0] == key_of(gateway)[0]
    return origin == "All" or (origin == "Same" and is_same)


def _hostnames(
    wanted: Iterable[str], listeners: Iterable[Mapping[str, Any]]
) -> tuple[str, ...] | None:
    """What both sides agree on; empty for any host, None for no host at all."""
    wanted = tuple(wanted)
    found: list[str] = []
    for listener in listeners:
        own = listener.get("hostname")
        if own is None and not wanted:
            return ()
        pairs = [(one, own or one) for one in wanted] or [(str(own), str(own))]
        found += [host for one, other in pairs if (host := _narrower(one, other))]
    return tuple(dict.fromkeys(found)) or None


def _narrower(one: str, other: str) -> str | None:
    if one == other or (other.startswith("*.") and one.endswith(other[1:])):
        return one
    return other if one.startswith("*.") and other.endswith(one[1:]) else None


def _resolved(objects: Objects, route: Object) -> Judgement:
    references = [one for rule in route["spec"]["rules"] for one in rule.get("backendRefs") or ()]
    judged = [backend_problem(objects, route, one) for one in references]
    fine = Judgement("ResolvedRefs", "ResolvedRefs", "every reference was found")
    return next((one for one in judged if not one.is_true), fine)


def _unsupported(route: Object) -> Iterator[str]:
    """What this proxy cannot do; doing the rest of it would be a silent surprise."""
    for rule in route["spec"]["rules"]:
        for match in rule["matches"]:
            if "RegularExpression" in (match["path"]["type"], *_types(match)):
                yield "regular expressions are not supported"
            if match.get("queryParams"):
                yield "matches of query parameters are not supported"
            yield from _unwritable([match["path"]["value"]], match.get("headers") or ())
        if any(reference.get("filters") for reference in rule.get("backendRefs") or ()):
            yield "filters of a backendRef are not supported"
        for each in rule.get("filters") or ():
            modifier = each.get("requestHeaderModifier") or each.get("responseHeaderModifier")
            if modifier is None:
                yield f"the filter {each['type']} is not supported"
                return
            changed = [*(modifier.get("set") or ()), *(modifier.get("add") or ())]
            removed = [{"name": name, "value": ""} for name in modifier.get("remove") or ()]
            yield from _unwritable([], [*changed, *removed])


def _types(match: Mapping[str, Any]) -> list[str]:
    return [header["type"] for header in match.get("headers") or ()]


def _unwritable(texts: Iterable[str], headers: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    headers = tuple(headers)
    for header in headers:
        if not _HEADER_NAME.fullmatch(header["name"]):
            yield f"the header name {header['name']!r} is not supported"
    for text in (*texts, *(header["value"] for header in headers)):
        if not (text.isascii() and text.isprintable()) and text:
            yield f"the value {text[:40]!r} is not printable ASCII"


def _refused(reason: str, message: str) -> Judgement:
    return Judgement("Accepted", reason, message, is_true=False)


def _unresolved(reason: str, message: str) -> Judgement:
    return Judgement("ResolvedRefs", reason, message, is_true=False)
