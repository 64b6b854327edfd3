"""What changes of weights and endpoints cost requests that are under way: nothing."""

import asyncio
import contextlib
import itertools
import json
import statistics
import time
from collections.abc import Callable, Iterator

import pytest

from bluegreen.colors import Color
from bluegreen.load import Switch, count_stale
from tests.gateway.shop import BLUE, BLUE_2, GREEN, Shop, active, ask, backend, to
from tests.gateway.traffic import HOST, load_on, switch
from tests.gateway.waiting import eventually
from tests.load.servers import AppProcess
from tests.onprem.haproxy.proxy import KeepAlive, Members
from tests.ports import free_ports
from tests.standins.gateway.objects import HTTP_ROUTES
from tests.standins.gateway.server import GatewayServer

SWITCHES = 10
LAG_SECONDS = 1.0
ENOUGH = 200

POD = {Color.BLUE: BLUE, Color.GREEN: GREEN}

Apps = dict[str, AppProcess]


@pytest.fixture
def serve(
    shop: Shop, apps: Apps, start_gateway: Callable[..., GatewayServer]
) -> Callable[..., GatewayServer]:
    """Starts a gateway for the shop alone, with all requests to blue."""

    def start(more: Apps | None = None, **options: object) -> GatewayServer:
        places = {
            address: f"127.0.0.1:{app.port}" for address, app in {**apps, **(more or {})}.items()
        }
        gateway = start_gateway(namespace=shop.namespace, addresses=places, **options)
        shop.serve(gateway, active(Color.BLUE), hostnames=[HOST])
        return gateway

    return start


def wait_for_requests(app: AppProcess) -> None:
    """Until an application has answered some more, not counting that it is asked for the count."""
    counts = (int(json.loads(app.get("/stats")[2])["answered"]) for _ in itertools.repeat(None))
    before = next(counts)
    others = (count - before - asked for asked, count in enumerate(counts, start=1))
    eventually(lambda: next(others), lambda more: more >= ENOUGH)


@contextlib.contextmanager
def ended(app: AppProcess) -> Iterator[AppProcess]:
    try:
        yield app.wait_until_listening()
    finally:
        app.end()


def test_ten_switches_under_load_lose_nothing_and_leave_nothing_stale(
    shop: Shop, apps: Apps, serve: Callable[..., GatewayServer]
) -> None:
    gateway, color, switches = serve(), Color.BLUE, []

    with load_on(gateway) as recordings:
        wait_for_requests(apps[POD[color]])
        for _ in range(SWITCHES):
            color = color.other
            switches.append(switch(shop, gateway, color))
            wait_for_requests(apps[POD[color]])
    (recording,) = recordings

    assert recording.failures() == {}
    assert count_stale(recording, switches) == 0
    assert min(recording.by_color().values()) >= ENOUGH * SWITCHES / 2
    # Both kinds of connections were there: what is more than connections came on a kept one.
    assert recording.connections_opened > ENOUGH
    assert len(recording) - recording.connections_opened > ENOUGH
    took = [each.returned - each.started for each in switches]
    print(f"followed the write in {statistics.median(took):.3f} s median, {max(took):.3f} s most")


def test_that_the_route_is_accepted_does_not_say_that_traffic_has_moved(
    shop: Shop, apps: Apps, serve: Callable[..., GatewayServer]
) -> None:
    gateway = serve(lag_seconds=LAG_SECONDS)

    with load_on(gateway) as recordings:
        wait_for_requests(apps[BLUE])
        started = time.monotonic()
        generation = shop.set_rules(active(Color.GREEN))
        eventually(
            lambda: shop.conditions(HTTP_ROUTES, "shop")["Accepted"]["observedGeneration"],
            lambda seen: seen == generation,
        )
        accepted = time.monotonic()
        applied = gateway.wait_applied(shop.namespace, "shop", generation)
        wait_for_requests(apps[GREEN])
    (recording,) = recordings

    def stale(returned: float) -> int:
        return count_stale(recording, [Switch("blue", "green", started, returned)])

    assert recording.failures() == {}
    assert stale(started) > 0
    assert stale(applied["monotonic"]) == 0
    assert applied["monotonic"] - started >= LAG_SECONDS
    # Unless the machine was so slow that even the status took as long.
    assert stale(accepted) > 0 or accepted - started > LAG_SECONDS / 2


def test_an_endpoint_that_leaves_finishes_what_it_has_and_gets_nothing_new(
    shop: Shop, apps: Apps, serve: Callable[..., GatewayServer]
) -> None:
    with ended(AppProcess(BLUEGREEN_COLOR="blue")) as leaving:
        gateway = serve({BLUE_2: leaving})
        before = len(gateway.applied)
        with load_on(gateway, "/slow?ms=200") as recordings:
            shop.set_endpoints("blue", ready=[BLUE, BLUE_2])
            wait_for_requests(leaving)
            shop.set_endpoints("blue", ready=[BLUE], terminating=[BLUE_2])
            gateway.wait_endpoints(shop.namespace, "shop-blue", 1, draining=1)
            # It ends as soon as what it has is answered: whatever else came would be lost.
            leaving.process.terminate()
            assert leaving.process.wait(30) == 0
            wait_for_requests(apps[BLUE])
            shop.set_endpoints("blue", ready=[BLUE])
            gateway.wait_endpoints(shop.namespace, "shop-blue", 1)
            wait_for_requests(apps[BLUE])
    (recording,) = recordings

    assert recording.failures() == {}
    assert [line["reloaded"] for line in gateway.applied[before:]] == [False] * 3


def test_endpoints_and_weights_that_change_together_lose_nothing(
    shop: Shop, apps: Apps, serve: Callable[..., GatewayServer]
) -> None:
    gateway = serve()
    shop.set_endpoints("green", ready=[])
    color = Color.BLUE

    with load_on(gateway) as recordings:
        for _ in range(4):
            color = color.other
            shop.set_endpoints(color.value, ready=[POD[color]])
            gateway.wait_endpoints(shop.namespace, f"shop-{color}")
            switch(shop, gateway, color)
            shop.set_endpoints(color.other.value, ready=[])
            wait_for_requests(apps[POD[color]])
    (recording,) = recordings

    assert recording.failures() == {}
    assert set(recording.by_color()) == {"blue", "green"}


def test_to_take_the_endpoints_away_before_the_weight_does_lose_requests(
    shop: Shop, apps: Apps, serve: Callable[..., GatewayServer]
) -> None:
    gateway = serve()

    with load_on(gateway) as recordings:
        wait_for_requests(apps[BLUE])
        shop.set_endpoints("blue", ready=[])
        gateway.wait_endpoints(shop.namespace, "shop-blue", 0)
        eventually(lambda: ask(gateway.port, Host=HOST).status, lambda status: status == 503)
        switch(shop, gateway, Color.GREEN)
        wait_for_requests(apps[GREEN])
    (recording,) = recordings

    assert recording.failed() > 0


def test_a_new_rule_under_load_loses_nothing_though_it_takes_a_reload(
    shop: Shop, apps: Apps, serve: Callable[..., GatewayServer]
) -> None:
    gateway = serve()
    idle = to(backend("shop-green"), matches=[{"headers": [{"name": "X-Idle", "value": "1"}]}])

    with load_on(gateway) as recordings:
        for rules in ([active(Color.BLUE), idle], [active(Color.BLUE)]) * 3:
            wait_for_requests(apps[BLUE])
            generation = shop.set_rules(*rules)
            applied = gateway.wait_applied(shop.namespace, "shop", generation)
            assert applied["reloaded"]
            expected = "green" if idle in rules else "blue"
            assert ask(gateway.port, Host=HOST, X_Idle="1").body.split()[0] == expected
    (recording,) = recordings

    assert recording.failures() == {}


def test_a_connection_from_before_a_reload_follows_the_weights_too(
    shop: Shop, apps: Apps, serve: Callable[..., GatewayServer]
) -> None:
    gateway = serve()

    async def colors() -> list[str]:
        kept, found = KeepAlive(gateway.port), []
        found.append((await kept.get())[1].split()[0])
        idle = to(backend("shop-green"), matches=[{"headers": [{"name": "X-I", "value": "1"}]}])
        generation = shop.set_rules(active(Color.BLUE), idle)
        assert gateway.wait_applied(shop.namespace, "shop", generation)["reloaded"]
        generation = shop.set_rules(active(Color.GREEN), idle)
        assert not gateway.wait_applied(shop.namespace, "shop", generation)["reloaded"]
        found.append((await kept.get())[1].split()[0])
        await kept.aclose()
        return found

    assert asyncio.run(colors()) == ["blue", "green"]


def test_more_endpoints_than_there_are_slots_are_served_all_the_same(
    shop: Shop, start_gateway: Callable[..., GatewayServer]
) -> None:
    count = 40
    served = Members()
    try:
        pods = {
            f"198.51.100.{100 + number}": served.start(Color.BLUE, port)
            for number, port in enumerate(free_ports(count))
        }
        places = {address: f"127.0.0.1:{pod.port}" for address, pod in pods.items()}
        gateway = start_gateway(namespace=shop.namespace, addresses=places)
        shop.add_route(active(Color.BLUE), hostnames=[HOST])
        shop.set_endpoints("blue", ready=pods)
        gateway.wait_endpoints(shop.namespace, "shop-blue", count)

        answers = [ask(gateway.port, Host=HOST).status for _ in range(count)]
        gateway.stop()
    finally:
        served.stop()

    assert answers == [200] * count
    assert [pod.requests for pod in pods.values()] == [1] * count
