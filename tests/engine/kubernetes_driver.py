"""The scenarios' driver for Kubernetes: real API server, node, pods and kube-proxy."""

import contextlib
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from bluegreen.kubernetes.cluster import Cluster, ClusterAccess
from bluegreen.kubernetes.event_journal import EVENT
from bluegreen.kubernetes.http_route_router import weights_route
from bluegreen.kubernetes.names import SERVICE_LABEL, ObjectNames
from bluegreen.kubernetes.service_router import selector_route
from bluegreen.traffic import TrafficSplit
from tests.engine.front_door import front_door
from tests.engine.pulumi_stack import REPOSITORY, PulumiStack, Step
from tests.engine.stack_driver import StackDriver
from tests.ports import free_port
from tests.standins.gateway.install import install
from tests.standins.gateway.server import GatewayServer
from tools.cluster.cluster import Cluster as TestCluster

STAND_IN = REPOSITORY / "tests" / "standins" / "kubernetes"
PLUGIN = "pulumi-resource-kubernetes"


def with_provider(environment: dict[str, str]) -> None:
    """The official provider where it is installed; else the stand-in comes first on PATH."""
    if shutil.which(PLUGIN) is None:
        environment["PATH"] = os.pathsep.join([str(STAND_IN), environment["PATH"]])


class KubernetesDriver(StackDriver):
    """Implements `tests.engine.driver.Driver`."""

    sees_drift = False
    can_split = False
    # kube-proxy takes a second between two changes, and longer on a busy machine.
    settle_seconds = 10.0

    def is_told(self, step: Step) -> bool:
        """Not of parts of a fleet and the test endpoint; what they do has tests of its own."""
        parts = ("-budget", "-env-", "-secrets-", "-autoscaler")
        return step.name != "shop-test" and not any(part in step.name for part in parts)

    def __init__(
        self,
        directory: Path,
        cluster: TestCluster,
        namespace: str,
        port: int,
        *,
        main: Path = REPOSITORY / "stacks",
    ) -> None:
        self.stack = PulumiStack(directory, main=main)
        with_provider(self.stack.environment)
        self.stack.environment["KUBECONFIG"] = str(cluster.kubeconfig)
        self.cluster = cluster
        self.names = ObjectNames("shop", namespace)
        self.api = Cluster(ClusterAccess(kubeconfig=str(cluster.kubeconfig)))
        self.production_url = f"http://127.0.0.1:{port}"
        self.stack.configure_in("kubernetes", "upsertExistingObjects", "true")
        self.configure("service", self.service_settings())

    def service_settings(self) -> dict[str, Any]:
        """A service whose every wait is short."""
        return {
            "name": "shop",
            "platform": "kubernetes",
            "health_check": {"path": "/health/ready", "interval_seconds": 1},
            "gates": {
                "timeout_seconds": 20,
                "capacity": {"timeout_seconds": 10},
                "http": {"ready": {"path": "/health/ready", "interval_seconds": 0.05}},
                "release": {"path": "/version", "interval_seconds": 0.05, "timeout_seconds": 3},
            },
            "color_from": {"header": "X-Bluegreen-Color"},
            "follow": {"timeout_seconds": 10},
            "drain": {"timeout_seconds": 2, "stop_seconds": 2},
            "retention_hours": 0,
            "kubernetes": self.kubernetes_settings(),
        }

    def kubernetes_settings(self) -> dict[str, Any]:
        return {
            "namespace": self.names.namespace,
            "image": "local/shop:1",
            "image_pull_policy": "Never",
            "ready_initial_delay_seconds": 0,
            "ready_timeout_seconds": 15,
            # Longer than kube-proxy takes to hear of it where two nodes share two processors.
            "pre_stop_seconds": 3,
            "security": {"run_as_user": 65532},
            "production_url": self.production_url,
        }

    def router(self) -> dict[str, Any] | None:
        """The object that moves production traffic."""
        return self.api.get(self.names.core("services", self.names.production))

    def live(self) -> TrafficSplit | None:
        route = selector_route(self.router() or {})
        return route.split if route else None

    def ask(self, endpoint: str, count: int = 20) -> Counter[str]:
        asked = {"production": self._ask_production, "test": self._ask_test}[endpoint]
        return Counter(asked() for _ in range(count))

    def _ask_production(self) -> str:
        try:
            # A connection each: kube-proxy leaves a kept one where it is.
            answer = httpx.get(f"{self.production_url}/version", trust_env=False)
        except httpx.TransportError:
            # Nobody listens behind a Service without endpoints: a proxy in front says so.
            return "503"
        return _told(answer.status_code, answer.text)

    def _ask_test(self) -> str:
        # The way from outside of the cluster; a Service without endpoints is answered by 503.
        service = self.names.core("services", f"http:{self.names.test}:80")
        answer = self.api.request("GET", f"{service}/proxy/version")
        return _told(answer.status, answer.body.decode())

    def move_by_hand(self, active: str | None, percent: int = 0) -> None:
        """As `kubectl patch service` does."""
        assert percent == 0, "the selector of a Service is all or nothing"
        selector = {"app": "shop", "color": active or "purple"}
        self.patch("services", {"spec": {"selector": selector}})

    def patch(self, kind: str, change: dict[str, Any], name: str | None = None) -> None:
        """A merge patch under the name that kubectl uses."""
        path = self.names.core(kind, name or self.names.production)
        self.patch_at(path, change)

    def patch_at(self, path: str, change: dict[str, Any]) -> None:
        answer = self.api.request(
            "PATCH",
            f"{path}?fieldManager=kubectl-patch",
            body=change,
            content_type="application/merge-patch+json",
        )
        assert answer.status == 200, answer

    def end_members(self, color: str) -> None:
        """As `kubectl scale --replicas 0` does; ended pods alone would come back."""
        name = f"shop-{color}"
        self.patch_at(
            self.names.group("apps/v1", "deployments", f"{name}/scale"), {"spec": {"replicas": 0}}
        )

    def events(self) -> list[dict[str, Any]]:
        found = self.api.items(
            self.names.core("events"), labelSelector=f"{SERVICE_LABEL}={self.names.service}"
        )
        events = [json.loads(each["metadata"]["annotations"][EVENT]) for each in found]
        return sorted(events, key=lambda event: event["at"])


class HttpRouteDriver(KubernetesDriver):
    """The same behind a Gateway."""

    can_split = True

    def kubernetes_settings(self) -> dict[str, Any]:
        return super().kubernetes_settings() | {
            "router": "http_route",
            "gateway": {"name": "edge"},
        }

    def router(self) -> dict[str, Any] | None:
        path = self.names.group("gateway.networking.k8s.io/v1", "httproutes", "shop")
        return self.api.get(path)

    def live(self) -> TrafficSplit | None:
        route = weights_route(self.router() or {})
        return route.split if route else None

    def move_by_hand(self, active: str | None, percent: int = 0) -> None:
        """As `kubectl edit httproute` does."""
        route = self.router()
        assert route is not None
        backends = route["spec"]["rules"][-1]["backendRefs"]
        for backend in backends:
            if active is None:
                backend["weight"] = 0
            else:
                is_active = backend["name"] == f"shop-{active}"
                backend["weight"] = 100 - percent if is_active else percent
        path = self.names.group("gateway.networking.k8s.io/v1", "httproutes", "shop")
        self.patch_at(path, {"spec": {"rules": route["spec"]["rules"]}})


def _told(status: int, text: str) -> str:
    if not 200 <= status < 300:
        return str(status)
    answer = json.loads(text)
    return f"{answer['color']} {answer['version']}"


@contextlib.contextmanager
def service_driver(cluster: TestCluster) -> Iterator[KubernetesDriver]:
    """A driver in a namespace of its own, in the network of the node."""
    with _place(cluster) as (directory, namespace):
        names = ObjectNames("shop", namespace)
        api = Cluster(ClusterAccess(kubeconfig=str(cluster.kubeconfig)))

        def address() -> tuple[str, int] | None:
            service = api.get(names.core("services", names.production))
            return (service["spec"]["clusterIP"], 80) if service else None

        with front_door(address) as port:
            yield KubernetesDriver(directory, cluster, namespace, port)


@contextlib.contextmanager
def _place(cluster: TestCluster) -> Iterator[tuple[Path, str]]:
    directory = Path(tempfile.mkdtemp(prefix="bg-"))
    try:
        with cluster.new_namespace() as namespace, cluster.network():
            yield directory, namespace
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextlib.contextmanager
def http_route_driver(cluster: TestCluster) -> Iterator[HttpRouteDriver]:
    """The same with a Gateway of its own, served by a real HAProxy."""
    with _place(cluster) as (directory, namespace):
        install(cluster.kubeconfig)
        port = free_port()
        gateway = GatewayServer(
            cluster.kubeconfig, port, directory / "gateway", namespace=namespace
        )
        driver = HttpRouteDriver(directory, cluster, namespace, port)
        driver.api.create(
            driver.names.group("gateway.networking.k8s.io/v1", "gateways"),
            {
                "apiVersion": "gateway.networking.k8s.io/v1",
                "kind": "Gateway",
                "metadata": {"name": "edge"},
                "spec": {
                    "gatewayClassName": "bluegreen-test",
                    "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}],
                },
            },
        )
        with gateway:
            yield driver
