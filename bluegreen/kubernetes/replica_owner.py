"""Hands the number of members over between the program and an autoscaler.

The API server gives a field its default when the last one who applies it stops to: a Deployment
whose program no longer says `replicas` would pass through one member. And an autoscaler that is
still there would undo what the program writes.
"""

from typing import Any

from bluegreen.errors import DataPlaneError, RolloutError
from bluegreen.gate_hooks import HookCall
from bluegreen.kubernetes.cluster import Cluster, ConflictError
from bluegreen.kubernetes.deployment_fleet import fleet_state_of
from bluegreen.kubernetes.members import desired_of
from bluegreen.kubernetes.names import ObjectNames
from bluegreen.plan import FleetPlan

__all__ = ["ReplicaOwner"]

_MANAGER = "bluegreen-replicas"
"""The field manager that keeps the number until the autoscaler first changes it."""

_TRIES = 10


class ReplicaOwner:
    """Asked around the writes of one color's Deployment and autoscaler, in updates only."""

    def __init__(self, service: str, cluster: Cluster, names: ObjectNames, plan: FleetPlan) -> None:
        self._service = service
        self._cluster = cluster
        self._names = names
        self._plan = plan

    def before_write(self, call: HookCall) -> None:
        """Asked before the Deployment is updated."""
        if self._plan.autoscaling is not None:
            self._keep()
        elif call.old and fleet_state_of(call.old).is_autoscaled:
            self._end_autoscaler()

    def after_write(self, _: HookCall) -> None:
        """Asked after that, and before the autoscaler is made: an autoscaler leaves 0 alone."""
        if self._plan.autoscaling is None:
            return
        try:
            self._write(at_least=self._plan.replicas)
        except DataPlaneError as error:
            msg = (
                f"{self._service}: {self._plan.color} has been deployed, but cannot be given the "
                f"{self._plan.replicas} members that its autoscaler starts from: {error}; "
                "production traffic has not been moved by this update; `pulumi up` tries again"
            )
            raise RolloutError(msg) from error

    def _keep(self) -> None:
        try:
            self._write(at_least=0)
        except DataPlaneError as error:
            msg = (
                f"{self._service}: cannot keep the members of {self._plan.color} for its "
                f"autoscaler: {error}; they were not changed; `pulumi up` tries again"
            )
            raise RolloutError(msg) from error

    def _end_autoscaler(self) -> None:
        """Before its time: Pulumi would do it as the last thing of all."""
        name = self._names.of_color(self._plan.color)
        path = self._names.group("autoscaling/v2", "horizontalpodautoscalers", name)
        try:
            self._cluster.delete(path)
        except DataPlaneError as error:
            msg = (
                f"{self._service}: cannot end the autoscaler of {self._plan.color}: {error}; its "
                "members were not changed; `pulumi up` tries again"
            )
            raise RolloutError(msg) from error

    def _write(self, *, at_least: int) -> None:
        """Owns the present number as well as its owner does, or a larger one instead of it."""
        for left in reversed(range(_TRIES)):
            live = self._cluster.get(self._path)
            if live is None:
                return
            present = desired_of(live)
            wanted = max(present, at_least)
            try:
                self._cluster.apply(
                    self._path,
                    self._only_replicas(live, wanted),
                    manager=_MANAGER,
                    force=wanted != present,
                )
            except ConflictError:
                # Changed by somebody since it was read: the next try goes by what it is then.
                if not left:
                    raise
            else:
                return

    @property
    def _path(self) -> str:
        name = self._names.of_color(self._plan.color)
        return self._names.group("apps/v1", "deployments", name)

    def _only_replicas(self, live: dict[str, Any], replicas: int) -> dict[str, Any]:
        metadata = live["metadata"]
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "resourceVersion": metadata["resourceVersion"],
            },
            "spec": {"replicas": replicas},
        }
