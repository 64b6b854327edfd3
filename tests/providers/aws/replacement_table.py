"""Asks the real provider which edits of a resource replace it, property by property."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from pulumi.runtime.proto import provider_pb2

from tests.standins.aws import operations
from tests.standins.aws.aws import Aws
from tests.standins.aws.comparison import compared
from tests.standins.aws.shapes import Argument, Shape
from tests.standins.aws.terraform import ProblemError
from tests.standins.kubernetes.property_values import from_struct, to_struct

__all__ = ["answers"]

Object = dict[str, Any]
Path = tuple[str, ...]

# Two values of each kind; a text that is a number passes wherever a text does.
VALUES: dict[str, tuple[Any, Any]] = {
    "string": ("11", "12"),
    "number": (11, 12),
    "bool": (False, True),
}


def answers(aws: Aws, token: str, inputs: Object) -> dict[str, str]:
    """For each property `update`, `replace`, `nothing` or `refused`; `inputs` are valid ones.

    The resource is made once. Each property is then added, changed and removed in a plan.
    """
    shape = aws.schema.resource(token)
    made = operations.create(aws, shape, provider_pb2.CreateRequest(properties=to_struct(inputs)))
    state = from_struct(made.properties)
    found = {}
    for path, argument in _leaves(shape):
        edits = _edits(inputs, state, path, argument)
        told = [_answer(aws, shape, path, *edit) for edit in edits]
        found[".".join(path)] = next(
            (each for each in ("replace", "update", "nothing") if each in told), "refused"
        )
    return dict(sorted(found.items()))


def _leaves(shape: Shape, path: Path = ()) -> Iterator[tuple[Path, Argument]]:
    for argument in shape.arguments:
        if not argument.is_input:
            continue
        here = (*path, argument.key)
        if argument.block is None:
            yield here, argument
        else:
            yield from _leaves(argument.block, here)


def _edits(
    inputs: Object, state: Object, path: Path, argument: Argument
) -> list[tuple[Object, Object]]:
    """Pairs of a state and new inputs."""
    one, other = _values(argument.type)
    if _at(inputs, path) is not None:
        return [(state, _with(inputs, path, one)), (state, _with(inputs, path, None))]
    return [
        (state, _with(inputs, path, one)),
        (_with(state, path, one), _with(inputs, path, other)),
        (_with(state, path, one), inputs),
    ]


def _values(kind: Any) -> tuple[Any, Any]:
    if isinstance(kind, str):
        return VALUES[kind]
    if kind[0] == "object":
        # A block that Terraform has as a value: its first text is enough.
        name = next(each for each, inner in sorted(kind[1].items()) if inner == "string")
        return {name: VALUES["string"][0]}, {name: VALUES["string"][1]}
    one, other = _values(kind[1]) if not isinstance(kind[1], dict) else ({}, {})
    return ({"a": one}, {"a": other}) if kind[0] == "map" else ([one], [other])


def _at(value: Any, path: Path) -> Any:
    for part in path:
        value = value[0] if isinstance(value, list) and value else value
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _with(properties: Object, path: Path, value: Any) -> Object:
    """A copy; in a list of blocks it is the first that is changed."""
    copy = deepcopy(properties)
    place: Any = copy
    for part in path[:-1]:
        inner = place.get(part) or {}
        place[part] = inner
        if isinstance(inner, list):
            inner[0] = inner[0] or {}
            inner = inner[0]
        place = inner
    if value is None:
        place.pop(path[-1], None)
    else:
        place[path[-1]] = value
    return copy


def _answer(aws: Aws, shape: Shape, path: Path, state: Object, news: Object) -> str:
    request = provider_pb2.DiffRequest(olds=to_struct(state), news=to_struct(news))
    try:
        response = compared(aws, shape, request)
    except (ProblemError, ValueError):
        return "refused"
    kinds = {
        provider_pb2.PropertyDiff.Kind.Name(each.kind)
        for where, each in response.detailedDiff.items()
        if _overlaps(_names(where), path)
    }
    if any(kind.endswith("_REPLACE") for kind in kinds):
        return "replace"
    return "update" if kinds else "nothing"


def _names(where: str) -> Path:
    return tuple(part.partition("[")[0] for part in where.split("."))


def _overlaps(one: Path, other: Path) -> bool:
    length = min(len(one), len(other))
    return one[:length] == other[:length]
