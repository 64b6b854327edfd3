"""A service on a real API server, and every number of members that its colors ever had."""

import contextlib
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from kubernetes import client, watch
from urllib3.exceptions import HTTPError

from tests.engine.pulumi_stack import REPOSITORY, PulumiStack
from tools.cluster.cluster import Cluster
from tools.cluster.processes import wait_until

PATIENCE_SECONDS = 90.0
AUTOSCALING = {"min_replicas": 2, "max_replicas": 20, "cpu_percent": 70}


def service_settings(namespace: str, port: int) -> dict[str, Any]:
    """A service of pretended pods: what is asked in their place is a server of the test."""
    return {
        "name": "shop",
        "platform": "kubernetes",
        "gates": {"timeout_seconds": 60, "capacity": {"timeout_seconds": 60}},
        "follow": {"timeout_seconds": 60},
        "drain": {"timeout_seconds": 1, "stop_seconds": 1},
        "retention_hours": 0,
        "kubernetes": {
            "namespace": namespace,
            "image": "local/shop:{release}",
            "resources": {"requests": {"cpu": "10m"}},
            "ready_initial_delay_seconds": 0,
            "pre_stop_seconds": 0,
            "propagation_seconds": 0,
            "color_url": f"http://127.0.0.1:{port}/{{color}}",
        },
    }


class _AlwaysReady(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextlib.contextmanager
def ready_server() -> Iterator[int]:
    """What answers the readiness gate in the place of pretended pods; its port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _AlwaysReady) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@dataclass
class ReplicaWatch:
    """Every number of replicas that a Deployment is told to have, in the order of the writes."""

    seen: list[int]
    changed: threading.Condition

    def until(self, replicas: int) -> list[int]:
        """All numbers so far, once the last one is this."""
        with self.changed:
            assert self.changed.wait_for(
                lambda: bool(self.seen) and self.seen[-1] == replicas, PATIENCE_SECONDS
            ), self.seen
            return list(self.seen)


@contextlib.contextmanager
def watched_replicas(api: client.ApiClient, namespace: str, color: str) -> Iterator[ReplicaWatch]:
    """Looks at each version of the Deployment that the API server stores."""
    deployments = client.AppsV1Api(api)
    name = f"shop-{color}"
    stream = watch.Watch()
    changed = threading.Condition()
    seen: list[int] = []

    def follow(version: str) -> None:
        # It ends with the test's connection. One that ends early never catches up.
        with contextlib.suppress(HTTPError):
            for event in stream.stream(
                deployments.list_namespaced_deployment,
                namespace,
                field_selector=f"metadata.name={name}",
                resource_version=version,
                timeout_seconds=600,
            ):
                note(event["object"].spec.replicas)

    def note(replicas: int) -> None:
        with changed:
            if seen[-1:] != [replicas]:
                seen.append(replicas)
            changed.notify_all()

    found = deployments.list_namespaced_deployment(
        namespace, field_selector=f"metadata.name={name}"
    )
    for each in found.items:
        note(each.spec.replicas)
    thread = threading.Thread(target=follow, args=(found.metadata.resource_version,), daemon=True)
    thread.start()
    try:
        yield ReplicaWatch(seen, changed)
    finally:
        stream.stop()


class Shop:
    """The service's stack, and somebody with all rights at its cluster."""

    def __init__(self, stack: PulumiStack, api: client.ApiClient, namespace: str) -> None:
        self.stack = stack
        self.api = api
        self.namespace = namespace

    def autoscale(self, **changes: int) -> None:
        self.stack.configure("service.kubernetes.autoscaling", AUTOSCALING | changes)

    def stop_autoscaling(self) -> None:
        self.stack.configure("service.kubernetes.autoscaling", None)

    def deployment(self, color: str) -> client.V1Deployment:
        deployments = client.AppsV1Api(self.api)
        return deployments.read_namespaced_deployment(f"shop-{color}", self.namespace)

    def replicas(self, color: str) -> int:
        """How many members a color is told to have."""
        return int(self.deployment(color).spec.replicas)

    def images(self, color: str) -> set[str]:
        """What the pods of a color run."""
        pods = client.CoreV1Api(self.api).list_namespaced_pod(
            self.namespace, label_selector=f"app=shop,color={color}"
        )
        return {each.spec.containers[0].image for each in pods.items}

    def owners(self, color: str) -> set[str]:
        """Who owns the number, by the API server's own book."""
        return {
            f"{entry.manager} {entry.subresource}" if entry.subresource else entry.manager
            for entry in self.deployment(color).metadata.managed_fields
            if "f:replicas" in (entry.fields_v1 or {}).get("f:spec", {})
        }

    def autoscalers(self) -> dict[str, tuple[int, int]]:
        """The bounds of each."""
        found = client.AutoscalingV2Api(self.api).list_namespaced_horizontal_pod_autoscaler(
            self.namespace
        )
        return {
            each.metadata.name: (each.spec.min_replicas, each.spec.max_replicas)
            for each in found.items
        }

    def autoscaler_says(self, color: str, replicas: int) -> None:
        """Has the autoscaler's own controller want that many, as it does under that load.

        There are no metrics here. What it does without them is to keep to its bounds, through the
        same write; so the lower one is moved for a moment, behind Pulumi's back.
        """
        assert replicas > self.replicas(color)
        self._move_lower_bound(color, replicas)
        wait_until(lambda: self.replicas(color) >= replicas, PATIENCE_SECONDS)
        self._move_lower_bound(color, AUTOSCALING["min_replicas"])

    def _move_lower_bound(self, color: str, replicas: int) -> None:
        client.AutoscalingV2Api(self.api).patch_namespaced_horizontal_pod_autoscaler(
            f"shop-{color}",
            self.namespace,
            {"spec": {"minReplicas": replicas}},
            field_manager="kubectl-edit",
        )

    def scale_by_hand(self, color: str, replicas: int) -> None:
        """As `kubectl scale` does."""
        client.AppsV1Api(self.api).patch_namespaced_deployment_scale(
            f"shop-{color}",
            self.namespace,
            {"spec": {"replicas": replicas}},
            field_manager="kubectl",
        )

    def forbid_autoscalers(self) -> None:
        """By a quota, as soon as the API server goes by it."""
        core = client.CoreV1Api(self.api)
        limits = {"hard": {"count/horizontalpodautoscalers.autoscaling": "0"}}
        body = {"metadata": {"name": "none"}, "spec": limits}
        core.create_namespaced_resource_quota(self.namespace, body)
        wait_until(
            lambda: core.read_namespaced_resource_quota("none", self.namespace).status.used,
            PATIENCE_SECONDS,
        )

    def allow_autoscalers(self) -> None:
        client.CoreV1Api(self.api).delete_namespaced_resource_quota("none", self.namespace)

    def selected(self) -> str:
        """The color that production's Service selects."""
        found = client.CoreV1Api(self.api).read_namespaced_service("shop", self.namespace)
        return str(found.spec.selector["color"])


@contextlib.contextmanager
def shop_on(
    cluster: Cluster, namespace: str, *, main: Path = REPOSITORY / "stacks"
) -> Iterator[Shop]:
    """Blue 1.0 with four members, and no green; only in the config."""
    with (
        tempfile.TemporaryDirectory(prefix="bg-", ignore_cleanup_errors=True) as folder,
        ready_server() as port,
        cluster.asking() as api,
    ):
        stack = PulumiStack(Path(folder), main=main)
        stack.environment["KUBECONFIG"] = str(cluster.kubeconfig)
        stack.configure("service", service_settings(namespace, port))
        stack.configure("active_color", "blue")
        stack.configure("blue", {"release": "1.0", "replicas": 4})
        yield Shop(stack, api, namespace)
