"""Answers the engine: the provider protocol of Pulumi."""

# The names and parameters of the methods below are those of the gRPC service.
# ruff: noqa: N802

import threading
from collections.abc import Callable
from importlib.metadata import version

import grpc
import operations
from api import UnreachableError
from checks import checked
from comparison import compared
from configuration import (
    Settings,
    check_reachable,
    config_differences,
    connection,
    settings_from,
)
from failures import RefusedError, answering, unreachable
from google.protobuf import empty_pb2
from kinds import Kind, kind_of_type
from objects import Objects
from property_values import contains_unknown, from_struct, plain
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

__all__ = ["Provider"]


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """One provider resource of a program, which is one cluster."""

    def __init__(self, warn: Callable[[str, str], None]) -> None:
        """`warn` shows a text beside the resource of a URN."""
        self._warn = warn
        self._cancelled = threading.Event()
        self._settings = Settings()
        self._namespace: str | None = None
        self._objects: Objects | None = None
        self._why_unreachable = "the provider is not configured"

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
        """Nothing is wrong with it that using it would not tell."""
        return provider_pb2.CheckResponse(inputs=request.news)

    @answering
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

    @answering
    def Configure(
        self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        """A cluster that cannot be reached is told only where it is needed: previews are not."""
        if contains_unknown(from_struct(request.args)):
            self._why_unreachable = "its kubeconfig is not known yet"
        else:
            self._settings = settings_from(request.variables)
            self._connect()
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True
        )

    def _connect(self) -> None:
        try:
            api = connection(self._settings)
            self._namespace = api.namespace
            check_reachable(api)
        except UnreachableError as error:
            self._why_unreachable = str(error)
            return
        is_upserting, is_forcing = self._settings.is_upserting, self._settings.is_forcing
        self._objects = Objects(api, self._cancelled, is_upserting, is_forcing)

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Ends all waiting; what is not ready by now is told as such."""
        self._cancelled.set()
        return empty_pb2.Empty()

    @answering
    def Invoke(
        self, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.InvokeResponse:
        """None of the functions of the official provider is needed."""
        msg = f"{request.tok} is a function that this stand-in for the Kubernetes provider lacks"
        raise RefusedError(msg)

    @answering
    def Check(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        """Fills in the name and the namespace."""
        return checked(_kind_of(request.urn), request, self._namespace)

    @answering
    def Diff(
        self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        """Compares the state with the new inputs; the cluster is not asked."""
        return compared(_kind_of(request.urn), request, self._settings)

    @answering
    def Create(
        self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CreateResponse:
        """Creates it and waits until it is ready."""
        kind = _kind_of(request.urn)
        if request.preview:
            return operations.preview_creation(self._objects, kind, request)
        return operations.create(self._cluster(), kind, request)

    @answering
    def Update(
        self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.UpdateResponse:
        """Applies the new inputs and waits until the object is ready."""
        kind = _kind_of(request.urn)
        if request.preview:
            return operations.preview_update(self._objects, kind, request)
        return operations.update(self._cluster(), kind, request)

    @answering
    def Read(
        self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ReadResponse:
        """What is in the cluster now."""
        self._warn_if_unreachable(request.urn)
        return operations.read(self._cluster(), _kind_of(request.urn), request)

    @answering
    def Delete(
        self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext
    ) -> empty_pb2.Empty:
        """Deletes it and waits until it is gone."""
        self._warn_if_unreachable(request.urn)
        operations.delete(self._cluster(), _kind_of(request.urn), request)
        return empty_pb2.Empty()

    def _cluster(self) -> Objects:
        if self._objects is None:
            raise unreachable(self._why_unreachable)
        return self._objects

    def _warn_if_unreachable(self, urn: str) -> None:
        # The engine shows only the last line of such an error during a refresh.
        if self._objects is None:
            self._warn(urn, str(unreachable(self._why_unreachable)))


def _kind_of(urn: str) -> Kind:
    # urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME
    return kind_of_type(urn.split("::")[2].rpartition("$")[2])
