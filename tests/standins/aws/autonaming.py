"""Names for what a program gives none."""

import hashlib
import os
from typing import Any

from pulumi.runtime.proto import provider_pb2

from tests.standins.aws.shapes import Shape

__all__ = ["NamelessError", "autoname", "is_autonamed"]

# `AutoName` in the official provider; 255 where it says nothing else.
LONGEST = {
    "aws_iam_instance_profile": 128,
    "aws_iam_role": 64,
    "aws_lambda_alias": 64,
    "aws_lambda_function": 64,
    "aws_lb": 32,
    "aws_lb_target_group": 32,
}
DEFAULT_LONGEST = 255
RANDOM_DIGITS = 7

DISABLED = provider_pb2.CheckRequest.AutonamingOptions.DISABLE
ENFORCED = provider_pb2.CheckRequest.AutonamingOptions.ENFORCE


class NamelessError(Exception):
    """No name can be made up."""


def is_autonamed(shape: Shape) -> bool:
    """Whether things of this type have a name that can be made up."""
    name = shape.by_key.get("name")
    return name is not None and name.is_input and name.type == "string"


def autoname(
    shape: Shape, inputs: dict[str, Any], olds: dict[str, Any], request: provider_pb2.CheckRequest
) -> str | None:
    """The name that was made up before, or a new one; None if the program names it.

    Raises:
        NamelessError: there is no room for the random part.
    """
    is_named = inputs.get("name") is not None or inputs.get("namePrefix") is not None
    if is_named or not is_autonamed(shape):
        return None
    if "name" in (olds.get("__defaults") or []) and olds.get("name"):
        return str(olds["name"])
    options = request.autonaming if request.HasField("autonaming") else None
    if options and options.mode == DISABLED:
        return None
    if options and options.proposed_name:
        return _proposed(shape, options)
    return _random(shape, request)


def _proposed(shape: Shape, options: Any) -> str:
    longest = LONGEST.get(shape.type, DEFAULT_LONGEST)
    name = str(options.proposed_name)
    if options.mode == ENFORCED and len(name) > longest:
        msg = f"proposed name {name!r} exceeds max length of {longest}"
        raise NamelessError(msg)
    return name[:longest]


def _random(shape: Shape, request: provider_pb2.CheckRequest) -> str:
    prefix = request.urn.split("::")[-1] + "-"
    longest = LONGEST.get(shape.type, DEFAULT_LONGEST)
    if len(prefix) + RANDOM_DIGITS > longest:
        token = request.urn.split("::")[2].rpartition("$")[2]
        msg = (
            f"could not make instance of '{token}': name '{prefix}' plus {RANDOM_DIGITS} random "
            f"chars is longer than maximum length {longest}"
        )
        raise NamelessError(msg)
    seed = request.randomSeed or os.urandom(32)
    return prefix + hashlib.sha256(seed).hexdigest()[:RANDOM_DIGITS]
