"""A service with two colors behind a Gateway, its endpoints written by hand."""

import contextlib
import http.client
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bluegreen.colors import Color
from tests.standins.gateway.api import ApiServer
from tests.standins.gateway.objects import (
    ENDPOINT_SLICES,
    GATEWAY_CLASS,
    GATEWAYS,
    HTTP_ROUTES,
    SERVICES,
    Kind,
)
from tests.standins.gateway.server import GatewayServer

GATEWAY_API = "gateway.networking.k8s.io/v1"
PORT = 80

# RFC 5737: addresses that nobody has. The gateway is told where they really are.
BLUE, BLUE_2, GREEN = "198.51.100.11", "198.51.100.12", "198.51.100.21"
PODS = {BLUE: Color.BLUE, BLUE_2: Color.BLUE, GREEN: Color.GREEN}
POD_PORT = 8080

Json = dict[str, Any]


def a_gateway(*, name: str = "edge", **spec: Any) -> Json:
    listeners = [{"name": "http", "port": 80, "protocol": "HTTP"}]
    return {
        "apiVersion": GATEWAY_API,
        "kind": "Gateway",
        "metadata": {"name": name},
        "spec": {"gatewayClassName": GATEWAY_CLASS, "listeners": listeners, **spec},
    }


def a_route(*rules: Json, name: str = "shop", **spec: Any) -> Json:
    return {
        "apiVersion": GATEWAY_API,
        "kind": "HTTPRoute",
        "metadata": {"name": name},
        "spec": {"parentRefs": [{"name": "edge"}], "rules": list(rules), **spec},
    }


def backend(service: str, weight: int | None = None, **fields: Any) -> Json:
    weights = {} if weight is None else {"weight": weight}
    return {"name": service, "port": PORT, **weights, **fields}


def weights(**of_color: int) -> list[Json]:
    """Both colors' backendRefs, for example `weights(blue=100, green=0)`."""
    return [backend(f"shop-{color}", weight) for color, weight in of_color.items()]


def active(color: Color) -> Json:
    """A rule that sends every request to a color, and refers to both."""
    return to(*weights(**{each.value: 100 * (each is color) for each in Color}))


def to(*backends: Json, **rule: Any) -> Json:
    return {"backendRefs": list(backends), **rule}


@dataclass(frozen=True)
class Answer:
    status: int
    body: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Shop:
    """What a test writes to one namespace, and asks of the gateway."""

    api: ApiServer
    namespace: str

    @property
    def host(self) -> str:
        """One gateway serves all namespaces; a host of its own keeps this one's routes apart."""
        return f"{self.namespace}.test"

    def create(self, kind: Kind, body: Json) -> Json:
        return self.api.request("POST", kind.path(self.namespace), body)

    def read(self, kind: Kind, name: str) -> Json:
        return self.api.request("GET", kind.path(self.namespace, name))

    def change(self, kind: Kind, name: str, patch: Json) -> int:
        """Returns the generation that the change has made."""
        changed = self.api.request("PATCH", kind.path(self.namespace, name), patch)
        return int(changed["metadata"].get("generation", 0))

    def delete(self, kind: Kind, name: str) -> None:
        self.api.request("DELETE", kind.path(self.namespace, name))

    def add_service(self, color: str, ready: Iterable[str] = (), **spec: Any) -> None:
        """A Service without a selector, so that nobody else writes its endpoints."""
        body = {"metadata": {"name": f"shop-{color}"}, "spec": {"ports": [{"port": PORT}], **spec}}
        self.create(SERVICES, body)
        self.create(ENDPOINT_SLICES, self._slice(color, list(ready), []))

    def set_endpoints(
        self, color: str, ready: Iterable[str], terminating: Iterable[str] = ()
    ) -> None:
        body = self._slice(color, list(ready), list(terminating))
        self.change(ENDPOINT_SLICES, f"shop-{color}", body)

    def add_gateway(self, **spec: Any) -> None:
        self.create(GATEWAYS, a_gateway(**spec))

    def add_route(self, *rules: Json, name: str = "shop", **spec: Any) -> int:
        """Returns its generation."""
        body = a_route(*rules, name=name, **{"hostnames": [self.host], **spec})
        return int(self.create(HTTP_ROUTES, body)["metadata"]["generation"])

    def serve(self, gateway: GatewayServer, *rules: Json, **spec: Any) -> int:
        """Adds a route, waits until it and one endpoint of each color in it are served."""
        generation = self.add_route(*rules, **spec)
        gateway.wait_applied(self.namespace, spec.get("name", "shop"), generation)
        names = {each["name"] for rule in rules for each in rule.get("backendRefs", ())}
        for service in sorted(names & {"shop-blue", "shop-green"}):
            gateway.wait_endpoints(self.namespace, service)
        return generation

    def set_rules(self, *rules: Json, name: str = "shop") -> int:
        """Returns the generation that has them."""
        return self.change(HTTP_ROUTES, name, {"spec": {"rules": list(rules)}})

    def conditions(self, kind: Kind, name: str) -> dict[str, Json]:
        """The conditions of an object by their types; of a route, those of its first parent."""
        status = self.read(kind, name).get("status") or {}
        if kind is HTTP_ROUTES:
            status = (status.get("parents") or [{}])[0]
        return {each["type"]: each for each in status.get("conditions") or ()}

    def _slice(self, color: str, ready: list[str], terminating: list[str]) -> Json:
        endpoints = [{"addresses": [each], "conditions": {"ready": True}} for each in ready]
        leaving = {"ready": False, "serving": True, "terminating": True}
        endpoints += [{"addresses": [each], "conditions": leaving} for each in terminating]
        labels = {"kubernetes.io/service-name": f"shop-{color}"}
        return {
            "metadata": {"name": f"shop-{color}", "labels": labels},
            "addressType": "IPv4",
            "ports": [{"name": "", "port": POD_PORT}],
            "endpoints": endpoints,
        }


def ask(port: int, path: str = "/", method: str = "GET", **headers: str) -> Answer:
    """One request on a connection of its own; header names are written with underscores."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    with contextlib.closing(connection):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=named)
        response = connection.getresponse()
        body = response.read().decode().strip()
        return Answer(response.status, body, dict(response.getheaders()))
