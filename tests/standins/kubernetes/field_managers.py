"""Who owns which field of an object, for server-side apply."""

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from metadata import annotation

__all__ = ["is_forced", "leave_ignored", "take_over"]

# An object that the provider creates is a plain create; its first update makes an apply of it.
CREATOR = "pulumi-kubernetes"

# Whose fields the official provider takes without asking, by how the name begins:
# its own from before server-side apply, and everything done by hand with kubectl.
TAKEN_OVER = (
    ("kubectl", "Apply"),
    ("kubectl", "Update"),
    ("before-first-apply", "Update"),
    (CREATOR, "Update"),
    ("pulumi-resource-kubernetes", "Update"),
)

Object = dict[str, Any]


def take_over(live: Mapping[str, Any], manager: str) -> list[Object]:
    """A JSON patch that gives `manager` what it may take from others; empty if there is nothing."""
    entries = live["metadata"].get("managedFields") or []
    taken = [entry for entry in entries if _is_taken_over(entry)]
    if not taken:
        return []
    own = [entry for entry in entries if _is_apply_of(entry, manager)]
    others = [entry for entry in entries if entry not in taken and entry not in own]
    merged = {**copy.deepcopy((own or taken)[0]), "manager": manager, "operation": "Apply"}
    for entry in (*own, *taken):
        _merge(merged["fieldsV1"], entry["fieldsV1"])
    return [{"op": "replace", "path": "/metadata/managedFields", "value": [*others, merged]}]


def is_forced(inputs: Mapping[str, Any], live: Mapping[str, Any], *, in_preview: bool) -> bool:
    """Whether an apply takes fields from other managers instead of being refused."""
    if annotation(inputs, "patchForce") == "true":
        return True
    entries = live["metadata"].get("managedFields") or []
    if in_preview and any(
        entry["manager"] in (CREATOR, "pulumi-resource-kubernetes")
        and entry["operation"] == "Update"
        for entry in entries
    ):
        # The update itself takes them over first, which a preview must not.
        return True
    return not entries


def leave_ignored(
    inputs: Object, live: Mapping[str, Any], manager: str, ignored: Iterable[str]
) -> None:
    """`ignoreChanges`: what somebody else manages is left to them, the rest stays as it is."""
    entries = live["metadata"].get("managedFields") or []
    for path in ignored:
        parts = path.split(".")
        own = any(_has(entry, parts) for entry in entries if entry["manager"] == manager)
        theirs = any(_has(entry, parts) for entry in entries if entry["manager"] != manager)
        if theirs and not own:
            _remove(inputs, parts)
        else:
            _copy(live, inputs, parts)


def _is_taken_over(entry: Mapping[str, Any]) -> bool:
    return not entry.get("subresource") and any(
        entry["manager"].startswith(name) and entry["operation"] == operation
        for name, operation in TAKEN_OVER
    )


def _is_apply_of(entry: Mapping[str, Any], manager: str) -> bool:
    return bool(entry["manager"] == manager and entry["operation"] == "Apply")


def _merge(fields: Object, more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        _merge(fields.setdefault(key, {}), value)


def _has(entry: Mapping[str, Any], parts: list[str]) -> bool:
    fields = entry.get("fieldsV1") or {}
    for part in parts:
        if f"f:{part}" not in fields:
            return False
        fields = fields[f"f:{part}"]
    return True


def _remove(body: Object, parts: list[str]) -> None:
    *parents, last = parts
    for part in parents:
        body = body.get(part) or {}
    body.pop(last, None)


def _copy(source: Mapping[str, Any], target: Object, parts: list[str]) -> None:
    *parents, last = parts
    for part in parents:
        source = source.get(part) or {}
        target = target.setdefault(part, {})
    if last in source:
        target[last] = source[last]
