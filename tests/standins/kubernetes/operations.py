"""What the engine asks to be done to one resource."""

from dataclasses import dataclass, field
from typing import Any

from api import ApiError, NoSuchKindError, UnreachableError
from checkpoint import checkpoint, inputs_and_live, with_secrets_of
from failures import (
    PartialError,
    RefusedError,
    creation_failure,
    creation_stopped,
    update_failure,
)
from google.protobuf.struct_pb2 import Struct
from kinds import Kind
from metadata import identity, manager_name, name_of, namespace_of
from normal_form import importable, normalized, pruned
from objects import Conflict, Objects
from patience import NotReadyError
from property_values import contains_unknown, from_struct, plain, to_struct
from pulumi.runtime.proto import provider_pb2

__all__ = ["create", "delete", "preview_creation", "preview_update", "read", "update"]

Object = dict[str, Any]


@dataclass
class _Wanted:
    """The inputs of an operation, and what becomes of them in the state."""

    properties: Struct
    old_state: Object = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.original = from_struct(self.properties)
        self.inputs: Object = normalized(plain(self.original))
        self.manager = manager_name(self.inputs, self.old_state)

    def state(self, live: Object) -> Object:
        return _state(self.inputs, live, self.original, self.manager)


def create(
    objects: Objects, kind: Kind, request: provider_pb2.CreateRequest
) -> provider_pb2.CreateResponse:
    """Creates it and waits until it is ready."""
    wanted = _Wanted(request.properties)
    try:
        live = objects.create(kind, wanted.inputs, wanted.manager, request.timeout)
    except NotReadyError as error:
        raise creation_stopped(request.urn, error, wanted.state(error.live)) from error
    except (NoSuchKindError, ApiError, Conflict) as error:
        raise creation_failure(request.urn, kind, error) from error
    return provider_pb2.CreateResponse(id=identity(live), properties=to_struct(wanted.state(live)))


def preview_creation(
    objects: Objects | None, kind: Kind, request: provider_pb2.CreateRequest
) -> provider_pb2.CreateResponse:
    """What the server would make of it; the inputs themselves, where it cannot be asked."""
    as_it_is = provider_pb2.CreateResponse(properties=request.properties)
    wanted = _Wanted(request.properties)
    if objects is None or not _can_preview(objects, kind, wanted):
        return as_it_is
    try:
        live = objects.preview_creation(kind, wanted.inputs, wanted.manager)
    except ApiError as error:
        if error.is_forbidden or error.is_missing_namespace or error.exists_already:
            # Found out by the update itself, which may make the namespace, too.
            return as_it_is
        raise creation_failure(request.urn, kind, error) from error
    live.pop("status", None)
    return provider_pb2.CreateResponse(properties=to_struct(wanted.state(live)))


def update(
    objects: Objects, kind: Kind, request: provider_pb2.UpdateRequest
) -> provider_pb2.UpdateResponse:
    """Applies the new inputs and waits until the object is ready."""
    old_state = from_struct(request.olds)
    wanted = _Wanted(request.news, old_state)
    _, old_live = inputs_and_live(old_state)
    try:
        live = objects.update(
            kind,
            plain(wanted.inputs),
            name_of(old_live),
            wanted.manager,
            timeout=request.timeout,
            ignored=request.ignoreChanges,
            dry_run=request.preview,
        )
    except NotReadyError as error:
        raise update_failure(error, error.live, wanted.state(error.live)) from error
    except (ApiError, Conflict, UnreachableError) as error:
        if request.preview and isinstance(error, ApiError) and error.is_forbidden:
            return provider_pb2.UpdateResponse(properties=request.news)
        live = _still_there(objects, kind, old_live, request.urn, error)
        raise update_failure(error, live, wanted.state(live)) from error
    old_manager = manager_name(old_live, old_state)
    if not request.preview and old_manager != wanted.manager:
        objects.relinquish(kind, live, old_manager)
    return provider_pb2.UpdateResponse(properties=to_struct(wanted.state(live)))


def preview_update(
    objects: Objects | None, kind: Kind, request: provider_pb2.UpdateRequest
) -> provider_pb2.UpdateResponse:
    """What the server would make of it; the inputs themselves, where it cannot be asked."""
    if objects is None or not _can_preview(objects, kind, _Wanted(request.news)):
        return provider_pb2.UpdateResponse(properties=request.news)
    return update(objects, kind, request)


def _can_preview(objects: Objects, kind: Kind, wanted: _Wanted) -> bool:
    return not contains_unknown(wanted.inputs) and objects.api.serves(kind)


def _still_there(
    objects: Objects, kind: Kind, old_live: Object, urn: str, error: Exception
) -> Object:
    """The object as a failed update has left it, which is what the state is to say."""
    try:
        return objects.api.get(kind, namespace_of(old_live), name_of(old_live))
    except (ApiError, UnreachableError) as second:
        msg = f'update of resource "{urn}" failed: {error}\nunable to get cluster state: {second}'
        raise RefusedError(msg) from error


def read(
    objects: Objects, kind: Kind, request: provider_pb2.ReadRequest
) -> provider_pb2.ReadResponse:
    """What is in the cluster now; for an import, everything is taken as wanted."""
    namespace, _, name = request.id.rpartition("/")
    namespace = namespace or (objects.api.namespace if kind.is_namespaced else "")
    inputs = normalized(plain(from_struct(request.inputs)))
    try:
        live = objects.read(kind, namespace, name, inputs if inputs.get("kind") else None)
    except NoSuchKindError:
        return provider_pb2.ReadResponse()
    except ApiError as error:
        if error.is_missing:
            return provider_pb2.ReadResponse()
        raise
    except NotReadyError as error:
        state, shown = _as_read(request, error.live)
        raise PartialError(str(error), request.id, state, error.reasons, shown) from error
    state, shown = _as_read(request, live)
    return provider_pb2.ReadResponse(
        id=request.id, properties=to_struct(state), inputs=to_struct(shown)
    )


def _as_read(request: provider_pb2.ReadRequest, live: Object) -> tuple[Object, Object]:
    """The state, and what the inputs would have to be for it."""
    old_state, original = from_struct(request.properties), from_struct(request.inputs)
    inputs = normalized(plain(original))
    found = pruned(live, inputs) if inputs.get("kind") else importable(live)
    state = _state(found, live, original, manager_name(found, old_state))
    return state, with_secrets_of(found, original)


def delete(objects: Objects, kind: Kind, request: provider_pb2.DeleteRequest) -> None:
    """Deletes it and waits until it is gone; one that is gone already is fine."""
    old_state = from_struct(request.properties)
    inputs, _ = inputs_and_live(old_state)
    namespace, _, name = request.id.rpartition("/")
    try:
        objects.delete(kind, namespace, name, inputs, request.timeout)
    except NotReadyError as error:
        state = _state(inputs, error.live, old_state, manager_name({}, old_state))
        raise PartialError(str(error), request.id, state, error.reasons) from error


def _state(inputs: Object, live: Object, original: Object, manager: str) -> Object:
    api_version = str(inputs.get("apiVersion") or live["apiVersion"])
    return checkpoint(inputs, live, original, api_version=api_version, manager=manager)
