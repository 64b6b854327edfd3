"""Whether a copy stays apart from what it is a copy of, by names; and what is left of it. Pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["Resource", "left_resources", "preview_errors", "shared_resources"]

Resource = tuple[str, str]
"""Its type, and its name as the platform has it: `namespace/name` on Kubernetes."""


def shared_resources(planned: str, existing: str) -> list[Resource]:
    """What the copy would make under the name that a resource of the stack has.

    Args:
        planned: What `pulumi preview --json` says of the copy.
        existing: What `pulumi stack export` says of the stack.
    """
    taken = {each for state in _exported(existing) if (each := _named(state)) is not None}
    made = (step.get("newState") or {} for step in json.loads(planned).get("steps") or ())
    wanted = {each for state in made if (each := _named(state)) is not None}
    return sorted(taken & wanted)


def left_resources(existing: str) -> list[Resource]:
    """The resources of a stack that are somewhere, by what the platform calls them."""
    return [
        (str(state["type"]), str(state["id"]))
        for state in _exported(existing)
        if state.get("custom") and state.get("id") and not _is_engines(state)
    ]


def preview_errors(planned: str) -> list[str]:
    """Why a preview failed, by its document."""
    said = json.loads(planned).get("diagnostics") or ()
    errors = [each for each in said if each.get("severity") == "error"]
    return [str(each.get("message", "")).strip() for each in errors]


def _exported(text: str) -> Iterator[Mapping[str, Any]]:
    yield from (json.loads(text).get("deployment") or {}).get("resources") or ()


def _named(state: Mapping[str, Any]) -> Resource | None:
    """None for what has no name that somebody chose."""
    inputs = state.get("inputs") or {}
    if not state.get("custom") or _is_engines(state):
        return None
    metadata = inputs.get("metadata")
    if isinstance(metadata, Mapping):
        namespace, name = metadata.get("namespace"), metadata.get("name")
        name = f"{namespace}/{name}" if namespace and name else name
    else:
        name = inputs.get("name")
    return (str(state["type"]), name) if isinstance(name, str) else None


def _is_engines(state: Mapping[str, Any]) -> bool:
    return str(state.get("type", "")).startswith("pulumi:")
