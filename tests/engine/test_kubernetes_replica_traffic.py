"""What clients notice of a live color whose members change their owner: 500 requests a second."""

import time
from collections import Counter
from collections.abc import Iterator

import pytest
from kubernetes import client

from bluegreen.load.recording import Outcome
from tests.engine.kubernetes_driver import KubernetesDriver, service_driver
from tests.engine.kubernetes_load import ClusterTraffic, traffic_on
from tests.engine.kubernetes_replicas import Shop, watched_replicas
from tools.cluster.node_cluster import NodeCluster

pytestmark = pytest.mark.alone
# A program that ends its connections well, and ends sooner than kube-proxy has heard of it.
QUICK_END = {"APP_DRAIN_SECONDS": "0.3"}


@pytest.fixture
def driver(node_cluster: NodeCluster) -> Iterator[KubernetesDriver]:
    """Blue 1.0 is live with three members, whom nothing holds up when they are to end."""
    with service_driver(node_cluster) as driver:
        driver.configure("service.kubernetes.pre_stop_seconds", 0)
        driver.configure("service.kubernetes.resources", {"requests": {"cpu": "5m"}})
        driver.configure("active_color", "blue")
        driver.configure("blue", {"release": "1.0", "replicas": 3, "env": QUICK_END})
        result = driver.up()
        assert result.ok, result
        yield driver


@pytest.fixture
def api(driver: KubernetesDriver) -> Iterator[client.ApiClient]:
    with driver.cluster.asking() as api:
        yield api


def up(driver: KubernetesDriver) -> None:
    result = driver.up()
    assert result.ok, result


def losses(traffic: ClusterTraffic, steps: list[tuple[float, str]]) -> Counter[str]:
    """How many requests failed in which step."""
    assert traffic.fresh is not None
    assert traffic.kept is not None
    return Counter(
        max((at, name) for at, name in steps if at <= each.intended or name == steps[0][1])[1]
        for recording in (traffic.fresh, traffic.kept)
        for each in recording
        if each.outcome is not Outcome.OK
    )


def test_no_request_is_lost_while_a_live_color_is_handed_to_an_autoscaler_and_back(
    driver: KubernetesDriver, api: client.ApiClient
) -> None:
    namespace = driver.names.namespace
    shop = Shop(driver.stack, api, namespace)
    steps = []

    def step(name: str) -> None:
        steps.append((time.monotonic(), name))

    with watched_replicas(api, namespace, "blue") as watched, traffic_on(driver) as traffic:
        step("to the autoscaler")
        shop.autoscale(max_replicas=6)
        up(driver)
        step("the autoscaler adds members")
        shop.autoscaler_says("blue", 5)
        step("to the program")
        shop.stop_autoscaling()
        driver.configure("blue.replicas", 5)
        up(driver)
        step("to the autoscaler again")
        shop.autoscale(max_replicas=6)
        up(driver)
        assert watched.until(5) == [3, 5]

    assert losses(traffic, steps) == {}, str(traffic)
    assert traffic.requests > 1_000
