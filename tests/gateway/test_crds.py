"""The definitions of the Gateway API refuse what the published ones refuse."""

from typing import Any

import pytest

from tests.gateway.shop import GATEWAY_API, Json, Shop, a_gateway, a_route, backend, to
from tests.standins.gateway.api import ApiError, ApiServer
from tests.standins.gateway.objects import GATEWAY_CLASSES, GATEWAYS, HTTP_ROUTES, Kind

HEADER = {"name": "X-A", "value": "1"}
CHANGED = {"set": [HEADER]}


def matching(**match: Any) -> Json:
    return a_route(to(backend("blue"), matches=[match]))


def path(value: str, kind: str = "PathPrefix") -> Json:
    return matching(path={"type": kind, "value": value})


def filtering(*filters: Json) -> Json:
    return a_route(to(backend("blue"), filters=list(filters)))


def listening(*listeners: Json) -> Json:
    return a_gateway(listeners=list(listeners))


def listener(**fields: Any) -> Json:
    return {"name": "http", "port": 80, "protocol": "HTTP", **fields}


REFUSED_ROUTES = {
    "a weight above a million": (a_route(to(backend("blue", 1_000_001))), "1000000"),
    "a weight below zero": (a_route(to(backend("blue", -1))), "greater than or equal to 0"),
    "17 backends": (a_route(to(*[backend("blue")] * 17)), "at most 16 items"),
    "a Service without a port": (a_route(to({"name": "blue"})), "Must have port for Service"),
    "a port of zero": (a_route(to({"name": "blue", "port": 0})), "greater than or equal to 1"),
    "a backend without a name": (a_route(to({"port": 80})), "name: Required value"),
    "a list of no rules": (a_route(), "at least 1 items"),
    "17 rules": (a_route(*[to(backend("blue"))] * 17), "at most 16 items"),
    "65 matches": (
        a_route(to(backend("blue"), matches=[{"path": {"value": "/"}}] * 65)),
        "at most 64 items",
    ),
    "a path without its slash": (path("shop"), "start with '/'"),
    "a path with two slashes": (path("/a//b"), "must not contain '//'"),
    "a path that goes up": (path("/a/../b"), "must not contain '/./' or '/../'"),
    "a path that ends upwards": (path("/a/.."), "nor end with"),
    "a path with a hidden slash": (path("/a%2Fb"), "must not contain '%2f'"),
    "a path with a space": (path("/a b"), "valid characters"),
    "a path that is too long": (path("/" + "a" * 1024), "may not be more than 1024"),
    "an unknown type of path": (path("/", "Glob"), "Unsupported value"),
    "an unknown method": (matching(method="BREW"), "Unsupported value"),
    "a header's name with a space": (matching(headers=[{**HEADER, "name": "X A"}]), "should match"),
    "a header's empty value": (matching(headers=[{**HEADER, "value": ""}]), "at least 1 chars"),
    "a header that is matched twice": (matching(headers=[HEADER] * 2), "Duplicate value"),
    "17 headers": (
        matching(headers=[{"name": f"X-{number}", "value": "1"} for number in range(17)]),
        "at most 16 items",
    ),
    "an unknown filter": (filtering({"type": "Teleport"}), "Unsupported value"),
    "a filter without what it does": (
        filtering({"type": "RequestHeaderModifier"}),
        "must be specified for RequestHeaderModifier",
    ),
    "a filter that does something else": (
        filtering(
            {
                "type": "RequestHeaderModifier",
                "requestHeaderModifier": CHANGED,
                "responseHeaderModifier": CHANGED,
            }
        ),
        "must be nil if the filter.type is not ResponseHeaderModifier",
    ),
    "a filter twice": (
        filtering(*[{"type": "RequestHeaderModifier", "requestHeaderModifier": CHANGED}] * 2),
        "cannot be repeated",
    ),
    "a header that is set twice": (
        filtering(
            {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"set": [HEADER] * 2}}
        ),
        "Duplicate value",
    ),
    "a host in capitals": (a_route(to(backend("blue")), hostnames=["Shop.test"]), "should match"),
    "17 hosts": (a_route(to(backend("blue")), hostnames=["a.test"] * 17), "at most 16 items"),
    "33 parents": (a_route(to(backend("blue")), parentRefs=[{"name": "a"}] * 33), "at most 32"),
    "a parent without a name": (a_route(to(backend("blue")), parentRefs=[{}]), "name: Required"),
}

REFUSED_GATEWAYS = {
    "no listener": (listening(), "at least 1 items"),
    "two listeners of one name": (listening(listener(), listener(port=81)), "Duplicate value"),
    "a listener of another protocol": (listening(listener(protocol="TCP")), "Unsupported value"),
    "a listener's port above 65535": (listening(listener(port=65536)), "less than or equal"),
    "a listener's host with a port": (listening(listener(hostname="a.test:80")), "should match"),
}


@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [
        pytest.param(kind, *refused, id=f"{kind.plural}: {name}")
        for kind, all_refused in ((HTTP_ROUTES, REFUSED_ROUTES), (GATEWAYS, REFUSED_GATEWAYS))
        for name, refused in all_refused.items()
    ],
)
def test_the_api_server_refuses(
    api: ApiServer, namespace: str, kind: Kind, body: Json, reason: str
) -> None:
    with pytest.raises(ApiError) as refusal:
        Shop(api, namespace).create(kind, body)

    assert refusal.value.status == 422
    assert reason in str(refusal.value)


def test_what_a_route_leaves_out_is_filled_in_as_published(api: ApiServer, namespace: str) -> None:
    created = Shop(api, namespace).create(HTTP_ROUTES, a_route(to({"name": "blue", "port": 80})))

    assert created["spec"] == {
        "parentRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "edge"}],
        "rules": [
            {
                "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                "backendRefs": [
                    {"group": "", "kind": "Service", "name": "blue", "port": 80, "weight": 1}
                ],
            }
        ],
    }


@pytest.mark.parametrize("weight", [0, 1, 1_000_000])
def test_every_published_weight_is_taken(api: ApiServer, namespace: str, weight: int) -> None:
    created = Shop(api, namespace).create(HTTP_ROUTES, a_route(to(backend("blue", weight))))

    assert created["spec"]["rules"][0]["backendRefs"][0]["weight"] == weight


def test_only_a_change_of_the_spec_makes_a_generation(api: ApiServer, namespace: str) -> None:
    shop = Shop(api, namespace)
    shop.create(HTTP_ROUTES, a_route(to(backend("blue"))))

    api.request(
        "PATCH",
        f"{HTTP_ROUTES.path(namespace, 'shop')}/status",
        {"spec": {"hostnames": ["a.test"]}, "status": {"parents": []}},
    )
    after_status = shop.read(HTTP_ROUTES, "shop")
    after_spec = shop.change(HTTP_ROUTES, "shop", {"spec": {"hostnames": ["a.test"]}})

    assert (after_status["metadata"]["generation"], after_spec) == (1, 2)
    assert "hostnames" not in after_status["spec"]


def test_a_route_s_status_names_its_parents(api: ApiServer, namespace: str) -> None:
    Shop(api, namespace).create(HTTP_ROUTES, a_route(to(backend("blue"))))

    with pytest.raises(ApiError, match=r"status\.parents: Required value"):
        api.request("PATCH", f"{HTTP_ROUTES.path(namespace, 'shop')}/status", {"status": {}})


@pytest.mark.parametrize(
    ("controller", "reason"),
    [("no-domain", "should match"), ("", "at least 1 chars")],
)
def test_a_class_names_its_controller(api: ApiServer, controller: str, reason: str) -> None:
    with pytest.raises(ApiError, match=reason) as refusal:
        api.request("POST", GATEWAY_CLASSES.path(None), _class(controller))

    assert refusal.value.status == 422


def test_a_class_keeps_its_controller(api: ApiServer, namespace: str) -> None:
    path_of_all = GATEWAY_CLASSES.path(None)
    api.request("POST", path_of_all, _class("other.test/gateway", namespace))

    body = {"spec": {"controllerName": "another.test/gateway"}}
    with pytest.raises(ApiError, match="immutable"):
        api.request("PATCH", f"{path_of_all}/{namespace}", body)

    api.request("DELETE", f"{path_of_all}/{namespace}")


def test_nobody_has_said_anything_about_a_new_gateway(api: ApiServer, namespace: str) -> None:
    created = Shop(api, namespace).create(GATEWAYS, a_gateway(gatewayClassName="nobodys"))

    assert [
        (each["type"], each["status"], each["reason"]) for each in created["status"]["conditions"]
    ] == [("Accepted", "Unknown", "Pending"), ("Programmed", "Unknown", "Pending")]


def _class(controller: str, name: str = "other") -> Json:
    return {
        "apiVersion": GATEWAY_API,
        "kind": "GatewayClass",
        "metadata": {"name": name},
        "spec": {"controllerName": controller},
    }
