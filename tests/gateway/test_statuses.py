"""What the gateway says about classes, Gateways and routes."""

from typing import Any

import pytest

from tests.gateway.shop import Json, Shop, ask, backend, to, weights
from tests.gateway.waiting import eventually
from tests.standins.gateway.objects import (
    CONTROLLER,
    GATEWAY_CLASS,
    GATEWAY_CLASSES,
    GATEWAYS,
    HTTP_ROUTES,
    SERVICES,
)
from tests.standins.gateway.server import GatewayServer


def seen(shop: Shop, generation: int = 1, name: str = "shop") -> dict[str, Json]:
    """The route's conditions, once they are about this generation."""
    return eventually(
        lambda: shop.conditions(HTTP_ROUTES, name),
        lambda found: bool(found) and found["Accepted"]["observedGeneration"] >= generation,
    )


def test_the_class_is_accepted(shop: Shop, gateway: GatewayServer) -> None:
    conditions = eventually(
        lambda: shop.api.request("GET", GATEWAY_CLASSES.path(None, GATEWAY_CLASS))["status"][
            "conditions"
        ],
        lambda found: found[0]["status"] == "True",
    )

    assert conditions[0]["type"] == "Accepted"


def test_a_gateway_of_the_class_is_accepted_and_has_an_address(
    shop: Shop, gateway: GatewayServer
) -> None:
    shop.add_route(to(*weights(blue=1, green=0)))

    status = eventually(
        lambda: shop.read(GATEWAYS, "edge")["status"],
        lambda found: bool(found.get("listeners")) and found["listeners"][0]["attachedRoutes"] == 1,
    )

    assert status["addresses"] == [{"type": "IPAddress", "value": "127.0.0.1"}]
    assert {
        each["type"]: (each["status"], each["observedGeneration"]) for each in status["conditions"]
    } == {"Accepted": ("True", 1), "Programmed": ("True", 1)}


def test_another_class_s_gateway_and_its_routes_are_left_alone(
    shop: Shop, gateway: GatewayServer
) -> None:
    shop.add_gateway(name="other", gatewayClassName="nobodys")
    shop.add_route(to(backend("shop-blue")), name="others", parentRefs=[{"name": "other"}])
    shop.add_route(to(backend("shop-green")), hostnames=["later.test"])
    seen(shop)

    assert shop.conditions(GATEWAYS, "other")["Accepted"]["status"] == "Unknown"
    assert shop.conditions(HTTP_ROUTES, "others") == {}
    assert ask(gateway.port, Host=shop.host).status == 404


def test_a_route_is_accepted_in_each_generation(shop: Shop, gateway: GatewayServer) -> None:
    shop.add_route(to(*weights(blue=100, green=0)))
    first = seen(shop)
    generation = shop.set_rules(to(*weights(blue=0, green=100)))
    second = seen(shop, generation)

    assert generation == 2
    for conditions, expected in ((first, 1), (second, 2)):
        assert {
            name: (each["status"], each["reason"], each["observedGeneration"])
            for name, each in conditions.items()
        } == {
            "Accepted": ("True", "Accepted", expected),
            "ResolvedRefs": ("True", "ResolvedRefs", expected),
        }
    # It says when the status changed, and that has not.
    assert [each["Accepted"]["lastTransitionTime"] for each in (first, second)] == [
        first["Accepted"]["lastTransitionTime"]
    ] * 2


def test_a_missing_service_is_said_and_taken_back_when_it_is_there(
    shop: Shop, gateway: GatewayServer
) -> None:
    shop.add_route(to(backend("shop-blue"), backend("shop-red")))
    missing = seen(shop)
    shop.add_service("red")
    found = eventually(
        lambda: shop.conditions(HTTP_ROUTES, "shop")["ResolvedRefs"],
        lambda found: found["status"] == "True",
    )
    shop.delete(SERVICES, "shop-red")
    gone = eventually(
        lambda: shop.conditions(HTTP_ROUTES, "shop")["ResolvedRefs"],
        lambda found: found["status"] == "False",
    )

    assert missing["Accepted"]["status"] == "True"
    assert missing["ResolvedRefs"]["status"] == "False"
    assert [each["reason"] for each in (missing["ResolvedRefs"], found, gone)] == [
        "BackendNotFound",
        "ResolvedRefs",
        "BackendNotFound",
    ]
    assert f"{shop.namespace}/shop-red" in missing["ResolvedRefs"]["message"]


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        (backend("shop-blue", port=81), "BackendNotFound"),
        (backend("shop-blue", kind="Bucket", group="a.test"), "InvalidKind"),
        (backend("shop-blue", namespace="default"), "RefNotPermitted"),
    ],
    ids=["a port that the Service does not have", "not a Service", "another namespace"],
)
def test_a_reference_that_cannot_be_followed_is_said(
    shop: Shop, gateway: GatewayServer, reference: Json, reason: str
) -> None:
    shop.add_route(to(reference))

    assert seen(shop)["ResolvedRefs"]["reason"] == reason


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"parentRefs": [{"name": "edge", "sectionName": "https"}]}, "NoMatchingParent"),
        ({"parentRefs": [{"name": "edge", "port": 81}]}, "NoMatchingParent"),
        (
            {"rules": [{"matches": [{"path": {"type": "RegularExpression", "value": ".*"}}]}]},
            "UnsupportedValue",
        ),
        (
            {"rules": [{"matches": [{"headers": [{"name": "X'A", "value": "1"}]}]}]},
            "UnsupportedValue",
        ),
        (
            {"rules": [{"matches": [{"headers": [{"name": "X-A", "value": "1\nuse_backend x"}]}]}]},
            "UnsupportedValue",
        ),
        (
            {"rules": [{"matches": [{"queryParams": [{"name": "a", "value": "1"}]}]}]},
            "UnsupportedValue",
        ),
    ],
    ids=["no such listener", "no such port", "regular expression", "name", "value", "query"],
)
def test_a_route_that_cannot_be_served_is_refused_and_not_served(
    shop: Shop, gateway: GatewayServer, spec: Json, reason: str
) -> None:
    rules = spec.pop("rules", [{}])
    shop.add_route(*[{**to(backend("shop-blue")), **rule} for rule in rules], **spec)
    accepted = seen(shop)["Accepted"]

    assert (accepted["status"], accepted["reason"]) == ("False", reason)
    assert ask(gateway.port, Host=shop.host).status == 404


def test_a_route_from_another_namespace_needs_the_listener_s_permission(
    shop: Shop, gateway: GatewayServer
) -> None:
    listener = {"name": "http", "port": 80, "protocol": "HTTP"}
    everybody = {**listener, "allowedRoutes": {"namespaces": {"from": "All"}}}
    for name, one in (("closed", listener), ("open", everybody)):
        shop.api.request("POST", GATEWAYS.path("default"), _gateway(shop, name, one))
    try:
        for name in ("closed", "open"):
            parent = {"name": f"{shop.namespace}-{name}", "namespace": "default"}
            shop.add_route(to(backend("shop-blue")), name=name, parentRefs=[parent])
        closed, is_open = seen(shop, name="closed"), seen(shop, name="open")
    finally:
        for name in ("closed", "open"):
            path = GATEWAYS.path("default", f"{shop.namespace}-{name}")
            shop.api.request("DELETE", path)

    assert closed["Accepted"]["reason"] == "NotAllowedByListeners"
    assert is_open["Accepted"]["reason"] == "Accepted"


def test_hosts_must_fit_those_of_the_listener(shop: Shop, gateway: GatewayServer) -> None:
    listeners = [{"name": "http", "port": 80, "protocol": "HTTP", "hostname": "*.shop.test"}]
    shop.add_gateway(name="narrow", listeners=listeners)
    parent = [{"name": "narrow"}]
    route = to(backend("shop-blue"))
    shop.add_route(route, name="fits", parentRefs=parent, hostnames=["a.shop.test", "b.test"])
    shop.add_route(route, name="does-not", parentRefs=parent, hostnames=["shop.test"])

    assert seen(shop, name="fits")["Accepted"]["reason"] == "Accepted"
    assert seen(shop, name="does-not")["Accepted"]["reason"] == "NoMatchingListenerHostname"
    gateway.wait_applied(shop.namespace, "fits", 1)
    assert [ask(gateway.port, Host=host).status for host in ("a.shop.test", "b.test")] == [200, 404]


def test_what_other_controllers_say_of_a_route_stays(shop: Shop, gateway: GatewayServer) -> None:
    shop.add_route(to(backend("shop-blue")))
    seen(shop)
    other = _said_by_another()
    ours = shop.read(HTTP_ROUTES, "shop")["status"]["parents"]
    path = f"{HTTP_ROUTES.path(shop.namespace, 'shop')}/status"
    shop.api.request("PATCH", path, {"status": {"parents": [*ours, other]}})
    generation = shop.set_rules(to(backend("shop-green")))

    parents = eventually(
        lambda: shop.read(HTTP_ROUTES, "shop")["status"]["parents"],
        lambda found: any(
            each["conditions"][0].get("observedGeneration") == generation for each in found
        ),
    )

    assert {each["controllerName"] for each in parents} == {CONTROLLER, "other.test/gateway"}


def _gateway(shop: Shop, name: str, listener: Json) -> Json:
    spec = {"gatewayClassName": GATEWAY_CLASS, "listeners": [listener]}
    kind: dict[str, Any] = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway"}
    return {**kind, "metadata": {"name": f"{shop.namespace}-{name}"}, "spec": spec}


def _said_by_another() -> Json:
    condition = {"type": "Accepted", "status": "True", "reason": "Accepted", "message": ""}
    return {
        "controllerName": "other.test/gateway",
        "parentRef": {"name": "other"},
        "conditions": [{**condition, "lastTransitionTime": "2024-01-01T00:00:00Z"}],
    }
