"""How a failed operation is told to the engine, and what it keeps of the resource."""

import functools
from collections.abc import Callable
from typing import Any, NoReturn

import grpc
from google.protobuf import any_pb2
from pulumi.runtime.proto import provider_pb2, status_pb2

from tests.standins.aws.autonaming import NamelessError
from tests.standins.aws.terraform import ProblemError
from tests.standins.kubernetes.property_values import to_struct

__all__ = ["PartialError", "RefusedError", "answering"]


class RefusedError(Exception):
    """Nothing has become of the operation."""


class PartialError(Exception):
    """The resource is there, but the operation has failed; the engine keeps both in mind."""

    def __init__(
        self, text: str, identity: str, state: dict[str, Any], inputs: dict[str, Any]
    ) -> None:
        super().__init__(text)
        self.detail = provider_pb2.ErrorResourceInitFailed(
            id=identity, properties=to_struct(state), inputs=to_struct(inputs), reasons=[text]
        )


REFUSALS = (NamelessError, ProblemError, RefusedError, ValueError)


def answering(method: Callable[..., Any]) -> Callable[..., Any]:
    """Turns what the provider refuses into an error of the call."""

    @functools.wraps(method)
    def call(self: Any, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(self, request, context)
        except PartialError as error:
            _abort_partially(context, error)
        except REFUSALS as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))

    return call


def _abort_partially(context: grpc.ServicerContext, error: PartialError) -> NoReturn:
    detail = any_pb2.Any()
    detail.Pack(error.detail)
    code = grpc.StatusCode.UNKNOWN
    status = status_pb2.Status(code=code.value[0], message=str(error), details=[detail])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, str(error))
    raise AssertionError  # `abort` has raised already
