"""Where requests go: rules in their order, weights, and what has nobody behind it."""

import math

from tests.gateway.shop import BLUE, BLUE_2, GREEN, Shop, ask, backend, to, weights
from tests.gateway.waiting import eventually
from tests.onprem.haproxy.proxy import Member
from tests.standins.gateway.objects import ENDPOINT_SLICES, HTTP_ROUTES, SERVICES
from tests.standins.gateway.server import GatewayServer

# An address that the gateway was not told of: it uses it as it is.
LOCAL = "198.51.100.99"


def header(value: str, name: str = "X-Bluegreen-Pin") -> dict[str, list[dict[str, str]]]:
    return {"headers": [{"name": name, "value": value}]}


def prefix(value: str) -> dict[str, dict[str, str]]:
    return {"path": {"type": "PathPrefix", "value": value}}


def exact(value: str) -> dict[str, dict[str, str]]:
    return {"path": {"type": "Exact", "value": value}}


def test_a_header_reaches_the_idle_color_and_everything_else_the_active_one(
    shop: Shop, gateway: GatewayServer
) -> None:
    shop.serve(
        gateway,
        to(*weights(blue=100, green=0)),
        to(backend("shop-green"), matches=[header("idle")]),
    )

    def body(**headers: str) -> str:
        return ask(gateway.port, Host=shop.host, **headers).body

    assert [body() for _ in range(20)] == ["blue"] * 20
    assert [body(X_Bluegreen_Pin="idle") for _ in range(20)] == ["green"] * 20
    assert body(x_bluegreen_pin="idle") == "green"
    assert [body(X_Bluegreen_Pin=value) for value in ("Idle", "idle2", "")] == ["blue"] * 3


def test_the_longest_prefix_decides_and_ends_at_a_slash(shop: Shop, gateway: GatewayServer) -> None:
    shop.serve(
        gateway,
        to(backend("shop-blue"), matches=[prefix("/")]),
        to(backend("shop-green"), matches=[prefix("/cart"), prefix("/a/")]),
        to(backend("shop-blue"), matches=[prefix("/cart/old"), exact("/cart/now")]),
    )

    paths = {
        "/": "blue",
        "/carts": "blue",
        "/cart": "green",
        "/cart/": "green",
        "/cart/new?x=/cart/old": "green",
        "/cart/now": "blue",
        "/cart/now/": "green",
        "/cart/old/1": "blue",
        "/a": "green",
        "/a/b": "green",
    }
    assert {path: ask(gateway.port, path, Host=shop.host).body for path in paths} == paths


def test_of_equal_paths_the_method_decides_and_then_the_number_of_headers(
    shop: Shop, gateway: GatewayServer
) -> None:
    both = {"headers": [*header("1", "X-A")["headers"], *header("1", "X-B")["headers"]]}
    shop.serve(
        gateway,
        to(backend("shop-blue"), matches=[header("1", "X-A")]),
        to(backend("shop-green"), matches=[both]),
        to(backend("shop-blue"), matches=[{"method": "POST"}]),
        to(backend("shop-green")),
    )

    def body(method: str = "GET", **headers: str) -> str:
        return ask(gateway.port, method=method, Host=shop.host, **headers).body

    assert body() == "green"
    assert body(X_A="1") == "blue"
    assert body(X_A="1", X_B="1") == "green"
    assert body(X_B="1") == "green"
    assert body("POST", X_A="1", X_B="1") == "blue"


def test_a_host_of_its_own_goes_before_a_wildcard_and_that_before_none(
    shop: Shop, gateway: GatewayServer
) -> None:
    name = shop.namespace
    hosts = {"own": f"a.{name}.test", "wild": f"*.{name}.test"}
    shop.serve(gateway, to(backend("shop-green")), name="own", hostnames=[hosts["own"]])
    shop.serve(gateway, to(backend("shop-blue")), name="wild", hostnames=[hosts["wild"]])

    def body(host: str) -> str:
        return ask(gateway.port, Host=host).body

    assert body(f"a.{name}.test") == "green"
    assert body(f"A.{name}.test:8080") == "green"
    assert body(f"b.{name}.test") == "blue"
    assert ask(gateway.port, Host=f"{name}.test").status == 404


def test_of_equal_matches_the_older_route_decides(shop: Shop, gateway: GatewayServer) -> None:
    shop.serve(gateway, to(backend("shop-blue")), name="z-older")
    created = shop.read(HTTP_ROUTES, "z-older")["metadata"]["creationTimestamp"]
    # Ages are in whole seconds, and of equal ones the name decides.
    numbers = iter(range(1_000_000))
    younger = eventually(lambda: _other(shop, f"a-{next(numbers)}", created), lambda name: name)
    gateway.wait_applied(shop.namespace, younger, 1)

    assert ask(gateway.port, Host=shop.host).body == "blue"


def test_a_filter_changes_the_headers_of_requests_and_answers(
    shop: Shop, gateway: GatewayServer, pods: dict[str, Member]
) -> None:
    changes = {
        "set": [{"name": "X-Set", "value": "50% 'new' #1 %[src]"}],
        "add": [{"name": "X-Add", "value": "2"}],
        "remove": ["X-Gone"],
    }
    answer_changes = {"set": [{"name": "X-Answer", "value": "yes"}], "remove": ["Content-Language"]}
    shop.serve(
        gateway,
        to(
            backend("shop-blue"),
            matches=[prefix("/changed")],
            filters=[
                {"type": "RequestHeaderModifier", "requestHeaderModifier": changes},
                {"type": "ResponseHeaderModifier", "responseHeaderModifier": answer_changes},
            ],
        ),
        to(backend("shop-blue")),
    )
    sent = {"Host": shop.host, "X_Set": "old", "X_Add": "1", "X_Gone": "1"}

    changed = ask(gateway.port, "/changed", **sent)
    received = pods[BLUE].last_head.decode().lower().split("\r\n")
    plain = ask(gateway.port, "/plain", **sent)
    received_plain = pods[BLUE].last_head.decode().lower().split("\r\n")

    assert "x-set: 50% 'new' #1 %[src]" in received
    assert [line for line in received if line.startswith("x-add")] == ["x-add: 1", "x-add: 2"]
    assert not [line for line in received if line.startswith("x-gone")]
    assert changed.headers["x-answer"] == "yes"
    assert {"x-set: old", "x-add: 1", "x-gone: 1"} <= set(received_plain)
    assert "x-answer" not in plain.headers


def test_a_tenth_of_the_weight_gets_a_tenth_of_the_requests(
    shop: Shop, gateway: GatewayServer
) -> None:
    shop.serve(gateway, to(*weights(blue=900, green=100)))
    requests, share = 2_000, 0.1
    limit = 3 * math.sqrt(requests * share * (1 - share))

    def is_far() -> bool:
        answers = [ask(gateway.port, Host=shop.host).body for _ in range(requests)]
        assert set(answers) == {"blue", "green"}
        return abs(answers.count("green") - requests * share) > limit

    # One series of 370 is that far by chance alone; two in a row are not.
    assert not (is_far() and is_far())


def test_one_of_a_million_is_not_nobody(shop: Shop, gateway: GatewayServer) -> None:
    shop.serve(gateway, to(backend("shop-blue", 0), backend("shop-green", 1)))
    assert ask(gateway.port, Host=shop.host).body == "green"

    shares = [backend("shop-blue", 1_000_000)] * 15
    generation = shop.set_rules(to(*shares, backend("shop-green", 1)))
    applied = gateway.wait_applied(shop.namespace, "shop", generation)

    assert applied["shares"][0].startswith("15000001,")
    assert applied["shares"][0].endswith(f"_shop-green_{80},15000001")
    assert ask(gateway.port, Host=shop.host).body == "blue"


def test_weights_of_zero_and_no_backends_are_status_500(shop: Shop, gateway: GatewayServer) -> None:
    shop.serve(gateway, to(*weights(blue=0, green=0)), to(matches=[prefix("/none")]))

    assert [ask(gateway.port, path, Host=shop.host).status for path in ("/", "/none")] == [500, 500]


def test_the_share_of_a_missing_backend_is_status_500(shop: Shop, gateway: GatewayServer) -> None:
    shop.serve(gateway, to(backend("shop-blue", 1), backend("shop-red", 1)))

    answers = [ask(gateway.port, Host=shop.host).status for _ in range(200)]

    assert set(answers) == {200, 500}
    # Half of them, within more than five sigma.
    assert 60 < answers.count(500) < 140


def test_a_backend_without_ready_endpoints_is_status_503(
    shop: Shop, gateway: GatewayServer
) -> None:
    shop.set_endpoints("green", ready=[], terminating=[GREEN])
    shop.add_route(to(backend("shop-green")))
    gateway.wait_endpoints(shop.namespace, "shop-green", 0, draining=1)
    without = ask(gateway.port, Host=shop.host).status
    shop.set_endpoints("green", ready=[GREEN])

    answer = eventually(lambda: ask(gateway.port, Host=shop.host), lambda one: one.status != 503)

    assert (without, answer.body) == (503, "green")


def test_every_ready_endpoint_gets_requests(
    shop: Shop, gateway: GatewayServer, pods: dict[str, Member]
) -> None:
    shop.set_endpoints("blue", ready=[BLUE, BLUE_2])
    shop.add_route(to(backend("shop-blue")))
    gateway.wait_endpoints(shop.namespace, "shop-blue", 2)
    blue = [pods[BLUE], pods[BLUE_2]]
    before = [pod.requests for pod in blue]

    for _ in range(20):
        assert ask(gateway.port, Host=shop.host).status == 200

    assert [pod.requests - earlier for pod, earlier in zip(blue, before, strict=True)] == [10, 10]


def test_a_service_s_port_is_found_at_the_pods_by_its_name(
    shop: Shop, gateway: GatewayServer
) -> None:
    names = [{"name": "web", "port": 80}, {"name": "admin", "port": 81}]
    shop.change(SERVICES, "shop-blue", {"spec": {"ports": names}})
    numbers = [{"name": "admin", "port": 9}, {"name": "web", "port": 8088}]
    here = [{"addresses": [LOCAL], "conditions": {"ready": True}}]
    shop.change(ENDPOINT_SLICES, "shop-blue", {"ports": numbers, "endpoints": here})
    shop.serve(gateway, to(backend("shop-blue")))

    assert gateway.wait_endpoints(shop.namespace, "shop-blue")["ready"] == [f"{LOCAL}:8088"]


def test_a_route_that_is_gone_is_not_served(shop: Shop, gateway: GatewayServer) -> None:
    shop.serve(gateway, to(backend("shop-blue")))
    served = ask(gateway.port, Host=shop.host).status
    shop.delete(HTTP_ROUTES, "shop")

    eventually(lambda: ask(gateway.port, Host=shop.host).status, lambda status: status == 404)

    assert served == 200


def _other(shop: Shop, name: str, created: str) -> str | None:
    """A route whose age is not `created`; None when the clock has not moved on yet."""
    shop.add_route(to(backend("shop-green")), name=name)
    if shop.read(HTTP_ROUTES, name)["metadata"]["creationTimestamp"] != created:
        return name
    shop.delete(HTTP_ROUTES, name)
    return None
