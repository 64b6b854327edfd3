"""The values of a program, as Terraform's provider takes them."""

import json
from collections.abc import Mapping
from typing import Any

from tests.standins.aws.names import camel, plural
from tests.standins.aws.shapes import Argument, Shape
from tests.standins.kubernetes.property_values import UNKNOWN

__all__ = ["state_to_terraform", "to_terraform"]

# In an object that is a value and no block, nothing may be left out.
EMPTY = {"bool": False, "number": 0, "string": ""}


def to_terraform(shape: Shape, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Every argument of the shape, None where it is not given; `UNKNOWN` stays.

    Raises:
        ValueError: a value is of another kind than the argument.
    """
    values = {}
    for argument in shape.arguments:
        value = properties.get(argument.key) if argument.is_input else None
        try:
            values[argument.name] = _argument(argument, value)
        except (TypeError, ValueError, AttributeError) as error:
            msg = f"{argument.key}: {value!r} is of the wrong kind ({error})"
            raise ValueError(msg) from error
    return values


def state_to_terraform(shape: Shape, properties: Mapping[str, Any]) -> dict[str, Any]:
    """The same for outputs, with what only the provider can know."""
    return {
        argument.name: _argument(argument, properties.get(argument.key), of_state=True)
        for argument in shape.arguments
    }


def _argument(argument: Argument, value: Any, *, of_state: bool = False) -> Any:
    if argument.block is None:
        return _typed(argument.type, [value] if argument.is_single and value else value)
    if value is UNKNOWN:
        return UNKNOWN
    convert = state_to_terraform if of_state else to_terraform
    if not argument.is_repeated:
        return convert(argument.block, value) if value is not None else None
    elements = value if isinstance(value, list) else [] if value is None else [value]
    if any(element is UNKNOWN for element in elements):
        return UNKNOWN
    return [convert(argument.block, element or {}) for element in elements]


def _typed(kind: Any, value: Any) -> Any:
    if value is None or value is UNKNOWN:
        return value
    if isinstance(kind, str):
        return _scalar(kind, value)
    collection, of = kind
    if collection in ("list", "set"):
        return [_typed(of, each) for each in (value if isinstance(value, list) else [value])]
    if collection == "map":
        return {key: _typed(of, each) for key, each in value.items() if key != "__defaults"}
    if collection == "object":
        return {name: _member(value, name, inner) for name, inner in of.items()}
    return [_typed(inner, each) for inner, each in zip(of, value, strict=True)]


def _member(value: Mapping[str, Any], name: str, kind: Any) -> Any:
    given = value.get(camel(name), value.get(plural(camel(name))))
    if given is not None:
        return _typed(kind, given)
    return EMPTY.get(kind) if isinstance(kind, str) else []


def _scalar(kind: str, value: Any) -> Any:
    if kind == "string":
        return _text(value)
    if kind == "number" and isinstance(value, str):
        return float(value) if "." in value else int(value)
    if kind == "bool" and isinstance(value, str):
        return value == "true"
    return value


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    # A policy document may be given as an object; true is spelled like that everywhere.
    return json.dumps(value)
