"""When a Job counts as done."""

from typing import Any

from api import Api
from kinds import Kind
from metadata import name_of, namespace_of
from patience import NotReadyError, Patience
from pod_problems import pod_problems

__all__ = ["await_completion", "read_completion"]

FAILED_FOR_GOOD = ("BackoffLimitExceeded", "DeadlineExceeded")

Object = dict[str, Any]


def await_completion(api: Api, kind: Kind, job: Object, patience: Patience) -> Object:
    """The Job once it has succeeded.

    Raises:
        NotReadyError: it has failed, or was not in time.
    """
    while True:
        live = api.get(kind, namespace_of(job), name_of(job))
        if _has_condition(live, "Complete"):
            return live
        if _failures(live):
            raise _failed(api, live)
        if patience.is_over:
            raise patience.failure(live, _reasons(api, live))
        patience.pause()


def read_completion(api: Api, kind: Kind, job: Object) -> Object:
    """The Job, if it has succeeded by now.

    Raises:
        NotReadyError: it has not.
    """
    live = api.get(kind, namespace_of(job), name_of(job))
    if not _has_condition(live, "Complete"):
        raise _failed(api, live)
    return live


def _failed(api: Api, job: Object) -> NotReadyError:
    text = f"Resource '{name_of(job)}' was created but failed to initialize"
    return NotReadyError(text, job, _reasons(api, job))


def _conditions(job: Object) -> list[Object]:
    return list((job.get("status") or {}).get("conditions") or [])


def _has_condition(job: Object, name: str) -> bool:
    return any(entry["type"] == name and entry["status"] == "True" for entry in _conditions(job))


def _failures(job: Object) -> list[str]:
    return [
        f"[{entry['reason']}] {entry.get('message', '')}"
        for entry in _conditions(job)
        if entry["type"] == "Failed" and entry.get("reason") in FAILED_FOR_GOOD
    ]


def _reasons(api: Api, job: Object) -> list[str]:
    pods = api.all_of("/api/v1", namespace_of(job), "pods")
    return [*_failures(job), *pod_problems(pods, job)]
