"""Previews as small as a test needs them."""

import json
from typing import Any

from bluegreen.preview import StackReport, read_document, report_on

PLACE = "urn:pulumi:prod::shop::"


def a_step(
    kind: str,
    name: str,
    *,
    op: str = "update",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    parents: str = "",
    **more: Any,
) -> dict[str, Any]:
    """One step; `parents` are types, each with its `$`."""
    found: dict[str, Any] = {"op": op, "urn": f"{PLACE}{parents}{kind}::{name}", **more}
    if before is not None:
        found["oldState"] = {"inputs": before, "outputs": before}
    if after is not None:
        found["newState"] = {"inputs": after}
    return found


def a_stack(**outputs: Any) -> dict[str, Any]:
    return {
        "op": "same",
        "urn": f"{PLACE}pulumi:pulumi:Stack::shop-prod",
        "oldState": {"outputs": outputs},
    }


def a_document(*steps: dict[str, Any], says: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    """A document; `says` are messages, each with its severity in front: `error: no`."""
    diagnostics = []
    for each in says:
        severity, _, message = each.partition(": ")
        diagnostics.append({"severity": severity, "message": message})
    return {"config": {}, "steps": list(steps), "diagnostics": diagnostics, **more}


def report(*steps: dict[str, Any], says: tuple[str, ...] = (), **more: Any) -> StackReport:
    return report_on(read_document(json.dumps(a_document(*steps, says=says, **more))))


def selector(color: str) -> dict[str, Any]:
    return {"metadata": {"name": "web"}, "spec": {"selector": {"app": "web", "color": color}}}


def deployment(color: str, release: str, replicas: int = 3) -> dict[str, Any]:
    labels = {"app": "web", "color": color}
    return {
        "metadata": {"name": f"web-{color}", "labels": labels},
        "spec": {
            "replicas": replicas,
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "web", "image": f"registry/web:{release}"}]},
            },
        },
    }
