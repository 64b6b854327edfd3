"""Inputs as the API server would write them, so that equal ones compare as equal."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from kinds import KINDS
from property_values import contains_unknown

__all__ = ["importable", "normalized", "pruned"]

# Written by the server alone.
READ_ONLY = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "uid",
)

# Written by a controller, and by kubectl for itself.
FOREIGN_ANNOTATIONS = (
    "deployment.kubernetes.io/revision",
    "kubectl.kubernetes.io/last-applied-configuration",
)

Object = dict[str, Any]


def normalized(body: Mapping[str, Any]) -> Object:
    """A copy in the form in which the server keeps it."""
    kind = KINDS.get((str(body.get("apiVersion")), str(body.get("kind"))))
    result = dict(body)
    if kind is not None and not kind.is_custom and not contains_unknown(body):
        result = _without_none(result)
        if kind.name == "Secret":
            _encode(result)
        if kind.name == "CustomResourceDefinition":
            result.pop("status", None)
    if isinstance(metadata := result.get("metadata"), Mapping):
        kept = {key: value for key, value in metadata.items() if key not in READ_ONLY}
        result["metadata"] = kept
    return result


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_none(item) for item in value]
    return value


def _encode(secret: Object) -> None:
    """The server turns `stringData` into `data`."""
    texts = secret.pop("stringData", None)
    data = {key: _reencoded(text) for key, text in (secret.get("data") or {}).items()}
    for key, text in (texts or {}).items():
        data[key] = base64.b64encode(text.encode()).decode()
    if data:
        secret["data"] = data


def _reencoded(text: str) -> str:
    try:
        return base64.b64encode(base64.b64decode(text)).decode()
    except binascii.Error:
        # The server says so itself.
        return text


def pruned(live: Mapping[str, Any], shape: Mapping[str, Any]) -> Object:
    """What `live` says about the properties that `shape` has, and nothing about any other."""
    return {key: _pruned(value, shape[key]) for key, value in live.items() if key in shape}


def _pruned(live: Any, shape: Any) -> Any:
    if isinstance(live, Mapping) and isinstance(shape, Mapping):
        return pruned(live, shape)
    if isinstance(live, list) and isinstance(shape, list):
        if not live or not shape:
            return []
        # Elements beyond those of the program are the server's.
        return [_pruned(one, other) for one, other in zip(live, shape, strict=False)]
    return live


def importable(live: Mapping[str, Any]) -> Object:
    """The inputs of an object that a program has not made: all that somebody may have wanted."""
    body = normalized({key: value for key, value in live.items() if key != "status"})
    metadata = dict(body["metadata"])
    if annotations := metadata.pop("annotations", None):
        metadata["annotations"] = {
            key: value for key, value in annotations.items() if key not in FOREIGN_ANNOTATIONS
        }
    body["metadata"] = metadata
    return body
