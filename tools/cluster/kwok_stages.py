"""How kwok's nodes and pods get on: its `Stage` objects.

Annotations of a pod steer its readiness; they may be set and removed while it runs.
"""

from typing import Any

__all__ = ["NEVER_READY", "READY_AFTER", "stages"]

NEVER_READY = "bluegreen.test/never-ready"
"""`"true"`: the pod runs and is not ready."""

READY_AFTER = "bluegreen.test/ready-after"
"""Such as `"3s"`: how long the pod is pending before it runs and is ready."""

NODE_STATUS = """
{{ $now := Now }}
phase: Running
conditions:
{{ range NodeConditions }}
- type: {{ .type | Quote }}
  status: {{ .status | Quote }}
  reason: {{ .reason | Quote }}
  message: {{ .message | Quote }}
  lastHeartbeatTime: {{ $now | Quote }}
  lastTransitionTime: {{ $now | Quote }}
{{ end }}
addresses:
- {type: InternalIP, address: {{ NodeIP | Quote }}}
- {type: Hostname, address: {{ NodeName | Quote }}}
"""

POD_STATUS = """
{{ $now := Now }}
phase: Running
startTime: {{ or .status.startTime $now | Quote }}
conditions:
- {type: Initialized, status: "True", lastTransitionTime: {{ $now | Quote }}}
- {type: Ready, status: "READY", lastTransitionTime: {{ $now | Quote }}}
- {type: ContainersReady, status: "READY", lastTransitionTime: {{ $now | Quote }}}
{{ range .spec.readinessGates }}
- {type: {{ .conditionType | Quote }}, status: "True", lastTransitionTime: {{ $now | Quote }}}
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  ready: CONTAINER
  started: true
  restartCount: 0
  state: {running: {startedAt: {{ $now | Quote }}}}
{{ end }}
hostIP: {{ NodeIPWith .spec.nodeName | Quote }}
{{ $ip := or .status.podIP
  (PodIPWith .spec.nodeName false .metadata.uid .metadata.name .metadata.namespace) }}
podIP: {{ $ip | Quote }}
podIPs: [{ip: {{ $ip | Quote }}}]
"""

JOB_STATUS = """
{{ $now := Now }}
phase: Succeeded
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  ready: false
  restartCount: 0
  state:
    terminated:
      exitCode: 0
      reason: Completed
      startedAt: {{ $now | Quote }}
      finishedAt: {{ $now | Quote }}
{{ end }}
"""

READY = '.status.conditions.[] | select( .type == "Ready" ) | .status'
HELD_BACK = f'.metadata.annotations["{NEVER_READY}"]'
DELETED = ".metadata.deletionTimestamp"


def stages() -> list[dict[str, Any]]:
    """All that kwok is to know."""
    alive = [_where(DELETED, "DoesNotExist"), _where(".status.phase", "In", "Pending", "Running")]
    not_ready, ready = _where(READY, "NotIn", "True"), _where(READY, "NotIn", "False")
    delay = {
        "durationMilliseconds": 0,
        "durationFrom": {"expressionFrom": _annotation(READY_AFTER)},
    }
    return [
        _stage("node-ready", "Node", [not_ready], {"statusTemplate": NODE_STATUS}),
        _stage(
            "pod-ready",
            "Pod",
            [*alive, not_ready, _where(HELD_BACK, "NotIn", "true")],
            {"statusTemplate": _pod_status("True")},
            delay=delay,
        ),
        _stage(
            "pod-not-ready",
            "Pod",
            [*alive, ready, _where(HELD_BACK, "In", "true")],
            {"statusTemplate": _pod_status("False")},
        ),
        _stage(
            "pod-of-job-done",
            "Pod",
            [
                _where(DELETED, "DoesNotExist"),
                _where(READY, "In", "True"),
                _where(".status.phase", "In", "Running"),
                _where(".metadata.ownerReferences.[].kind", "In", "Job"),
            ],
            {"statusTemplate": JOB_STATUS},
        ),
        _stage("pod-deleted", "Pod", [_where(DELETED, "Exists")], {"delete": True}),
    ]


def _annotation(name: str) -> str:
    return f'.metadata.annotations["{name}"]'


def _pod_status(ready: str) -> str:
    return POD_STATUS.replace("READY", ready).replace("CONTAINER", ready.lower())


def _where(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"key": key, "operator": operator} | ({"values": list(values)} if values else {})


def _stage(
    name: str,
    kind: str,
    selector: list[dict[str, Any]],
    following: dict[str, Any],
    **more: dict[str, Any],
) -> dict[str, Any]:
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Stage",
        "metadata": {"name": name},
        "spec": {
            "resourceRef": {"apiGroup": "v1", "kind": kind},
            "selector": {"matchExpressions": selector},
            "next": following,
            **more,
        },
    }
