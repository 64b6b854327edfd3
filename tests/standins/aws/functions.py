"""The functions of the provider: what a program asks about AWS."""

from typing import Any

from pulumi.runtime.proto import provider_pb2

from tests.standins.aws.aws import Aws
from tests.standins.aws.failures import RefusedError
from tests.standins.aws.from_terraform import from_terraform
from tests.standins.aws.terraform import ProblemError
from tests.standins.aws.to_terraform import to_terraform
from tests.standins.kubernetes.property_values import from_struct, plain, to_struct

__all__ = ["invoked"]


def invoked(aws: Aws, request: provider_pb2.InvokeRequest) -> provider_pb2.InvokeResponse:
    """The answer of a data source.

    Raises:
        RefusedError: it has no such argument, or is in another region.
    """
    shape = aws.schema.function(request.tok)
    arguments = plain(from_struct(request.args))
    _check(aws, request.tok, arguments, known=set(shape.by_key))
    try:
        found = aws.terraform.ask(shape.type, to_terraform(shape, arguments))
    except ProblemError as error:
        failure = provider_pb2.CheckFailure(reason=f"invoking {request.tok}: {error}")
        return provider_pb2.InvokeResponse(failures=[failure])
    result = {"region": aws.region, **from_terraform(shape, found, arguments)}
    return provider_pb2.InvokeResponse(**{"return": to_struct(result)})


def _check(aws: Aws, token: str, arguments: dict[str, Any], known: set[str]) -> None:
    region = None if "region" in known else arguments.get("region")
    if region not in (None, aws.region):
        msg = f"{token}: {region} is another region than the provider's, which is {aws.region}"
        raise RefusedError(msg)
    for name in sorted({*arguments} - known - {"region"}):
        msg = f"{token} has no argument {name} in the Terraform provider that is asked here"
        raise RefusedError(msg)
