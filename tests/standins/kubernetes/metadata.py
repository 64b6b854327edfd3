"""What the metadata of an object tells the provider: its name, and `pulumi.com` annotations."""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

from property_values import is_unknown

__all__ = [
    "adopt_autoname",
    "annotation",
    "assign_autoname",
    "deletion_propagation",
    "identity",
    "is_autonamed",
    "is_named",
    "manager_name",
    "name_of",
    "namespace_of",
    "skips_await",
    "timeout_seconds",
]

AUTONAMED = "pulumi.com/autonamed"
DEFAULT_TIMEOUT_SECONDS = 600.0
PROPAGATIONS = {"orphan": "Orphan", "background": "Background"}
RANDOM_LETTERS = 8

Object = Mapping[str, Any]


def annotation(body: Object, key: str) -> str:
    """The value of a `pulumi.com/` annotation; empty without one."""
    annotations = _metadata(body).get("annotations")
    value = annotations.get(f"pulumi.com/{key}") if isinstance(annotations, Mapping) else None
    return value if isinstance(value, str) else ""


def name_of(body: Object) -> str:
    """Its name; empty without one."""
    name = _metadata(body).get("name")
    return name if isinstance(name, str) else ""


def namespace_of(body: Object) -> str:
    """Its namespace; empty without one."""
    namespace = _metadata(body).get("namespace")
    return namespace if isinstance(namespace, str) else ""


def identity(body: Object) -> str:
    """The ID of the resource: `namespace/name`, or the name alone."""
    namespace = namespace_of(body)
    return f"{namespace}/{name_of(body)}" if namespace else name_of(body)


def skips_await(body: Object) -> bool:
    return annotation(body, "skipAwait") == "true"


def timeout_seconds(from_options: float, body: Object) -> float:
    """How long to wait for it: `customTimeouts`, else the annotation, else ten minutes."""
    if from_options:
        return from_options
    text = annotation(body, "timeoutSeconds")
    return float(text) if text.isdigit() else DEFAULT_TIMEOUT_SECONDS


def deletion_propagation(body: Object) -> str:
    return PROPAGATIONS.get(annotation(body, "deletionPropagationPolicy").lower(), "Foreground")


def manager_name(body: Object, state: Object) -> str:
    """The field manager: the one that is asked for, the one of the state, or a new one."""
    asked = annotation(body, "patchFieldManager") or state.get("__fieldManager")
    return asked or _unique("pulumi-kubernetes-", b"")


def is_named(body: Object) -> bool:
    """Whether a name is given, known or not yet."""
    return bool(name_of(body)) or is_unknown(_metadata(body).get("name"))


def is_autonamed(body: Object) -> bool:
    return annotation(body, "autonamed") == "true"


def assign_autoname(body: dict[str, Any], logical_name: str, seed: bytes, proposed: str) -> None:
    """Names an object whose program does not."""
    if not is_named(body):
        _set_autoname(body, proposed or _unique(f"{logical_name}-", seed))


def adopt_autoname(body: dict[str, Any], old: Object) -> None:
    """Keeps the name that an earlier update has made up."""
    if not is_named(body) and is_autonamed(old):
        _set_autoname(body, name_of(old))


def _set_autoname(body: dict[str, Any], name: str) -> None:
    metadata = body.setdefault("metadata", {})
    if is_unknown(metadata):
        return
    metadata["name"] = name
    annotations = metadata.setdefault("annotations", {})
    if not is_unknown(annotations):
        annotations[AUTONAMED] = "true"


def _unique(prefix: str, seed: bytes) -> str:
    # With the engine's seed, a preview and its update make up the same name.
    random = hashlib.sha512(prefix.encode() + seed).hexdigest() if seed else secrets.token_hex()
    return prefix + random[:RANDOM_LETTERS]


def _metadata(body: Object) -> Object:
    metadata = body.get("metadata")
    return metadata if isinstance(metadata, Mapping) else {}
