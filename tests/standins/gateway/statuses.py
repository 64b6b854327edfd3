"""What the controller says in the status of classes, Gateways and routes."""

import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.standins.gateway.attachment import Attachment, Judgement, attachments
from tests.standins.gateway.objects import (
    CONTROLLER,
    GATEWAY_CLASSES,
    GATEWAYS,
    HTTP_ROUTES,
    Kind,
    Object,
    Objects,
    key_of,
)

__all__ = ["StatusPatch", "status_patches"]


@dataclass(frozen=True)
class StatusPatch:
    """A merge patch of one object's status."""

    kind: Kind
    target: Object
    status: Mapping[str, Any]


def status_patches(objects: Objects, address: str) -> Iterator[StatusPatch]:
    """Yields what differs from what the objects say already."""
    patches = [
        *(_of_class(found) for found in _our_classes(objects)),
        *_of_gateways(objects, address),
        *_of_routes(objects),
    ]
    for each in patches:
        present = each.target.get("status") or {}
        if any(present.get(name) != value for name, value in each.status.items()):
            yield each


def _our_classes(objects: Objects) -> Iterator[Object]:
    for found in objects.all(GATEWAY_CLASSES):
        if found["spec"]["controllerName"] == CONTROLLER:
            yield found


def _of_class(found: Object) -> StatusPatch:
    accepted = Judgement("Accepted", "Accepted", "served by the gateway of the tests")
    conditions = _conditions(found, (found.get("status") or {}).get("conditions"), [accepted])
    return StatusPatch(GATEWAY_CLASSES, found, {"conditions": conditions})


def _of_gateways(objects: Objects, address: str) -> Iterator[StatusPatch]:
    attached = [each for each in attachments(objects) if each.accepted.is_true]
    for gateway in objects.our_gateways():
        present = gateway.get("status") or {}
        judged = [
            Judgement("Accepted", "Accepted", "served by the gateway of the tests"),
            Judgement("Programmed", "Programmed", f"listens at {address}"),
        ]
        status = {
            "addresses": [{"type": "IPAddress", "value": address}],
            "conditions": _conditions(gateway, present.get("conditions"), judged),
            "listeners": [
                _listener(gateway, listener, attached) for listener in gateway["spec"]["listeners"]
            ],
        }
        yield StatusPatch(GATEWAYS, gateway, status)


def _listener(
    gateway: Object, listener: Mapping[str, Any], attached: Iterable[Attachment]
) -> dict[str, Any]:
    name = listener["name"]
    known = {each["name"]: each for each in (gateway.get("status") or {}).get("listeners") or ()}
    judged = [
        Judgement("Accepted", "Accepted", "the listener is served"),
        Judgement("Programmed", "Programmed", "the listener is served"),
        Judgement("ResolvedRefs", "ResolvedRefs", "the listener refers to nothing"),
    ]
    routes = [each for each in attached if _is_of(each, gateway, name)]
    return {
        "name": name,
        "attachedRoutes": len(routes),
        "supportedKinds": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute"}],
        "conditions": _conditions(gateway, known.get(name, {}).get("conditions"), judged),
    }


def _is_of(attachment: Attachment, gateway: Object, listener: str) -> bool:
    parent, namespace = attachment.parent, attachment.route["metadata"]["namespace"]
    return (parent.get("namespace", namespace), parent["name"]) == key_of(gateway) and parent.get(
        "sectionName", listener
    ) == listener


def _of_routes(objects: Objects) -> Iterator[StatusPatch]:
    judged: dict[tuple[str, str], list[Attachment]] = {}
    for each in attachments(objects):
        judged.setdefault(key_of(each.route), []).append(each)
    for route in objects.all(HTTP_ROUTES):
        present = (route.get("status") or {}).get("parents") or []
        others = [each for each in present if each["controllerName"] != CONTROLLER]
        ours = [_parent(each, present) for each in judged.get(key_of(route), ())]
        if ours or len(others) < len(present):
            yield StatusPatch(HTTP_ROUTES, route, {"parents": [*others, *ours]})


def _parent(attachment: Attachment, present: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    known = [
        each["conditions"]
        for each in present
        if (each["controllerName"], each["parentRef"]) == (CONTROLLER, attachment.parent)
    ]
    judged = [attachment.accepted, attachment.resolved]
    return {
        "parentRef": attachment.parent,
        "controllerName": CONTROLLER,
        "conditions": _conditions(attachment.route, known[0] if known else (), judged),
    }


def _conditions(
    found: Object, present: Iterable[Mapping[str, Any]] | None, judged: Iterable[Judgement]
) -> list[dict[str, Any]]:
    known = {each["type"]: each for each in present or ()}
    return [_condition(found, known.get(each.type, {}), each) for each in judged]


def _condition(found: Object, known: Mapping[str, Any], judged: Judgement) -> dict[str, Any]:
    status = "True" if judged.is_true else "False"
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    has_changed = known.get("status") != status
    return {
        "type": judged.type,
        "status": status,
        "reason": judged.reason,
        "message": judged.message,
        "observedGeneration": found["metadata"]["generation"],
        # Of a change of the status alone, as the API conventions have it.
        "lastTransitionTime": now if has_changed else known["lastTransitionTime"],
    }
