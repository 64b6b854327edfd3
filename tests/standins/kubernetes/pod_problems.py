"""Why pods are not ready, in the words of the cluster."""

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["pod_problems"]

Object = Mapping[str, Any]


def pod_problems(pods: list[dict[str, Any]], owner: Object | None) -> list[str]:
    """One message for every pod of the owner that has something to say."""
    if owner is None:
        return []
    owned = [pod for pod in pods if _is_owned(pod, owner)]
    return [message for pod in owned if (message := _problem(pod))]


def _is_owned(pod: Object, owner: Object) -> bool:
    references = pod["metadata"].get("ownerReferences") or []
    return any(reference["uid"] == owner["metadata"]["uid"] for reference in references)


def _problem(pod: Object) -> str:
    status = pod.get("status") or {}
    conditions = {entry["type"]: entry for entry in status.get("conditions") or []}
    if (conditions.get("PodScheduled") or {}).get("status") != "True":
        # A pod that waits for a place is no problem of the pod.
        return ""
    unmet = [
        condition
        for name in ("Initialized", "Ready")
        if (condition := conditions.get(name)) and condition["status"] != "True"
    ]
    if not unmet or status.get("phase") == "Succeeded":
        return ""
    errors = [text for entry in status.get("containerStatuses") or [] for text in _errors(entry)]
    told = unmet[0].get("message", "") if unmet[0].get("reason") else ""
    if not told and not errors:
        return ""
    namespace = pod["metadata"]["namespace"]
    place = "" if namespace == "default" else f"{namespace}/"
    return f"[Pod {place}{pod['metadata']['name']}]: {told}" + "\n".join(errors)


def _errors(container: Object) -> Iterator[str]:
    if container.get("ready"):
        return
    state = container.get("state") or {}
    waiting = state.get("waiting") or {}
    if waiting.get("reason") not in (None, "ContainerCreating"):
        yield f"[{waiting['reason']}] {waiting.get('message', '')}"
    ended = state.get("terminated") or {}
    if ended.get("reason"):
        code = f'container "{container["name"]}" completed with exit code {ended.get("exitCode")}'
        yield f"[{ended['reason']}] {ended['message']}" if ended.get("message") else code
    last = (container.get("lastState") or {}).get("terminated")
    if last:
        told = f"{last.get('reason')}: exit code {last.get('exitCode')}"
        yield f'container "{container["name"]}" terminated at {last.get("finishedAt")} ({told})'
