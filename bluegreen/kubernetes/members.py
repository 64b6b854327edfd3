"""How many members of a color are ready, and why the others are not. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bluegreen.gates.gate import Readiness
from bluegreen.gates.wording import one_line
from bluegreen.kubernetes.names import FINGERPRINT, RELEASE

__all__ = ["desired_of", "readiness_of", "ready_names", "release_of", "why_not_running"]

_Object = Mapping[str, Any]
_MOST_REASONS = 2
_REASON_LENGTH = 160


def readiness_of(
    deployment: _Object | None, pods: Iterable[_Object], slices: Iterable[_Object]
) -> Readiness:
    """Counts the members that get traffic and were started from what the Deployment says now.

    While members of an earlier template still serve none is counted: traffic would reach both.
    """
    if deployment is None:
        return Readiness(ready=0, desired=0, note="its Deployment is not there")
    wanted = _template_annotations(deployment).get(FINGERPRINT)
    members = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    current = [pod for pod in members if _annotations(pod).get(FINGERPRINT) == wanted]
    names = {pod["metadata"]["name"] for pod in current}
    serving = ready_names(slices)
    others = serving - names
    reasons = list(_reasons(deployment, current, serving))
    if others:
        reasons.insert(0, f"{len(others)} members of an earlier release still serve")
    return Readiness(
        ready=0 if others else len(serving & names),
        desired=desired_of(deployment),
        note="; ".join(reasons[:_MOST_REASONS]),
    )


def desired_of(deployment: _Object) -> int:
    """How many members a Deployment is to have."""
    return int(deployment["spec"].get("replicas", 1))


def release_of(deployment: _Object | None) -> str | None:
    """The release of a Deployment's members; None when it is to have none."""
    if deployment is None or desired_of(deployment) == 0:
        return None
    return _template_annotations(deployment).get(RELEASE, "unknown")


def ready_names(slices: Iterable[_Object]) -> set[str]:
    """The pods that a Service sends requests to."""
    return {
        endpoint["targetRef"]["name"]
        for each in slices
        for endpoint in each.get("endpoints") or []
        if endpoint.get("targetRef") and _takes_requests(endpoint.get("conditions") or {})
    }


def _takes_requests(conditions: _Object) -> bool:
    # An absent `ready` means yes (discovery.k8s.io/v1).
    return conditions.get("ready", True) is not False and not conditions.get("terminating", False)


def _annotations(thing: _Object) -> Mapping[str, str]:
    return thing["metadata"].get("annotations") or {}


def _template_annotations(deployment: _Object) -> Mapping[str, str]:
    return deployment["spec"]["template"].get("metadata", {}).get("annotations") or {}


def _reasons(deployment: _Object, pods: Iterable[_Object], serving: set[str]) -> Iterator[str]:
    """Why members are missing or not ready; each reason once."""
    said: set[str] = set()
    for text in (*_missing(deployment), *(_why(pod) for pod in _unready(pods, serving))):
        if text and text not in said:
            said.add(text)
            yield one_line(text, _REASON_LENGTH)


def _unready(pods: Iterable[_Object], serving: set[str]) -> Iterator[_Object]:
    return (pod for pod in pods if pod["metadata"]["name"] not in serving)


def _missing(deployment: _Object) -> Iterator[str]:
    """Members that could not even be made: a quota, an admission rule."""
    for condition in (deployment.get("status") or {}).get("conditions") or []:
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
            yield f"{condition.get('reason', 'FailedCreate')}: {condition.get('message', '')}"


def why_not_running(pod: _Object) -> str | None:
    """What keeps a pod from running, in the cluster's own words; None where it says nothing."""
    status = pod.get("status") or {}
    for container in status.get("containerStatuses") or []:
        state = container.get("state") or {}
        for phase in ("waiting", "terminated"):
            if (details := state.get(phase)) and details.get("reason") != "ContainerCreating":
                reason, message = details.get("reason", phase), details.get("message", "")
                return f"{reason}: {message}" if message else str(reason)
    for condition in status.get("conditions") or []:
        is_unscheduled = condition["type"] == "PodScheduled" and condition["status"] == "False"
        if is_unscheduled:
            return f"{condition.get('reason', 'Unschedulable')}: {condition.get('message', '')}"
    return None


def _why(pod: _Object) -> str:
    if reason := why_not_running(pod):
        return reason
    is_running = (pod.get("status") or {}).get("phase") == "Running"
    return "running, but its readiness check does not pass" if is_running else "starting"
