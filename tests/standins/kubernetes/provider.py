"""Answers the engine: the provider protocol, in terms of objects in a cluster."""

# The names and parameters of the methods below are those of the gRPC service.
# ruff: noqa: N802

import functools
import threading
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, NoReturn

import grpc
from api import ApiError, NoSuchKindError, UnreachableError
from checkpoint import checkpoint, inputs_and_live, with_secrets_of
from configuration import Settings, config_differences, connected, settings_from
from differences import Difference, differences, is_within, replacing_paths
from google.protobuf import any_pb2, empty_pb2
from kinds import Kind, UnknownKindError, kind_of_type
from metadata import (
    adopt_autoname,
    assign_autoname,
    identity,
    is_autonamed,
    is_named,
    manager_name,
    name_of,
    namespace_of,
)
from normal_form import normalized, pruned
from objects import Conflict, Objects
from patience import NotReadyError
from property_values import contains_unknown, from_struct, plain, to_struct
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

__all__ = ["Provider"]

Say = Callable[[str, str], None]

REFUSALS = (
    ApiError,
    Conflict,
    NoSuchKindError,
    UnknownKindError,
    UnreachableError,
    ValueError,
)


class _PartialError(Exception):
    """The object is there, but the operation has failed; the engine keeps both in mind."""

    def __init__(self, text: str, id: str, state: Any, reasons: list[str]) -> None:
        super().__init__(text)
        self.detail = provider_pb2.ErrorResourceInitFailed(
            id=id, properties=to_struct(state), reasons=[text, *reasons]
        )


def _answering(method: Callable[..., Any]) -> Callable[..., Any]:
    """Turns what the cluster refuses into an error of the call."""

    @functools.wraps(method)
    def call(self: "Provider", request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(self, request, context)
        except _PartialError as error:
            _abort_partially(context, error)
        except REFUSALS as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))

    return call


def _abort_partially(context: grpc.ServicerContext, error: _PartialError) -> NoReturn:
    detail = any_pb2.Any()
    detail.Pack(error.detail)
    code = grpc.StatusCode.UNKNOWN
    status = status_pb2.Status(code=code.value[0], message=str(error), details=[detail])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, str(error))
    raise AssertionError  # `abort` has raised already


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """One provider resource of a program, which is one cluster."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._cancelled = threading.Event()
        self._settings = Settings()
        self._objects: Objects | None = None
        self._why_unreachable = "the provider is not configured"

    # The provider itself.

    def Handshake(
        self, request: provider_pb2.ProviderHandshakeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ProviderHandshakeResponse:
        """Secrets, please, and nothing else that is special."""
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=True, supports_autonaming_configuration=True
        )

    def GetPluginInfo(
        self, request: empty_pb2.Empty, context: grpc.ServicerContext
    ) -> plugin_pb2.PluginInfo:
        """The version of the official provider that the installed SDK belongs to."""
        return plugin_pb2.PluginInfo(version=version("pulumi-kubernetes"))

    def GetSchema(
        self, request: provider_pb2.GetSchemaRequest, context: grpc.ServicerContext
    ) -> provider_pb2.GetSchemaResponse:
        """As good as none: programs are type-checked against the SDK."""
        return provider_pb2.GetSchemaResponse(schema='{"name": "kubernetes"}')

    def CheckConfig(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        return provider_pb2.CheckResponse(inputs=request.news)

    @_answering
    def DiffConfig(
        self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        """Another cluster replaces the provider, and with it everything that is in the old one."""
        old, new = plain(from_struct(request.olds)), plain(from_struct(request.news))
        changed, replaces = config_differences(old, new)
        some, none = provider_pb2.DiffResponse.DIFF_SOME, provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(
            changes=some if changed else none, diffs=changed, replaces=replaces
        )

    @_answering
    def Configure(
        self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        """A cluster that cannot be reached is told only where it is needed: previews are not."""
        if contains_unknown(from_struct(request.args)):
            self._why_unreachable = "its kubeconfig is not known yet"
        else:
            self._connect(settings_from(request.variables))
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True
        )

    def _connect(self, settings: Settings) -> None:
        self._settings = settings
        try:
            api = connected(settings)
        except UnreachableError as error:
            self._why_unreachable = str(error)
            return
        self._objects = Objects(api, self._cancelled, settings.is_upserting, settings.is_forcing)

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Ends all waiting; what is not ready by now is told as such."""
        self._cancelled.set()
        return empty_pb2.Empty()

    def Attach(
        self, request: plugin_pb2.PluginAttach, context: grpc.ServicerContext
    ) -> empty_pb2.Empty:
        return empty_pb2.Empty()

    def GetMapping(
        self, request: provider_pb2.GetMappingRequest, context: grpc.ServicerContext
    ) -> provider_pb2.GetMappingResponse:
        return provider_pb2.GetMappingResponse()

    @_answering
    def Invoke(
        self, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.InvokeResponse:
        msg = f"{request.tok} is not something that this stand-in for the Kubernetes provider knows"
        raise ValueError(msg)

    # Its resources.

    @_answering
    def Check(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        """Fills in the name, if there is none, and the namespace."""
        kind = kind_of_type(_type_of(request.urn))
        news, olds = from_struct(request.news), plain(from_struct(request.olds))
        inputs = normalized(plain(news))
        if olds:
            adopt_autoname(inputs, olds)
        else:
            _autoname(inputs, request)
        if kind.is_namespaced and self._objects is not None:
            _fill_namespace(inputs, self._objects.api.namespace)
        return provider_pb2.CheckResponse(inputs=to_struct(with_secrets_of(inputs, news)))

    @_answering
    def Diff(
        self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        """Compares what the last inputs have become in the cluster with the new inputs."""
        kind = kind_of_type(_type_of(request.urn))
        old_inputs, live = inputs_and_live(from_struct(request.olds))
        new = normalized(plain(from_struct(request.news)))
        old = pruned(live, normalized(old_inputs))
        for body in (old, new):
            _canonicalize_namespace(kind, body)
        if name_of(new):
            old.setdefault("metadata", {})["name"] = name_of(live)
        found = [
            difference
            for difference in differences(old, new)
            if not any(is_within(difference.text, path) for path in request.ignoreChanges)
        ]
        return self._diff_response(kind, found, new, live)

    def _diff_response(
        self, kind: Kind, found: list[Difference], new: dict[str, Any], live: dict[str, Any]
    ) -> provider_pb2.DiffResponse:
        paths = replacing_paths(
            kind,
            new,
            config_maps_change=self._settings.config_maps_change,
            secrets_change=self._settings.secrets_change,
        )
        replacing = [one for one in found if any(one.touches(path) for path in paths)]
        some, none = provider_pb2.DiffResponse.DIFF_SOME, provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(
            changes=some if found else none,
            replaces=[one.text for one in replacing],
            # There is no room for both under one name that the user has given.
            deleteBeforeReplace=bool(replacing)
            and is_named(new)
            and not is_autonamed(new)
            and name_of(new) == name_of(live)
            and namespace_of(new) == namespace_of(live),
            detailedDiff={one.text: _property_diff(one, one in replacing) for one in found},
            hasDetailedDiff=True,
        )

    @_answering
    def Create(
        self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CreateResponse:
        """Creates it and waits until it is ready; a preview asks the server to do as if."""
        kind = kind_of_type(_type_of(request.urn))
        original = from_struct(request.properties)
        inputs = plain(original)
        if request.preview:
            return self._previewed_creation(kind, original, inputs, request)
        manager = manager_name(inputs, {})
        as_state = functools.partial(_state, inputs, original=original, manager=manager)
        try:
            live = self._cluster().create(kind, inputs, manager, request.timeout)
        except NotReadyError as error:
            text = (
                f'resource "{request.urn}" was successfully created, but the Kubernetes API '
                f"server reported that it failed to fully initialize or become live: {error}"
            )
            state = as_state(live=error.live)
            raise _PartialError(text, identity(error.live), state, error.reasons) from error
        except (NoSuchKindError, ApiError, Conflict) as error:
            raise ValueError(_creation_failure(request.urn, kind, error)) from error
        return provider_pb2.CreateResponse(
            id=identity(live), properties=to_struct(as_state(live=live))
        )

    def _previewed_creation(
        self,
        kind: Kind,
        original: dict[str, Any],
        inputs: dict[str, Any],
        request: provider_pb2.CreateRequest,
    ) -> provider_pb2.CreateResponse:
        as_it_is = provider_pb2.CreateResponse(properties=request.properties)
        if self._objects is None or contains_unknown(inputs) or not self._objects.api.serves(kind):
            return as_it_is
        manager = manager_name(inputs, {})
        try:
            live = self._objects.preview_creation(kind, inputs, manager)
        except ApiError as error:
            if error.is_forbidden or error.is_missing_namespace or error.exists_already:
                # Found out by the update itself, which may make the namespace, too.
                return as_it_is
            raise ValueError(_creation_failure(request.urn, kind, error)) from error
        live.pop("status", None)
        state = _state(inputs, live=live, original=original, manager=manager)
        return provider_pb2.CreateResponse(properties=to_struct(state))

    @_answering
    def Update(
        self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.UpdateResponse:
        """Applies the new inputs and waits until the object is ready."""
        kind = kind_of_type(_type_of(request.urn))
        original, old_state = from_struct(request.news), from_struct(request.olds)
        inputs = normalized(plain(original))
        if request.preview and (
            self._objects is None or contains_unknown(inputs) or not self._objects.api.serves(kind)
        ):
            return provider_pb2.UpdateResponse(properties=request.news)
        _, old_live = inputs_and_live(old_state)
        manager = manager_name(inputs, old_state)
        as_state = functools.partial(_state, inputs, original=original, manager=manager)
        try:
            live = self._cluster().update(
                kind,
                plain(inputs),
                name_of(old_live),
                manager,
                timeout=request.timeout,
                ignored=request.ignoreChanges,
                dry_run=request.preview,
            )
        except NotReadyError as error:
            raise _update_failure(error, error.live, as_state(live=error.live)) from error
        except (ApiError, Conflict, UnreachableError) as error:
            if request.preview and isinstance(error, ApiError) and error.is_forbidden:
                return provider_pb2.UpdateResponse(properties=request.news)
            live = self._still_there(kind, old_live, request.urn, error)
            raise _update_failure(error, live, as_state(live=live)) from error
        return provider_pb2.UpdateResponse(properties=to_struct(as_state(live=live)))

    def _still_there(
        self, kind: Kind, old_live: dict[str, Any], urn: str, error: Exception
    ) -> dict[str, Any]:
        """The object as a failed update has left it, which is what the state is to say."""
        try:
            return self._cluster().api.get(kind, namespace_of(old_live), name_of(old_live))
        except (ApiError, UnreachableError) as second:
            msg = (
                f'update of resource "{urn}" failed: {error}\nunable to get cluster state: {second}'
            )
            raise ValueError(msg) from error

    @_answering
    def Read(
        self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ReadResponse:
        """What is in the cluster now; for an import, everything is taken as wanted."""
        if self._objects is None:
            self._say(request.urn, _unreachable(self._why_unreachable))
            msg = "failed to read resource state due to unreachable cluster"
            raise UnreachableError(msg)
        kind = kind_of_type(_type_of(request.urn))
        namespace, _, name = request.id.rpartition("/")
        namespace = namespace or (self._objects.api.namespace if kind.is_namespaced else "")
        original = from_struct(request.inputs)
        inputs = normalized(plain(original))
        is_import = not inputs.get("kind")
        try:
            live = self._objects.read(kind, namespace, name, None if is_import else inputs)
        except (ApiError, NoSuchKindError) as error:
            if isinstance(error, NoSuchKindError) or error.is_missing:
                return provider_pb2.ReadResponse()
            raise
        except NotReadyError as error:
            state = self._read_state(request, error.live, original)
            id_ = request.id or identity(error.live)
            partial = _PartialError(str(error), id_, state, error.reasons)
            shown = with_secrets_of(pruned(error.live, inputs), original)
            partial.detail.inputs.CopyFrom(to_struct(shown))
            raise partial from error
        live_inputs = _importable(live) if is_import else pruned(live, inputs)
        return provider_pb2.ReadResponse(
            id=request.id or identity(live),
            properties=to_struct(self._read_state(request, live, original)),
            inputs=to_struct(with_secrets_of(live_inputs, original)),
        )

    def _read_state(
        self, request: provider_pb2.ReadRequest, live: dict[str, Any], original: dict[str, Any]
    ) -> dict[str, Any]:
        state = from_struct(request.properties)
        inputs = normalized(plain(original))
        shape = pruned(live, inputs) if inputs.get("kind") else _importable(live)
        return _state(shape, live=live, original=original, manager=manager_name(shape, state))

    @_answering
    def Delete(
        self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext
    ) -> empty_pb2.Empty:
        """Deletes it and waits until it is gone; one that is gone already is fine."""
        if self._objects is None:
            self._say(request.urn, _unreachable(self._why_unreachable))
            msg = (
                "configured Kubernetes cluster is unreachable; the resource was not deleted. "
                "Once the cluster answers, run the same command again"
            )
            raise UnreachableError(msg)
        kind = kind_of_type(_type_of(request.urn))
        old_state = from_struct(request.properties)
        inputs, _ = inputs_and_live(old_state)
        namespace, _, name = request.id.rpartition("/")
        try:
            self._objects.delete(kind, namespace, name, inputs, request.timeout)
        except NotReadyError as error:
            state = _state(
                inputs, live=error.live, original=old_state, manager=manager_name({}, old_state)
            )
            raise _PartialError(str(error), request.id, state, error.reasons) from error
        return empty_pb2.Empty()

    def _cluster(self) -> Objects:
        if self._objects is None:
            raise UnreachableError(_unreachable(self._why_unreachable))
        return self._objects


def _unreachable(reason: str) -> str:
    return f"configured Kubernetes cluster is unreachable: {reason}"


def _type_of(urn: str) -> str:
    # urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME
    return urn.split("::")[2].rpartition("$")[2]


def _autoname(inputs: dict[str, Any], request: provider_pb2.CheckRequest) -> None:
    options = request.autonaming if request.HasField("autonaming") else None
    is_off = options and options.mode == provider_pb2.CheckRequest.AutonamingOptions.DISABLE
    if is_off and not is_named(inputs):
        msg = "autonaming is disabled, resource requires the .metadata.name field to be set"
        raise ValueError(msg)
    proposed = options.proposed_name if options else ""
    assign_autoname(inputs, request.urn.split("::")[-1], request.randomSeed, proposed)


def _fill_namespace(inputs: dict[str, Any], namespace: str) -> None:
    metadata = inputs.setdefault("metadata", {})
    if isinstance(metadata, dict) and not metadata.get("namespace"):
        metadata["namespace"] = namespace


def _canonicalize_namespace(kind: Kind, body: dict[str, Any]) -> None:
    metadata = body.setdefault("metadata", {})
    if not isinstance(metadata, dict):
        return
    if kind.is_namespaced:
        metadata["namespace"] = metadata.get("namespace") or "default"
    else:
        metadata.pop("namespace", None)


def _property_diff(difference: Difference, is_replacing: bool) -> provider_pb2.PropertyDiff:  # noqa: FBT001
    op = f"{difference.op}_REPLACE" if is_replacing else difference.op
    return provider_pb2.PropertyDiff(
        kind=provider_pb2.PropertyDiff.Kind.Value(op), inputDiff=difference.op == "DELETE"
    )


def _state(
    inputs: dict[str, Any], *, live: dict[str, Any], original: dict[str, Any], manager: str
) -> dict[str, Any]:
    api_version = str(inputs.get("apiVersion") or live["apiVersion"])
    return checkpoint(inputs, live, original, api_version=api_version, manager=manager)


def _importable(live: dict[str, Any]) -> dict[str, Any]:
    body = normalized({key: value for key, value in live.items() if key != "status"})
    annotations = dict(body["metadata"].get("annotations") or {})
    for key in (
        "deployment.kubernetes.io/revision",
        "kubectl.kubernetes.io/last-applied-configuration",
    ):
        annotations.pop(key, None)
    if annotations or "annotations" in body["metadata"]:
        body["metadata"] = {**body["metadata"], "annotations": annotations}
    return body


def _creation_failure(urn: str, kind: Kind, error: Exception) -> str:
    if isinstance(error, NoSuchKindError):
        return (
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
    return text


def _update_failure(error: Exception, live: dict[str, Any], state: dict[str, Any]) -> _PartialError:
    name = identity(live)
    text = (
        f'the Kubernetes API server reported that "{name}" failed to fully initialize or '
        f"become live: {error}"
    )
    reasons = error.reasons if isinstance(error, NotReadyError) else []
    return _PartialError(text, name, state, reasons)
