"""How a failed operation is told to the engine, and what it keeps of the object."""

import functools
from collections.abc import Callable
from typing import Any, NoReturn

import grpc
from api import ApiError, NoSuchKindError, UnreachableError
from google.protobuf import any_pb2
from kinds import Kind, UnknownKindError
from metadata import identity
from objects import Conflict
from patience import NotReadyError
from property_values import to_struct
from pulumi.runtime.proto import provider_pb2, status_pb2

__all__ = [
    "PartialError",
    "RefusedError",
    "answering",
    "creation_failure",
    "creation_stopped",
    "unreachable",
    "update_failure",
]

Object = dict[str, Any]


class RefusedError(Exception):
    """Nothing has become of the operation."""


class PartialError(Exception):
    """The object is there, but the operation has failed; the engine keeps both in mind."""

    def __init__(
        self,
        text: str,
        identity: str,
        state: Object,
        reasons: list[str],
        inputs: Object | None = None,
    ) -> None:
        super().__init__(text)
        self.detail = provider_pb2.ErrorResourceInitFailed(
            id=identity, properties=to_struct(state), reasons=[text, *reasons]
        )
        if inputs is not None:
            self.detail.inputs.CopyFrom(to_struct(inputs))


REFUSALS = (
    ApiError,
    Conflict,
    NoSuchKindError,
    RefusedError,
    UnknownKindError,
    UnreachableError,
    ValueError,
)


def answering(method: Callable[..., Any]) -> Callable[..., Any]:
    """Turns what the cluster refuses into an error of the call."""

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


def unreachable(reason: str) -> UnreachableError:
    """The cluster could not be reached when the provider was configured."""
    return UnreachableError(f"configured Kubernetes cluster is unreachable: {reason}")


def creation_failure(urn: str, kind: Kind, error: Exception) -> RefusedError:
    """Nothing was created."""
    if isinstance(error, NoSuchKindError):
        return RefusedError(
            f'creation of resource "{urn}" with kind {kind.api_version}/{kind.name} failed because '
            "the Kubernetes API server reported that the apiVersion for this resource does not "
            f"exist. Verify that any required CRDs have been created: {error}"
        )
    text = f'resource "{urn}" was not successfully created by the Kubernetes API server: {error}'
    if isinstance(error, ApiError) and error.exists_already:
        text += (
            "\n\nThe resource already exists in the cluster: adopt it with `pulumi import`, or set "
            "upsertExistingObjects on the provider"
        )
    return RefusedError(text)


def creation_stopped(urn: str, error: NotReadyError, state: Object) -> PartialError:
    """It was created, and is not ready."""
    text = (
        f'resource "{urn}" was successfully created, but the Kubernetes API server reported that '
        f"it failed to fully initialize or become live: {error}"
    )
    return PartialError(text, identity(error.live), state, error.reasons)


def update_failure(error: Exception, live: Object, state: Object) -> PartialError:
    """It was changed and is not ready; or it was not changed at all.

    The official provider tells both alike, and puts the new inputs into the state of both.
    """
    name = identity(live)
    text = (
        f'the Kubernetes API server reported that "{name}" failed to fully initialize or '
        f"become live: {error}"
    )
    reasons = error.reasons if isinstance(error, NotReadyError) else []
    return PartialError(text, name, state, reasons)
