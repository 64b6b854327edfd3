"""What has become of a resource: for a refresh, an import, or a `get` of a program."""

from collections.abc import Mapping
from typing import Any

from pulumi.runtime.proto import provider_pb2

from tests.standins.aws.aws import Aws
from tests.standins.aws.checkpoint import known, outputs, with_secrets_of
from tests.standins.aws.checks import with_defaults
from tests.standins.aws.from_terraform import from_terraform
from tests.standins.aws.operations import identity_of
from tests.standins.aws.shapes import Shape
from tests.standins.aws.terraform import Found, ProblemError
from tests.standins.aws.to_terraform import to_terraform
from tests.standins.kubernetes.property_values import from_struct, plain, to_struct

__all__ = ["read"]

Object = dict[str, Any]
EMPTY: tuple[Any, ...] = ("", [], {})


def read(aws: Aws, shape: Shape, request: provider_pb2.ReadRequest) -> provider_pb2.ReadResponse:
    """The resource as it is in AWS now; nothing if it is gone.

    Raises:
        ProblemError: AWS does not say.
    """
    properties, inputs = from_struct(request.properties), from_struct(request.inputs)
    if properties:
        prior = known(shape, properties)
    else:
        prior = aws.terraform.imported(shape.type, request.id)
    found = aws.terraform.read(shape.type, prior)
    if found.state is None:
        return provider_pb2.ReadResponse()
    state = outputs(shape, found, inputs, aws.region)
    if properties:
        state = {key: each for key, each in state.items() if key in properties or _says(each)}
    shown = _found_inputs(aws, shape, inputs, found) if inputs else _all_inputs(shape, found)
    return provider_pb2.ReadResponse(
        id=identity_of(found), properties=to_struct(state), inputs=to_struct(shown)
    )


def _says(value: Any) -> bool:
    return not any(type(value) is type(empty) and value == empty for empty in EMPTY)


def _all_inputs(shape: Shape, found: Found) -> Object:
    """Of an imported resource: everything that a program could say about it."""
    values = from_terraform(shape, found.state or {}, inputs_only=True)
    said = {key: value for key, value in values.items() if _says(value)}
    return with_defaults(shape, said)


def _found_inputs(aws: Aws, shape: Shape, inputs: Object, found: Found) -> Object:
    """What the program says, with the values found; in its own spelling where that is the same.

    A JSON document, for one, comes back with other spaces; the provider's plan knows it as equal.
    """
    values = from_terraform(shape, found.state or {}, plain(inputs))
    same = _unchanged(aws, shape, inputs, found)
    return {
        key: value if key in same else with_secrets_of(_overlaid(plain(value), values[key]), value)
        for key, value in inputs.items()
        if key in same or key in values
    }


def _unchanged(aws: Aws, shape: Shape, inputs: Object, found: Found) -> set[str]:
    """The properties that the program would not change."""
    kept = {key for key in inputs if key not in shape.by_key}
    try:
        plan = aws.terraform.plan(shape, found, to_terraform(shape, plain(inputs)))
    except ProblemError:
        return kept
    state = found.state or {}
    names = {each.key: each.name for each in shape.arguments}
    unchanged = {key for key, name in names.items() if plan.state.get(name) == state.get(name)}
    return kept | (unchanged & set(inputs))


def _overlaid(said: Any, value: Any) -> Any:
    if isinstance(said, Mapping) and isinstance(value, Mapping):
        return {
            key: each if key.startswith("__") else _overlaid(each, value[key])
            for key, each in said.items()
            if key.startswith("__") or key in value
        }
    if isinstance(said, list) and isinstance(value, list):
        return [
            _overlaid(said[index], each) if index < len(said) else each
            for index, each in enumerate(value)
        ]
    return said if str(said) == str(value) else value
