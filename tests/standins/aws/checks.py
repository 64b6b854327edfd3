"""What the inputs of a program are before anything is done with them."""

from collections.abc import Iterator, Mapping
from typing import Any

from pulumi.runtime.proto import provider_pb2

from tests.standins.aws.autonaming import autoname
from tests.standins.aws.aws import Aws
from tests.standins.aws.differences import path_text
from tests.standins.aws.paths import property_path
from tests.standins.aws.shapes import Shape
from tests.standins.aws.terraform import Problem
from tests.standins.aws.to_terraform import to_terraform
from tests.standins.kubernetes.property_values import UNKNOWN, from_struct, plain, to_struct

__all__ = ["checked", "with_defaults"]

DEFAULTS = "__defaults"

Object = dict[str, Any]


def checked(
    aws: Aws, shape: Shape, request: provider_pb2.CheckRequest
) -> provider_pb2.CheckResponse:
    """The inputs with a name, if there is none, and what is wrong with them.

    Raises:
        NamelessError: no name can be made up.
    """
    inputs, olds = from_struct(request.news), plain(from_struct(request.olds))
    inputs.pop(DEFAULTS, None)
    name = autoname(shape, plain(inputs), olds, request)
    if name is not None:
        inputs["name"] = name
    failures = [*_unknown_properties(shape, plain(inputs)), *_wrong_region(aws, shape, inputs)]
    if not failures:
        failures = list(_problems(aws, shape, plain(inputs)))
    defaulted = ["name"] if name is not None else []
    told = with_defaults(shape, inputs) | {DEFAULTS: defaulted}
    return provider_pb2.CheckResponse(inputs=to_struct(told), failures=failures)


def with_defaults(shape: Shape, inputs: Object) -> Object:
    """As the official provider does it, every object says which of its values are defaults."""
    told = {key: _block_with_defaults(shape, key, value) for key, value in inputs.items()}
    return {DEFAULTS: [], **told}


def _block_with_defaults(shape: Shape, key: str, value: Any) -> Any:
    argument = shape.by_key.get(key)
    block = argument.block if argument else None
    if block is None:
        return value
    if isinstance(value, list):
        return [with_defaults(block, each) if isinstance(each, dict) else each for each in value]
    return with_defaults(block, value) if isinstance(value, dict) else value


def _problems(aws: Aws, shape: Shape, inputs: Object) -> Iterator[provider_pb2.CheckFailure]:
    try:
        wanted = to_terraform(shape, inputs)
    except ValueError as error:
        yield provider_pb2.CheckFailure(property="", reason=str(error))
        return
    for problem in aws.terraform.validate(shape.type, wanted):
        yield _failure(shape, problem)


def _failure(shape: Shape, problem: Problem) -> provider_pb2.CheckFailure:
    where = path_text(property_path(shape, problem.path))
    return provider_pb2.CheckFailure(property=where, reason=problem.text)


def _unknown_properties(
    shape: Shape, inputs: Mapping[str, Any], path: tuple[str | int, ...] = ()
) -> Iterator[provider_pb2.CheckFailure]:
    for key, value in inputs.items():
        argument = shape.by_key.get(key)
        is_regional = key == "region" and not path and argument is None
        if key == DEFAULTS or is_regional:
            continue
        if argument is None or not argument.is_input:
            where = path_text((*path, key))
            reason = f"there is no property {where} in the Terraform provider that is asked here"
            yield provider_pb2.CheckFailure(property=where, reason=reason)
        elif argument.block is not None:
            for place, each in _elements(value):
                yield from _unknown_properties(argument.block, each, (*path, key, *place))


def _elements(value: Any) -> Iterator[tuple[tuple[int, ...], Mapping[str, Any]]]:
    if isinstance(value, Mapping):
        yield (), value
    elif isinstance(value, list):
        yield from (((n,), each) for n, each in enumerate(value) if isinstance(each, Mapping))


def _wrong_region(aws: Aws, shape: Shape, inputs: Object) -> Iterator[provider_pb2.CheckFailure]:
    """Since version 7 every resource may name a region; this provider knows its own."""
    region = None if "region" in shape.by_key else plain(inputs.get("region"))
    if region not in (None, UNKNOWN, aws.region):
        reason = f"{region} is another region than the provider's, which is {aws.region}"
        yield provider_pb2.CheckFailure(property="region", reason=reason)
