"""A live Deployment and its Service come under the library's care, as docs/kubernetes.md says."""

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bluegreen.colors import Color
from bluegreen.kubernetes.members import ready_names
from tests.engine.front_door import front_door
from tests.engine.kubernetes_driver import KubernetesDriver, service_driver
from tests.engine.onprem_load import Traffic, traffic_on
from tools.cluster.node_cluster import NodeCluster
from tools.cluster.processes import wait_until

PATIENCE_SECONDS = 120.0
LEGACY = "legacy"
REPLICAS = 3
RATE = 200


def legacy_deployment() -> dict[str, Any]:
    """As somebody wrote it years ago: its pods say only whose they are."""
    env = {"BLUEGREEN_COLOR": LEGACY, "BLUEGREEN_RELEASE": "0.9", "APP_DRAIN_SECONDS": "3"}
    container = {
        "name": "web",
        "image": "local/shop:1",
        "imagePullPolicy": "Never",
        "env": [{"name": name, "value": value} for name, value in env.items()],
        "readinessProbe": {
            "httpGet": {"path": "/health/ready", "port": 8080},
            "periodSeconds": 1,
        },
    }
    labels = {"app": "shop"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "shop"},
        "spec": {
            "replicas": REPLICAS,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def legacy_service(port: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "shop", "labels": {"team": "checkout"}},
        "spec": {"selector": {"app": "shop"}, "ports": [{"port": 80, "targetPort": 8080, **port}]},
    }


class Shop:
    """What was there before, and the driver of what is to come."""

    def __init__(self, driver: KubernetesDriver) -> None:
        self.driver, self.api, self.names = driver, driver.api, driver.names

    def deploy_legacy(self, **port: Any) -> tuple[str, int]:
        """Returns where its Service is, once all of its pods are behind it."""
        self.api.create(self.names.group("apps/v1", "deployments"), legacy_deployment())
        self.api.create(self.names.core("services"), legacy_service(port))
        wait_until(lambda: len(self.behind()) == REPLICAS, PATIENCE_SECONDS)
        address = (self.service()["spec"]["clusterIP"], 80)
        url = f"http://{address[0]}:{address[1]}/"
        wait_until(lambda: _answers(url), PATIENCE_SECONDS)
        return address

    def remove_legacy_deployment(self) -> None:
        """As `kubectl delete deployment shop` does, until the last pod has ended."""
        self.api.delete(self.names.group("apps/v1", "deployments", "shop"))
        wait_until(lambda: not self.legacy_pods(), PATIENCE_SECONDS)

    def service(self) -> dict[str, Any]:
        found = self.driver.router()
        assert found is not None
        return found

    def behind(self) -> set[str]:
        path = self.names.group("discovery.k8s.io/v1", "endpointslices")
        return ready_names(self.api.items(path, labelSelector="kubernetes.io/service-name=shop"))

    def legacy_pods(self) -> list[dict[str, Any]]:
        return self.api.items(self.names.core("pods"), labelSelector="app=shop,!color")

    def objects(self) -> list[str]:
        kinds = [
            self.names.core("services"),
            self.names.core("configmaps"),
            self.names.group("apps/v1", "deployments"),
        ]
        found = [each["metadata"]["name"] for kind in kinds for each in self.api.items(kind)]
        return sorted(set(found) - {"kube-root-ca.crt"})


class Steps:
    """Which step was under way when a request was sent."""

    def __init__(self) -> None:
        self._begun: list[tuple[float, str]] = []

    def begin(self, step: str) -> None:
        self._begun.append((time.monotonic(), step))

    def failures(self, traffic: Traffic) -> Counter[str]:
        assert traffic.recording is not None
        failed = [each for each in traffic.recording if each.outcome != "ok"]
        return Counter(
            next(
                (
                    f"{step}, {each.intended - begun:.0f} s: {each.outcome}"
                    for begun, step in reversed(self._begun)
                    if begun <= each.intended
                ),
                "before",
            )
            for each in failed
        )


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2, trust_env=False).is_success
    except httpx.TransportError:
        return False


@pytest.fixture
def shop(node_cluster: NodeCluster) -> Iterator[Shop]:
    with service_driver(node_cluster) as driver:
        driver.configure("active_color", "blue")
        driver.configure("blue", {"release": "1.0", "replicas": REPLICAS})
        # Many requests at a time, on a machine that does other things too.
        driver.configure("service.follow.timeout_seconds", 60)
        driver.configure("service.gates.timeout_seconds", 120)
        driver.configure("service.gates.capacity.timeout_seconds", 90)
        driver.configure("service.kubernetes.ready_timeout_seconds", 90)
        yield Shop(driver)


@pytest.mark.parametrize(
    "port",
    [{"name": "web"}, pytest.param({}, marks=pytest.mark.soak)],
    ids=["named", "unnamed"],
)
def test_a_live_deployment_and_its_service_are_taken_over_without_a_failed_request(
    shop: Shop, port: dict[str, str]
):
    driver = shop.driver
    address = shop.deploy_legacy(**port)
    uid = shop.service()["metadata"]["uid"]

    steps = Steps()
    with front_door(lambda: address) as door, traffic_on(door, "/", fresh_share=0.5) as traffic:
        steps.begin("adopt")
        adopted = driver.up()
        assert adopted.ok, adopted
        assert driver.ask("production", 10) == {"blue 1.0": 10}

        steps.begin("remove the legacy Deployment")
        shop.remove_legacy_deployment()

        steps.begin("deploy green")
        driver.configure("green", {"release": "1.1", "replicas": REPLICAS})
        deployed = driver.up()
        assert deployed.ok, deployed
        assert driver.ask("production", 10) == {"blue 1.0": 10}

        steps.begin("switch")
        driver.configure("active_color", "green")
        switched = driver.up()
        assert switched.ok, switched
        assert driver.ask("production", 10) == {"green 1.1": 10}

    assert steps.failures(traffic) == {}, traffic
    assert set(traffic.report.answers) == {LEGACY, "blue", "green"}
    # What others wrote is as it was: who refers to the port by its name still can.
    service = shop.service()
    assert service["metadata"]["uid"] == uid
    assert service["metadata"]["labels"]["team"] == "checkout"
    assert [each.get("name") for each in service["spec"]["ports"]] == [port.get("name")]
    assert driver.preview().plan == []


def test_a_second_color_before_the_selector_is_narrowed_is_refused(shop: Shop):
    driver = shop.driver
    shop.deploy_legacy()
    driver.configure("green", {"release": "1.1", "replicas": REPLICAS})

    refused = driver.up()

    assert refused.exit_code != 0
    assert (
        "the selector of Service shop is app=shop: it reaches both colors; leave the other color "
        "out until it is narrowed"
    ) in refused.text
    assert "Traceback" not in refused.text
    # The preview said so already, and nothing was made.
    assert refused.done == []
    assert shop.objects() == ["shop"]
    assert driver.ask("production", 5) == {f"{LEGACY} 0.9": 5}


def test_without_the_providers_permission_the_service_is_left_as_it_was(shop: Shop):
    driver = shop.driver
    shop.deploy_legacy()
    driver.stack.configure_in("kubernetes", "upsertExistingObjects", None)

    refused = driver.up()

    assert refused.exit_code != 0
    assert '"shop" already exists' in refused.text
    assert "upsertExistingObjects" in refused.text
    assert shop.service()["spec"]["selector"] == {"app": "shop"}
    assert driver.outputs().get("active_color") != str(Color.GREEN)

    driver.stack.configure_in("kubernetes", "upsertExistingObjects", "true")
    adopted = driver.up()

    assert adopted.ok, adopted
    assert shop.service()["spec"]["selector"] == {"app": "shop", "color": "blue"}
