"""What the tests of the clusters make, and what they wait for."""

from collections.abc import Mapping
from typing import Any

from kubernetes import client

PATIENCE_SECONDS = 60.0


def deployment(
    name: str, *, replicas: int = 1, annotations: Mapping[str, str] | None = None, **spec: Any
) -> dict[str, Any]:
    """Pods of one container, with the label `app`."""
    labels = {"app": name}
    template = {
        "metadata": {"labels": labels, "annotations": dict(annotations or {})},
        "spec": {"containers": [{"name": "app", "image": "local/shop:1", **spec}]},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": template,
        },
    }


def service(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}]},
    }


def pods(api: client.ApiClient, namespace: str, app: str) -> list[client.V1Pod]:
    found = client.CoreV1Api(api).list_namespaced_pod(namespace, label_selector=f"app={app}")
    return list(found.items)


def phases(api: client.ApiClient, namespace: str, app: str) -> list[str]:
    return [(pod.status and pod.status.phase) or "" for pod in pods(api, namespace, app)]


def readiness(api: client.ApiClient, namespace: str, app: str) -> list[bool]:
    """Whether each pod says that it is ready."""
    return [
        any(
            each.type == "Ready" and each.status == "True"
            for each in (pod.status and pod.status.conditions) or ()
        )
        for pod in pods(api, namespace, app)
    ]


def endpoints(api: client.ApiClient, namespace: str, name: str) -> list[bool]:
    """Whether each address behind a Service is ready."""
    slices = client.DiscoveryV1Api(api).list_namespaced_endpoint_slice(
        namespace, label_selector=f"kubernetes.io/service-name={name}"
    )
    return [bool(each.conditions.ready) for one in slices.items for each in one.endpoints or ()]
