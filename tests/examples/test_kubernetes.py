"""What the READMEs of the examples for Kubernetes say works, word for word, on a real node.

Of their config only what the tests' cluster has otherwise is replaced: the image, with the paths
that it answers, and how images get there.
"""

import contextlib
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from bluegreen.kubernetes.cluster import Cluster, ClusterAccess
from bluegreen.kubernetes.http_route_router import weights_route
from bluegreen.kubernetes.names import ObjectNames
from bluegreen.kubernetes.service_router import selector_route
from bluegreen.traffic import TrafficSplit
from tests.docs.pages import Block
from tests.engine.front_door import front_door
from tests.engine.pulumi_stack import ENGINE
from tests.examples.project import ExampleProject
from tests.ports import free_port
from tests.standins.gateway.install import install
from tests.standins.gateway.server import GatewayServer
from tools.cluster.node_cluster import NodeCluster
from tools.cluster.processes import wait_until

pytestmark = pytest.mark.skipif(
    not (ENGINE / "pulumi").exists() and shutil.which("pulumi") is None,
    reason="no Pulumi engine; `make setup` makes one",
)

BLUE = TrafficSplit(blue=100, green=0)
GREEN = TrafficSplit(blue=0, green=100)
GATEWAY_API = "gateway.networking.k8s.io/v1"
ASKED = 40
PATIENCE_SECONDS = 60.0


def of_the_test_image(project: str) -> dict[str, Any]:
    """What the image of the tests needs otherwise than podinfo."""
    service = f"{project}:service"
    return {
        f"{service}.health_check.path": "/health/ready",
        f"{service}.health_check.interval_seconds": 1,
        f"{service}.color_from": {"header": "X-Bluegreen-Color"},
        f"{service}.kubernetes.image": "local/shop:1",
        f"{service}.kubernetes.image_pull_policy": "Never",
        f"{service}.kubernetes.ready_initial_delay_seconds": 0,
    }


class Example:
    """One example, running in a namespace of its own."""

    def __init__(self, project: ExampleProject, name: str, cluster: Path, namespace: str) -> None:
        self.project = project
        self.namespace = namespace
        self.names = ObjectNames(name, namespace)
        self.api = Cluster(ClusterAccess(kubeconfig=str(cluster)))

    def follow(self, block: Block) -> None:
        """Types the lines of one part of the README."""
        for line in block.lines:
            if self.project.can_type(line):
                here = f"/namespaces/{self.namespace}/"
                self.project.type(line.replace("/namespaces/default/", here))

    def service(self, name: str) -> dict[str, Any] | None:
        return self.api.get(self.names.core("services", name))

    def selected(self) -> TrafficSplit | None:
        route = selector_route(self.service(self.names.production) or {})
        return route.split if route else None

    def weighted(self) -> TrafficSplit | None:
        path = self.names.group(GATEWAY_API, "httproutes", self.names.production)
        route = weights_route(self.api.get(path) or {})
        return route.split if route else None

    def idle_release(self) -> str | None:
        """What the test endpoint answers with; None where nobody does."""
        service = self.names.core("services", f"http:{self.names.test}:80")
        answer = self.api.request("GET", f"{service}/proxy/")
        return answer.body.decode().strip() if answer.status == 200 else None

    def is_gone(self) -> bool:
        kinds = [
            self.names.group("apps/v1", "deployments"),
            self.names.core("services"),
            self.names.group("policy/v1", "poddisruptionbudgets"),
        ]
        return not any(self.api.items(kind) for kind in kinds)


def in_namespace(kubeconfig: Path, namespace: str, file: Path) -> Path:
    """As `kubectl config set-context --current --namespace` does, in a copy."""
    content = yaml.safe_load(kubeconfig.read_text())
    for each in content["contexts"]:
        each["context"]["namespace"] = namespace
    file.write_text(yaml.safe_dump(content))
    return file


def asked(url: str, count: int = ASKED) -> Counter[str]:
    """Over a connection each."""
    return Counter(httpx.get(url, trust_env=False).text.strip() for _ in range(count))


@contextlib.contextmanager
def example(cluster: NodeCluster, directory: Path, folder: str, name: str) -> Iterator[Example]:
    with cluster.new_namespace() as namespace, cluster.network():
        kubeconfig = in_namespace(cluster.kubeconfig, namespace, directory / "kubeconfig")
        project = ExampleProject(folder, directory, kubeconfig)
        project.override(of_the_test_image(name))
        yield Example(project, name, kubeconfig, namespace)


def test_the_service_example_does_what_its_readme_says(
    node_cluster: NodeCluster, directory: Path
) -> None:
    with example(node_cluster, directory, "kubernetes-service", "shop") as shop:
        shop.project.override({"shop:service.kubernetes.follow_job.image": "local/curl:1"})
        first, second, switch, rollback, destroy = shop.project.commands()

        shop.follow(first)
        assert shop.selected() == BLUE
        assert shop.idle_release() is None
        spec = (shop.service("shop") or {})["spec"]
        with front_door(lambda: (spec["clusterIP"], 80)) as door:
            production = f"http://127.0.0.1:{door}/"

            shop.follow(second)
            assert asked(production) == {"blue 6.7.0": ASKED}
            assert shop.idle_release() == "green 6.7.1"

            shop.follow(switch)
            assert shop.selected() == GREEN
            assert asked(production) == {"green 6.7.1": ASKED}
            assert shop.idle_release() == "blue 6.7.0"

            shop.follow(rollback)
            assert shop.selected() == BLUE
            assert asked(production) == {"blue 6.7.0": ASKED}

        shop.follow(destroy)
        wait_until(shop.is_gone, PATIENCE_SECONDS)


def test_the_gateway_example_does_what_its_readme_says(
    node_cluster: NodeCluster, directory: Path
) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    with example(node_cluster, directory, "kubernetes-gateway", "checkout") as checkout:
        install(node_cluster.kubeconfig)
        port = free_port()
        checkout.project.override({"checkout:gateway_class": "bluegreen-test"})
        checkout.project.environment["GATEWAY"] = production = f"http://127.0.0.1:{port}"
        first, second, canary, switch, rollback, destroy = checkout.project.commands()
        with GatewayServer(
            node_cluster.kubeconfig,
            port,
            directory / "gateway",
            namespace=checkout.namespace,
        ):
            checkout.follow(first)
            assert checkout.weighted() == BLUE

            checkout.follow(second)
            assert asked(production) == {"blue 6.7.0": ASKED}

            checkout.follow(canary)
            assert checkout.weighted() == TrafficSplit(blue=90, green=10)
            assert set(asked(production, 200)) == {"blue 6.7.0", "green 6.7.1"}

            checkout.follow(switch)
            assert checkout.weighted() == GREEN
            assert asked(production) == {"green 6.7.1": ASKED}

            checkout.follow(rollback)
            assert checkout.weighted() == BLUE
            assert asked(production) == {"blue 6.7.0": ASKED}

            checkout.follow(destroy)
            wait_until(checkout.is_gone, PATIENCE_SECONDS)
