"""The compute of one color: a Deployment with what belongs to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.core.v1 import ConfigMap, Secret
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget

from bluegreen.kubernetes.autoscaler import (
    autoscaled_bounds,
    autoscaler,
    bounds_annotation,
)
from bluegreen.kubernetes.names import FINGERPRINT, RELEASE, SKIP_AWAIT, Manifest, ObjectNames
from bluegreen.kubernetes.pod_template import CONTAINER, Overlay, overlay_of, pod_template
from bluegreen.kubernetes.router_args import TAKE_OVER
from bluegreen.naming import child_name
from bluegreen.plan import FleetPlan
from bluegreen.settings.service import ServiceSettings
from bluegreen.transition import FleetState

if TYPE_CHECKING:
    from pulumi_kubernetes.autoscaling.v2 import HorizontalPodAutoscaler

__all__ = ["DeploymentFleet", "DeploymentFleetArgs", "fleet_state_of"]

_HISTORY = 2


@dataclass(frozen=True, kw_only=True)
class DeploymentFleetArgs:
    """Inputs of `DeploymentFleet`."""

    settings: ServiceSettings
    """The service the color belongs to."""

    plan: FleetPlan
    """Release and number of members."""

    names: ObjectNames
    """What the objects are called, and their namespace."""

    hooks: pulumi.ResourceHookBinding | None = None
    """Guards, from `ServiceHooks.fleet()`; without them a live release is not protected."""

    autoscaler_hooks: pulumi.ResourceHookBinding | None = None
    """From `ServiceHooks.autoscaler()`; without them a color is not woken up for its autoscaler."""

    after: Sequence[pulumi.Resource] = ()
    """What must have happened before these members may change: anchors, or the active flag."""


class DeploymentFleet(pulumi.ComponentResource):
    """The members of one color: a Deployment whose selector never changes."""

    release: pulumi.Output[str]
    """The release the members run."""

    replicas: pulumi.Output[int]
    """How many there are to be; under an autoscaler the fewest."""

    def __init__(
        self, name: str, args: DeploymentFleetArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("bluegreen:index:DeploymentFleet", name, {}, opts)
        self._name, self._args = name, args
        overlay = overlay_of(args.names, args.plan, args.settings)
        needed = [*self._variables(overlay), self._disruption_budget()]
        self.members = self._deployment(overlay, needed)
        self.release = self.members.spec.template.metadata.annotations.apply(
            lambda annotations: annotations[RELEASE]
        )
        self.replicas = self._told_replicas()
        self.autoscaler = self._autoscaler()
        self.register_outputs({"release": self.release, "replicas": self.replicas})

    @property
    def carriers(self) -> list[pulumi.Resource]:
        """What must be there before the color gets traffic."""
        return [self.members, *([self.autoscaler] if self.autoscaler else [])]

    def _told_replicas(self) -> pulumi.Output[int]:
        if self._args.plan.autoscaling is None:
            return self.members.spec.replicas
        return self.members.metadata.annotations.apply(_least)

    def _variables(self, overlay: Overlay) -> list[pulumi.Resource]:
        """Named by their content: a change makes new ones, and the old ones go last of all."""
        found: list[pulumi.Resource] = []
        if overlay.plain:
            found.append(
                ConfigMap(
                    child_name(self._name, overlay.plain_role),
                    metadata=self._metadata(overlay.plain_name),
                    data=dict(overlay.plain),
                    immutable=True,
                    opts=self._own(),
                )
            )
        if overlay.secret:
            found.append(
                Secret(
                    child_name(self._name, overlay.secret_role),
                    metadata=self._metadata(overlay.secret_name),
                    string_data=pulumi.Output.secret(dict(overlay.secret)),
                    immutable=True,
                    opts=self._own(),
                )
            )
        return found

    def _disruption_budget(self) -> PodDisruptionBudget:
        # By standing, not by role: a switch changes nothing here, and a color that somebody may
        # roll back to is kept as carefully as the active one.
        most = "100%" if self._args.plan.is_retired else 1
        spec: Manifest = {"maxUnavailable": most, "selector": {"matchLabels": self._labels}}
        return PodDisruptionBudget(
            child_name(self._name, "budget"),
            metadata=self._metadata(self._object_name),
            spec=spec,
            opts=self._own(),
        )

    def _deployment(self, overlay: Overlay, needed: Sequence[pulumi.Resource]) -> Deployment:
        args = self._args
        spec: Manifest = {
            # With an autoscaler it is not the program's, not even the first time.
            **({"replicas": args.plan.replicas} if args.plan.autoscaling is None else {}),
            "revisionHistoryLimit": _HISTORY,
            "selector": {"matchLabels": self._labels},
            # Members of the color that is live only ever change by a one-shot permission.
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0},
            },
            "template": pod_template(args.names, args.plan, args.settings, overlay),
        }
        return Deployment(
            child_name(self._name, "members"),
            metadata=self._metadata(self._object_name, annotations=SKIP_AWAIT | self._owner()),
            spec=spec,
            opts=pulumi.ResourceOptions(
                parent=self, hooks=args.hooks, depends_on=[*args.after, *needed]
            ),
        )

    def _owner(self) -> dict[str, str]:
        """Who owns the number of members.

        The program takes it from an autoscaler that has ended, and from `kubectl scale`. A preview
        has to be let through, too, so nobody could take it over before the write.
        """
        autoscaling = self._args.plan.autoscaling
        return TAKE_OVER if autoscaling is None else bounds_annotation(autoscaling)

    def _autoscaler(self) -> "HorizontalPodAutoscaler | None":
        args = self._args
        if args.plan.autoscaling is None:
            return None
        return autoscaler(
            child_name(self._name, "autoscaler"),
            args.names,
            args.plan.color,
            args.plan.autoscaling,
            pulumi.ResourceOptions(
                parent=self, hooks=args.autoscaler_hooks, depends_on=[self.members]
            ),
        )

    @property
    def _object_name(self) -> str:
        return self._args.names.of_color(self._args.plan.color)

    @property
    def _labels(self) -> dict[str, str]:
        return self._args.names.color_labels(self._args.plan.color)

    def _metadata(self, name: str, annotations: Mapping[str, str] | None = None) -> Manifest:
        return {
            "name": name,
            "namespace": self._args.names.namespace,
            "labels": self._labels,
            **({"annotations": dict(annotations)} if annotations else {}),
        }

    def _own(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self)


def fleet_state_of(properties: Mapping[str, Any]) -> FleetState:
    """Reads the properties of a fleet's Deployment, wanted or recorded."""
    spec = properties["spec"]
    template = spec["template"]
    annotations = template["metadata"].get("annotations") or {}
    bounds = autoscaled_bounds((properties.get("metadata") or {}).get("annotations") or {})
    least, most = bounds or (int(spec.get("replicas") or 0), None)
    images = [each["image"] for each in template["spec"]["containers"] if each["name"] == CONTAINER]
    return FleetState(
        release=annotations.get(RELEASE, "unknown"),
        # The image as well: after a refresh that is what somebody has set by hand.
        fingerprint=" ".join([annotations.get(FINGERPRINT, ""), *images]),
        replicas=least,
        autoscaled_to=most,
    )


def _least(annotations: Mapping[str, str]) -> int:
    bounds = autoscaled_bounds(annotations)
    return bounds[0] if bounds else 0
