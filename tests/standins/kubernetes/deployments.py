"""When a Deployment counts as rolled out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api import Api
from kinds import Kind
from metadata import name_of, namespace_of
from patience import NotReadyError, Patience
from pod_problems import pod_problems

__all__ = ["await_rollout", "read_rollout"]

REVISION = "deployment.kubernetes.io/revision"

Object = dict[str, Any]


@dataclass(frozen=True)
class Rollout:
    """A Deployment, and the ReplicaSet of its newest revision."""

    deployment: Object
    replica_set: Object | None

    @property
    def revision(self) -> str:
        return _revision(self.deployment)

    @property
    def is_seen(self) -> bool:
        """Whether the controller has taken notice of the newest spec."""
        observed = (self.deployment.get("status") or {}).get("observedGeneration")
        return bool(observed == self.deployment["metadata"].get("generation"))

    @property
    def is_done(self) -> bool:
        is_new: bool = self.revision in ("", "1")
        is_available: bool = self._condition("Available")["status"] == "True"
        return (
            self.is_seen
            and is_available
            and (is_new or self._is_progressed)
            and self._has_ready_pods
        )

    @property
    def _is_progressed(self) -> bool:
        condition = self._condition("Progressing")
        is_true: bool = condition["status"] == "True"
        is_available: bool = condition.get("reason") == "NewReplicaSetAvailable"
        return is_true and is_available

    @property
    def _has_ready_pods(self) -> bool:
        # By the ReplicaSet's own number, which an autoscaler or a person may have changed since.
        if self.replica_set is None:
            return False
        wanted = self.replica_set["spec"].get("replicas", 1)
        ready = (self.replica_set.get("status") or {}).get("readyReplicas", 0)
        return bool(ready >= wanted)

    def problems(self) -> list[str]:
        """What keeps it from being done."""
        told = [
            f"[{condition['reason']}] {condition['message']}"
            for name in ("Progressing", "Available")
            if (condition := self._condition(name))["status"] == "False"
        ]
        return [*told, self._summary()]

    def _summary(self) -> str:
        if self._condition("Available")["status"] != "True":
            return "Minimum number of live Pods was not attained"
        if self.revision not in ("", "1") and self._is_progressed:
            return (
                "Attempted to roll forward to new ReplicaSet, "
                "but minimum number of Pods did not become live"
            )
        return "Minimum number of Pods to consider the application live was not attained"

    def _condition(self, name: str) -> Mapping[str, Any]:
        conditions = (self.deployment.get("status") or {}).get("conditions") or []
        found = (entry for entry in conditions if entry["type"] == name)
        return next(found, {"status": "Unknown"})


def await_rollout(api: Api, kind: Kind, deployment: Object, patience: Patience) -> Object:
    """The Deployment once it is rolled out.

    Raises:
        NotReadyError: it was not in time; says what the pods say.
    """
    while True:
        rollout = _look(api, kind, deployment)
        if rollout.is_done:
            return rollout.deployment
        if patience.is_over:
            raise patience.failure(rollout.deployment, _reasons(api, rollout))
        patience.pause()


def read_rollout(api: Api, kind: Kind, deployment: Object) -> Object:
    """The Deployment, if it is rolled out right now.

    Raises:
        NotReadyError: it is not.
    """
    rollout = _look(api, kind, deployment)
    if rollout.is_done:
        return rollout.deployment
    text = f"Resource '{name_of(deployment)}' was created but failed to initialize"
    raise NotReadyError(text, rollout.deployment, _reasons(api, rollout))


def _look(api: Api, kind: Kind, deployment: Object) -> Rollout:
    live = api.get(kind, namespace_of(deployment), name_of(deployment))
    replica_set = None
    if _revision(live):
        owned = api.all_of("/apis/apps/v1", namespace_of(deployment), "replicasets")
        replica_set = next((entry for entry in owned if _is_newest(entry, live)), None)
    return Rollout(live, replica_set)


def _is_newest(replica_set: Object, deployment: Object) -> bool:
    references = replica_set["metadata"].get("ownerReferences") or []
    is_owned = any(entry["uid"] == deployment["metadata"]["uid"] for entry in references)
    return is_owned and _revision(replica_set) == _revision(deployment)


def _revision(body: Object) -> str:
    return str((body["metadata"].get("annotations") or {}).get(REVISION, ""))


def _reasons(api: Api, rollout: Rollout) -> list[str]:
    pods = api.all_of("/api/v1", namespace_of(rollout.deployment), "pods")
    return [*rollout.problems(), *pod_problems(pods, rollout.replica_set)]
