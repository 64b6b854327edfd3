"""What the engine keeps of an object: its live state, and beside it the inputs that made it."""

from collections.abc import Mapping
from typing import Any

from property_values import Secret, contains_secret, plain

__all__ = ["checkpoint", "inputs_and_live", "with_secrets_of"]

INTERNAL = ("__inputs", "__initialApiVersion", "__fieldManager")

Object = dict[str, Any]


def checkpoint(
    inputs: Mapping[str, Any],
    live: Mapping[str, Any],
    original: Mapping[str, Any],
    *,
    api_version: str,
    manager: str,
) -> Object:
    """The state of a resource; what is secret in `original` is secret in it."""
    state = with_secrets_of(live, original)
    _hide_encoded(state, original)
    state["__inputs"] = with_secrets_of(inputs, original)
    state["__initialApiVersion"] = api_version
    state["__fieldManager"] = manager
    return state


def inputs_and_live(state: Mapping[str, Any]) -> tuple[Object, Object]:
    """The two halves of a checkpoint, without the marks of secrets."""
    live = plain(state)
    inputs = live.get("__inputs") or {}
    return inputs, {key: value for key, value in live.items() if key not in INTERNAL}


def with_secrets_of(body: Mapping[str, Any], original: Mapping[str, Any]) -> Object:
    """A copy in which secret is what is secret in `original`, and all data of a Secret."""
    result = dict(body)
    if result.get("kind") == "Secret":
        for key in ("data", "stringData"):
            if key in result:
                result[key] = Secret(plain(result[key]))
        return result
    for key, value in original.items():
        if key in result:
            result[key] = _marked(result[key], value)
    return result


def _marked(value: Any, original: Any) -> Any:
    if isinstance(value, Mapping) and isinstance(original, Mapping):
        return with_secrets_of(value, original)
    # A list as a whole, because the server may have sorted it.
    return Secret(plain(value)) if contains_secret(original) else value


def _hide_encoded(state: Object, original: Mapping[str, Any]) -> None:
    """What came as `stringData` comes back as `data`."""
    if "stringData" in original and "data" in state and state.get("kind") == "Secret":
        state["data"] = Secret(plain(state["data"]))
