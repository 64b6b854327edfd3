"""A stack in a namespace of a cluster with a real node."""

import contextlib
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.stack import SERVICE, BenchmarkError, Stack, directory_of_stack
from bluegreen.colors import Color
from bluegreen.kubernetes.active_flag import flag_color_of
from bluegreen.kubernetes.cluster import Cluster, ClusterAccess
from bluegreen.kubernetes.names import ObjectNames
from bluegreen.kubernetes.service_router import selector_route
from tests.engine.front_door import front_door
from tests.engine.kubernetes_driver import with_provider
from tools.cluster.node_cluster import NodeCluster

__all__ = ["KubernetesStack", "Place", "Request", "stack_of", "stack_settings"]

Request = tuple[str, str, str]
"""Who asked, in the preview or in the update, and what: method and resource."""


def stack_settings(namespace: str, production_url: str) -> dict[str, Any]:
    """The same config for every program: everything is written, since a plain one has no defaults.

    Gates and verification are on, with short pauses: their time is taken off again.
    """
    ask = {"consecutive": 3, "interval_seconds": 0.05, "timeout_seconds": 10}
    service = {
        "name": SERVICE,
        "platform": "kubernetes",
        "port": 80,
        "health_check": {
            "path": "/health/ready",
            "interval_seconds": 1,
            "timeout_seconds": 1,
            "healthy_threshold": 1,
            "unhealthy_threshold": 3,
        },
        "gates": {
            "release": {"path": "/version", **ask},
            "http": {"ready": {"path": "/health/ready", **ask}},
        },
        "color_from": {"header": "X-Bluegreen-Color"},
        "follow": {"timeout_seconds": 20},
        "drain": {"timeout_seconds": 5, "stop_seconds": 5},
        "retention_hours": 0,
        "kubernetes": {
            "namespace": namespace,
            "image": "local/shop:1",
            "image_pull_policy": "Never",
            "container_port": 8080,
            "ready_initial_delay_seconds": 1,
            "ready_timeout_seconds": 60,
            "pre_stop_seconds": 1,
            "security": {"run_as_user": 65532},
            "production_url": production_url,
        },
    }
    return {
        "active_color": "blue",
        "service": service,
        "blue": {"release": "1.0", "replicas": 2},
        "green": {"release": "1.1", "replicas": 2},
    }


class Place:
    """A namespace of a cluster, and a way to the Service in it that clients use."""

    def __init__(self, cluster: NodeCluster, namespace: str) -> None:
        self.kubeconfig = str(cluster.kubeconfig)
        self.cluster = cluster
        self.names = ObjectNames(SERVICE, namespace)
        self.api = Cluster(ClusterAccess(kubeconfig=self.kubeconfig))
        self._address: tuple[str, int] | None = None

    def address(self) -> tuple[str, int] | None:
        """Where the Service is; None before it exists. It stays there for as long as it exists."""
        if self._address is None:
            service = self.api.get(self.names.core("services", self.names.production))
            self._address = (service["spec"]["clusterIP"], 80) if service else None
        return self._address


class KubernetesStack(Stack):
    """One program and what it has deployed in a namespace."""

    def __init__(self, program: Path, directory: Path, place: Place, port: int) -> None:
        self.place = place
        url = f"http://127.0.0.1:{port}"
        environment = {"KUBECONFIG": place.kubeconfig, "PATH": os.environ["PATH"]}
        with_provider(environment)
        settings = stack_settings(place.names.namespace, url)
        super().__init__(program, directory, settings, environment)

    def requests(self) -> Counter[Request]:
        """What the library's own hooks asked the API server in the last switch."""
        return Counter(
            ("preview" if each["is_preview"] else "update", each["by"], each["request"])
            for each in self._notes()
            if "request" in each
        )

    def live(self) -> Color:
        """The color that the selector names now."""
        names, api = self.place.names, self.place.api
        route = selector_route(api.get(names.core("services", names.production)) or {})
        if route is None:
            msg = f"Service {names.production} names no color; nothing was measured"
            raise BenchmarkError(msg)
        return route.active

    def slices(self, color: Color) -> list[dict[str, Any]]:
        """The endpoints of a color's own Service."""
        names = self.place.names
        return self.place.api.items(
            names.group("discovery.k8s.io/v1", "endpointslices"),
            labelSelector=f"kubernetes.io/service-name={names.of_color(color)}",
        )

    def remove(self) -> None:
        """Destroys everything; the namespace ends, too."""
        self._destroy()

    def _check_switched(self, color: Color) -> None:
        names, api = self.place.names, self.place.api
        live = self.live()
        flagged = flag_color_of(api.get(names.core("configmaps", names.flag)) or {})
        if live is not color or flagged is not color:
            msg = f"an update to {color} left {live} live, {flagged} flagged; its time says nothing"
            raise BenchmarkError(msg)


@contextlib.contextmanager
def stack_of(program: Path, cluster: NodeCluster) -> Iterator[KubernetesStack]:
    """A stack of a program in a namespace of its own, gone in the end with all it made.

    To be used by a thread that is in the network of the cluster.
    """
    with directory_of_stack() as directory, cluster.new_namespace() as namespace:
        place = Place(cluster, namespace)
        with front_door(place.address) as port:
            stack = KubernetesStack(program, directory, place, port)
            try:
                yield stack
            finally:
                stack.remove()
