"""The objects of a cluster that a gateway follows, as the plain JSON that the API server sends."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "CONTROLLER",
    "ENDPOINT_SLICES",
    "GATEWAYS",
    "GATEWAY_CLASS",
    "GATEWAY_CLASSES",
    "HTTP_ROUTES",
    "KINDS",
    "SERVICES",
    "Change",
    "Kind",
    "Object",
    "Objects",
    "key_of",
]

CONTROLLER = "bluegreen.test/gateway"
"""`spec.controllerName` of the GatewayClasses that are ours."""

GATEWAY_CLASS = "bluegreen-test"
"""The class that `install` makes."""

Object = Mapping[str, Any]
Key = tuple[str, str]
"""Namespace (empty for a kind without one) and name."""


@dataclass(frozen=True)
class Kind:
    """Where the API server has the objects of one kind."""

    group: str
    plural: str
    is_namespaced: bool = True

    def path(self, namespace: str | None, name: str | None = None) -> str:
        """The path of all objects, of those of a namespace, or of one of them."""
        group = f"/apis/{self.group}" if "/" in self.group else f"/api/{self.group}"
        scope = f"/namespaces/{namespace}" if namespace and self.is_namespaced else ""
        return f"{group}{scope}/{self.plural}" + (f"/{name}" if name else "")


GATEWAY_CLASSES = Kind("gateway.networking.k8s.io/v1", "gatewayclasses", is_namespaced=False)
GATEWAYS = Kind("gateway.networking.k8s.io/v1", "gateways")
HTTP_ROUTES = Kind("gateway.networking.k8s.io/v1", "httproutes")
SERVICES = Kind("v1", "services")
ENDPOINT_SLICES = Kind("discovery.k8s.io/v1", "endpointslices")
KINDS = (GATEWAY_CLASSES, GATEWAYS, HTTP_ROUTES, SERVICES, ENDPOINT_SLICES)


@dataclass(frozen=True)
class Change:
    """What a watch brought."""

    kind: Kind
    objects: Mapping[Key, Object]
    """The objects that are there now."""

    gone: Key | None = None
    is_complete: bool = False
    """True after a list: what is not among `objects` is not there."""


@dataclass
class Objects:
    """Everything that is there, as far as the changes that were applied tell."""

    of_kind: dict[Kind, dict[Key, Object]] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """True once every kind was listed: before that, what is missing may only be unread."""
        return len(self.of_kind) == len(KINDS)

    def apply(self, change: Change) -> None:
        """Takes over one change; those of a kind must come in the order of its watch."""
        known = {} if change.is_complete else self.of_kind[change.kind]
        known.update(change.objects)
        if change.gone:
            known.pop(change.gone, None)
        self.of_kind[change.kind] = known

    def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """Returns one object, None when it is not there."""
        return self.of_kind[kind].get((namespace, name))

    def all(self, kind: Kind) -> Iterator[Object]:
        """The objects of a kind, the oldest first, as the Gateway API ranks routes."""
        return iter(sorted(self.of_kind[kind].values(), key=_age))

    def our_gateways(self) -> Iterator[Object]:
        """The Gateways whose class is ours."""
        for gateway in self.all(GATEWAYS):
            found = self.get(GATEWAY_CLASSES, "", gateway["spec"]["gatewayClassName"])
            if found and found["spec"]["controllerName"] == CONTROLLER:
                yield gateway

    def slices_of(self, namespace: str, service: str) -> Iterator[Object]:
        """The EndpointSlices of a Service."""
        for key, each in sorted(self.of_kind[ENDPOINT_SLICES].items()):
            labels = each["metadata"].get("labels") or {}
            if key[0] == namespace and labels.get("kubernetes.io/service-name") == service:
                yield each


def key_of(found: Object) -> Key:
    """Namespace and name of an object."""
    return found["metadata"].get("namespace", ""), found["metadata"]["name"]


def _age(found: Object) -> tuple[str, Key]:
    return found["metadata"].get("creationTimestamp", ""), key_of(found)
