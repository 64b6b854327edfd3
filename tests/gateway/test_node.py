"""The gateway before real pods: what it loses when it is switched and when pods end."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bluegreen.colors import Color
from bluegreen.load import count_stale
from tests.cluster.objects import deployment, service
from tests.gateway.shop import Shop, active
from tests.gateway.traffic import HOST, load_on, switch
from tests.gateway.waiting import eventually
from tests.ports import free_port
from tests.standins.gateway.api import ApiServer
from tests.standins.gateway.install import install
from tests.standins.gateway.objects import SERVICES, Kind
from tests.standins.gateway.server import GatewayServer
from tools.cluster.node_cluster import NodeCluster

DEPLOYMENTS = Kind("apps/v1", "deployments")
PODS = Kind("v1", "pods")
REPLICAS = 2
SWITCHES = 3
READY = {"httpGet": {"path": "/health/ready", "port": 8080}, "periodSeconds": 1}

Served = tuple[Shop, GatewayServer]


def pods_of(color: Color) -> dict[str, object]:
    environment = {"BLUEGREEN_COLOR": color.value, "APP_DRAIN_SECONDS": "2"}
    variables = [{"name": name, "value": value} for name, value in environment.items()]
    return deployment(f"shop-{color}", replicas=REPLICAS, env=variables, readinessProbe=READY)


@pytest.fixture
def served(haproxy: None, node_cluster: NodeCluster, node_namespace: str) -> Iterator[Served]:
    """Both colors' pods behind a gateway, all requests to blue; the test runs where they are."""
    with node_cluster.network(), TemporaryDirectory(prefix="bg-gateway-") as folder:
        install(node_cluster.kubeconfig)
        shop = Shop(ApiServer(node_cluster.kubeconfig), node_namespace)
        for color in Color:
            shop.create(DEPLOYMENTS, pods_of(color))
            shop.create(SERVICES, service(f"shop-{color}"))
        shop.add_gateway()
        server = GatewayServer(
            node_cluster.kubeconfig, free_port(), Path(folder), namespace=node_namespace
        )
        with server as gateway:
            shop.add_route(active(Color.BLUE), hostnames=[HOST])
            for color in Color:
                gateway.wait_endpoints(node_namespace, f"shop-{color}", REPLICAS)
            yield shop, gateway


def names_of_pods(shop: Shop, color: Color) -> list[str]:
    selector = f"{PODS.path(shop.namespace)}?labelSelector=app%3Dshop-{color}"
    return [pod["metadata"]["name"] for pod in shop.api.list(selector)["items"]]


def scale(shop: Shop, gateway: GatewayServer, color: Color, replicas: int) -> None:
    """Returns when no pod of another number is there, and the gateway knows those that are."""
    shop.change(DEPLOYMENTS, f"shop-{color}", {"spec": {"replicas": replicas}})
    eventually(lambda: names_of_pods(shop, color), lambda names: len(names) == replicas)
    gateway.wait_endpoints(shop.namespace, f"shop-{color}", replicas)


def test_switches_between_real_pods_and_the_end_of_idle_ones_lose_nothing(served: Served) -> None:
    shop, gateway = served
    color, switches = Color.BLUE, []

    with load_on(gateway) as recordings:
        for _ in range(SWITCHES):
            color = color.other
            switches.append(switch(shop, gateway, color))
            scale(shop, gateway, color.other, 0)
            scale(shop, gateway, color.other, REPLICAS)
    (recording,) = recordings

    assert recording.failures() == {}
    assert count_stale(recording, switches) == 0
    assert set(recording.by_color()) == {"blue", "green"}


def test_live_pods_that_drain_are_ended_without_a_lost_request(served: Served) -> None:
    shop, gateway = served

    with load_on(gateway, "/slow?ms=200") as recordings:
        scale(shop, gateway, Color.BLUE, 1)
        scale(shop, gateway, Color.BLUE, REPLICAS)
    (recording,) = recordings

    assert recording.failures() == {}
    assert len(recording) > 1_000
