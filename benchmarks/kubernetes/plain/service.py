"""The objects of one service on Kubernetes, written by hand."""

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.core.v1 import ConfigMap, Service
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget

__all__ = ["SKIP_AWAIT", "declare_service"]

OTHER = {"blue": "green", "green": "blue"}
SKIP_AWAIT = {"pulumi.com/skipAwait": "true"}

_Settings = Mapping[str, Any]


def declare_service(
    active: str, service: _Settings, colors: Mapping[str, _Settings]
) -> dict[str, pulumi.Output[Any]]:
    """Declares a service in two colors and returns what a program exports of it."""
    name, kubernetes = service["name"], service["kubernetes"]
    app = {"app": name}

    def metadata(object_name: str, labels: Mapping[str, str], **annotations: str) -> dict[str, Any]:
        found = {"name": object_name, "namespace": kubernetes["namespace"], "labels": labels}
        return found | ({"annotations": annotations} if annotations else {})

    def pointer(resource: str, object_name: str, labels: Mapping[str, str], color: str) -> Service:
        return Service(
            f"{name}-{resource}",
            metadata=metadata(object_name, labels, **SKIP_AWAIT),
            spec=service_spec(service, app | {"color": color}),
        )

    releases = {}
    for color, settings in colors.items():
        labels = app | {"color": color}
        pointer(color, f"{name}-{color}", labels, color)
        PodDisruptionBudget(
            f"{name}-{color}-budget",
            metadata=metadata(f"{name}-{color}", labels),
            spec={"maxUnavailable": 1, "selector": {"matchLabels": labels}},
        )
        members = Deployment(
            f"{name}-{color}-members",
            metadata=metadata(f"{name}-{color}", labels, **SKIP_AWAIT),
            spec=deployment_spec(service, color, settings),
        )
        releases[color] = members.spec.template.metadata.annotations["bluegreen.dev/release"]

    route = pointer("route", name, app, active)
    pointer("test", f"{name}-test", app, OTHER[active])
    ConfigMap(
        f"{name}-flag",
        metadata=metadata(
            f"{name}-active",
            {"bluegreen.dev/service": name},
            **{"bluegreen.dev/active-color": active},
        ),
    )
    active_color = route.spec.selector.apply(lambda selector: selector["color"])
    return {
        "active_color": active_color,
        "idle_color": active_color.apply(OTHER.__getitem__),
        "releases": pulumi.Output.all(**releases),
        "production_url": pulumi.Output.from_input(kubernetes["production_url"]),
        "test_url": pulumi.Output.from_input(f"http://{name}-test.{kubernetes['namespace']}.svc"),
    }


def service_spec(service: _Settings, selector: Mapping[str, str]) -> dict[str, Any]:
    """A Service for whoever the selector names."""
    port = {
        "port": service["port"],
        "targetPort": service["kubernetes"]["container_port"],
        "protocol": "TCP",
    }
    return {"type": "ClusterIP", "selector": selector, "ports": [port]}


def deployment_spec(service: _Settings, color: str, settings: _Settings) -> dict[str, Any]:
    """The members of one color."""
    labels = {"app": service["name"], "color": color}
    return {
        "replicas": settings["replicas"],
        "revisionHistoryLimit": 2,
        "selector": {"matchLabels": labels},
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0},
        },
        "template": {
            "metadata": {
                "labels": labels,
                "annotations": {"bluegreen.dev/release": settings["release"]},
            },
            "spec": pod_spec(service, color, settings),
        },
    }


def pod_spec(service: _Settings, color: str, settings: _Settings) -> dict[str, Any]:
    """What one member is."""
    kubernetes = service["kubernetes"]
    user, pre_stop = kubernetes["security"]["run_as_user"], kubernetes["pre_stop_seconds"]
    labels = {"app": service["name"], "color": color}
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": pre_stop + service["drain"]["stop_seconds"],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": user,
            "runAsGroup": user,
            "fsGroup": user,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": labels},
            }
        ],
        "containers": [container(service, color, settings)],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }


def container(service: _Settings, color: str, settings: _Settings) -> dict[str, Any]:
    """The program in it."""
    kubernetes, check = service["kubernetes"], service["health_check"]
    pre_stop = kubernetes["pre_stop_seconds"]
    variables = {
        "BLUEGREEN_COLOR": color,
        "BLUEGREEN_RELEASE": settings["release"],
        "BLUEGREEN_SERVICE": service["name"],
        "PORT": str(kubernetes["container_port"]),
    } | settings.get("env", {})
    stop = {"lifecycle": {"preStop": {"sleep": {"seconds": pre_stop}}}}
    return {
        "name": "app",
        "image": kubernetes["image"],
        "imagePullPolicy": kubernetes["image_pull_policy"],
        "ports": [{"name": "http", "containerPort": kubernetes["container_port"]}],
        "env": [{"name": name, "value": value} for name, value in variables.items()],
        "readinessProbe": {
            "httpGet": {"path": check["path"], "port": "http"},
            "initialDelaySeconds": kubernetes["ready_initial_delay_seconds"],
            "periodSeconds": check["interval_seconds"],
            "timeoutSeconds": check["timeout_seconds"],
            "successThreshold": check["healthy_threshold"],
            "failureThreshold": check["unhealthy_threshold"],
        },
        **(stop if pre_stop else {}),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108  # in the container
    }
