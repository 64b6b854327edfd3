"""Makes, changes and ends resources."""

from collections.abc import Mapping
from typing import Any

from pulumi.runtime.proto import provider_pb2

from tests.standins.aws.aws import Aws
from tests.standins.aws.checkpoint import known, outputs
from tests.standins.aws.failures import PartialError
from tests.standins.aws.patience import patient
from tests.standins.aws.shapes import Shape
from tests.standins.aws.terraform import Found, ProblemError
from tests.standins.aws.to_terraform import to_terraform
from tests.standins.kubernetes.property_values import from_struct, plain, to_struct

__all__ = ["create", "delete", "identity_of", "update"]

Object = dict[str, Any]


def create(
    aws: Aws, shape: Shape, request: provider_pb2.CreateRequest
) -> provider_pb2.CreateResponse:
    """Makes it; a preview only asks the provider for its plan.

    Raises:
        PartialError: it was made, and something after that failed.
        ProblemError: it was not made.
    """
    inputs = from_struct(request.properties)
    found = _done(aws, shape, Found(None), inputs, request, "create")
    properties = to_struct(outputs(shape, found, inputs, aws.region))
    identity = "" if request.preview else identity_of(found)
    return provider_pb2.CreateResponse(id=identity, properties=properties)


def update(
    aws: Aws, shape: Shape, request: provider_pb2.UpdateRequest
) -> provider_pb2.UpdateResponse:
    """Changes it in place; a preview only asks the provider for its plan.

    Raises:
        PartialError: it may be half changed.
        ProblemError: it was not changed.
    """
    inputs = from_struct(request.news)
    prior = known(shape, from_struct(request.olds))
    found = _done(aws, shape, prior, inputs, request, "update")
    return provider_pb2.UpdateResponse(
        properties=to_struct(outputs(shape, found, inputs, aws.region))
    )


def delete(aws: Aws, shape: Shape, request: provider_pb2.DeleteRequest) -> None:
    """Ends it; one that is gone already is fine.

    Raises:
        ProblemError: it is still there.
    """
    prior = known(shape, from_struct(request.properties))
    plan = patient(aws.terraform.plan(shape, prior, None), "delete", request.timeout)
    aws.terraform.apply(shape, prior, None, plan)


def identity_of(found: Found) -> str:
    """What Pulumi calls the id."""
    state = found.state or {}
    return str(state.get("id") or state.get("arn") or state.get("name"))


def _done(
    aws: Aws, shape: Shape, prior: Found, inputs: Mapping[str, Any], request: Any, operation: str
) -> Found:
    wanted = to_terraform(shape, plain(inputs))
    plan = aws.terraform.plan(shape, prior, wanted)
    if request.preview:
        return Found(plan.state)
    plan = patient(plan, operation, request.timeout)
    try:
        return aws.terraform.apply(shape, prior, wanted, plan)
    except ProblemError as error:
        left = error.left
        if left is None or not (left.state or {}).get("id"):
            raise
        state = outputs(shape, left, inputs, aws.region)
        raise PartialError(str(error), identity_of(left), state, dict(inputs)) from error
