"""What one member is: the pod template of a color. Pure."""

from collections.abc import Mapping
from typing import Any

from bluegreen.content_hash import content_hash, slow_hash
from bluegreen.kubernetes.names import FINGERPRINT, RELEASE, ObjectNames
from bluegreen.naming import child_name
from bluegreen.plan import FleetPlan
from bluegreen.settings.kubernetes import KubernetesSettings
from bluegreen.settings.service import ServiceSettings

__all__ = ["CONTAINER", "Overlay", "image_of", "overlay_of", "pod_template"]

CONTAINER = "app"


class Overlay:
    """The variables of one color on top of the shared ones, as immutable objects.

    Their names have a hash of the content, so that members started from an earlier release keep
    what they were started with, and a rollback brings the variables back too.
    """

    def __init__(self, names: ObjectNames, plan: FleetPlan, kubernetes: KubernetesSettings) -> None:
        color = plan.color
        self.plain: Mapping[str, str] = kubernetes.env | plan.settings.env
        self.secret: Mapping[str, str] = kubernetes.secrets | plan.settings.secrets
        base = names.of_color(color)
        salt = f"{names.namespace}/{names.service}/{color}"
        self.plain_role = f"env-{content_hash(self.plain)}"
        self.secret_role = f"secrets-{slow_hash(self.secret, salt=salt)}"
        self.plain_name = child_name(base, self.plain_role)
        self.secret_name = child_name(base, self.secret_role)

    @property
    def sources(self) -> list[dict[str, Any]]:
        """What a container takes its variables from; a secret wins over a plain one."""
        found: list[dict[str, Any]] = []
        if self.plain:
            found.append({"configMapRef": {"name": self.plain_name}})
        if self.secret:
            found.append({"secretRef": {"name": self.secret_name}})
        return found


def overlay_of(names: ObjectNames, plan: FleetPlan, settings: ServiceSettings) -> Overlay:
    """The variables of one color."""
    return Overlay(names, plan, settings.kubernetes)


def image_of(plan: FleetPlan, settings: ServiceSettings) -> str:
    """The image of a color's members, with the release filled in."""
    image = plan.settings.image or settings.kubernetes.image or ""
    return image.replace("{release}", plan.release).replace("{color}", str(plan.color))


def pod_template(
    names: ObjectNames, plan: FleetPlan, settings: ServiceSettings, overlay: Overlay
) -> dict[str, Any]:
    """The template of a color's Deployment, with its release and fingerprint as annotations."""
    spec = _pod_spec(names, plan, settings, overlay)
    fingerprint = content_hash(spec)
    return {
        "metadata": {
            "labels": names.color_labels(plan.color),
            "annotations": {RELEASE: plan.release, FINGERPRINT: fingerprint},
        },
        "spec": spec,
    }


def _pod_spec(
    names: ObjectNames, plan: FleetPlan, settings: ServiceSettings, overlay: Overlay
) -> dict[str, Any]:
    kubernetes = settings.kubernetes
    account = (
        {"serviceAccountName": kubernetes.service_account}
        if kubernetes.service_account
        else {"automountServiceAccountToken": False}
    )
    secrets = [{"name": name} for name in kubernetes.image_pull_secrets]
    return {
        **account,
        **({"imagePullSecrets": secrets} if secrets else {}),
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": kubernetes.pre_stop_seconds + settings.drain.stop_seconds,
        "securityContext": _pod_security(kubernetes),
        # Every color by itself: what is left of the old one, when it shrinks, stays spread, and
        # says nothing about where the new one's members go.
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": names.color_labels(plan.color)},
            }
        ],
        "containers": [_container(plan, settings, overlay)],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }


def _pod_security(kubernetes: KubernetesSettings) -> dict[str, Any]:
    user = kubernetes.security.run_as_user
    return {
        "runAsNonRoot": True,
        **({"runAsUser": user, "runAsGroup": user, "fsGroup": user} if user else {}),
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _container(plan: FleetPlan, settings: ServiceSettings, overlay: Overlay) -> dict[str, Any]:
    kubernetes = settings.kubernetes
    sources = {"envFrom": overlay.sources} if overlay.sources else {}
    resources = kubernetes.resources.model_dump(exclude_defaults=True)
    stop = {"lifecycle": {"preStop": {"sleep": {"seconds": kubernetes.pre_stop_seconds}}}}
    return {
        "name": CONTAINER,
        "image": image_of(plan, settings),
        "imagePullPolicy": kubernetes.image_pull_policy,
        "ports": [{"name": "http", "containerPort": kubernetes.container_port}],
        "env": _own_variables(plan, settings),
        **sources,
        **({"resources": resources} if resources else {}),
        **_probes(settings),
        **(stop if kubernetes.pre_stop_seconds else {}),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": kubernetes.security.read_only_root_filesystem,
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108  # in the container
    }


def _own_variables(plan: FleetPlan, settings: ServiceSettings) -> list[dict[str, str]]:
    values = {
        "BLUEGREEN_COLOR": str(plan.color),
        "BLUEGREEN_RELEASE": plan.release,
        "BLUEGREEN_SERVICE": settings.name,
        "PORT": str(settings.kubernetes.container_port),
    }
    return [{"name": name, "value": value} for name, value in values.items()]


def _probes(settings: ServiceSettings) -> dict[str, Any]:
    check, kubernetes = settings.health_check, settings.kubernetes
    probes: dict[str, Any] = {
        "readinessProbe": {
            "httpGet": {"path": check.path, "port": "http"},
            **_delay(kubernetes.ready_initial_delay_seconds),
            "periodSeconds": _whole(check.interval_seconds),
            "timeoutSeconds": _whole(check.timeout_seconds),
            "successThreshold": check.healthy_threshold,
            "failureThreshold": check.unhealthy_threshold,
        }
    }
    if kubernetes.startup is not None:
        probes["startupProbe"] = {
            "httpGet": {"path": check.path, "port": "http"},
            "periodSeconds": kubernetes.startup.period_seconds,
            "failureThreshold": kubernetes.startup.failure_threshold,
        }
    if kubernetes.liveness is not None:
        probes["livenessProbe"] = {
            "httpGet": {"path": kubernetes.liveness.path, "port": "http"},
            "periodSeconds": kubernetes.liveness.period_seconds,
            "failureThreshold": kubernetes.liveness.failure_threshold,
        }
    return probes


def _delay(seconds: int) -> dict[str, int]:
    # The API server leaves a 0 out, and every update would find that it is missing.
    return {"initialDelaySeconds": seconds} if seconds else {}


def _whole(seconds: float) -> int:
    """Probes count whole seconds, at least one."""
    return max(1, round(seconds))
