"""Answers the engine: the provider protocol of Pulumi."""

# The names and parameters of the methods below are those of the gRPC service.
# ruff: noqa: N802

import threading
from importlib.metadata import version

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from tests.standins.aws import functions, operations
from tests.standins.aws.aws import Aws
from tests.standins.aws.checks import checked
from tests.standins.aws.comparison import compared
from tests.standins.aws.connections import Connections
from tests.standins.aws.failures import RefusedError, answering
from tests.standins.aws.reading import read
from tests.standins.aws.shapes import Shape
from tests.standins.kubernetes.property_values import from_struct, plain

__all__ = ["Provider"]


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """All provider resources of all programs that use this process."""

    def __init__(self) -> None:
        self._connections = Connections()
        # The engine has a connection of its own for each provider resource, and says nothing else.
        self._by_peer: dict[str, Aws] = {}
        threading.Thread(target=self._prepare, daemon=True).start()

    def _prepare(self) -> None:
        try:
            self._connections.prepare()
        except RefusedError:
            return  # told when something is configured

    def Handshake(
        self, request: provider_pb2.ProviderHandshakeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ProviderHandshakeResponse:
        """Secrets, please, and nothing else that is special."""
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=True, supports_autonaming_configuration=True
        )

    def Attach(
        self, request: plugin_pb2.PluginAttach, context: grpc.ServicerContext
    ) -> empty_pb2.Empty:
        """An engine that did not start this process uses it."""
        return empty_pb2.Empty()

    def GetPluginInfo(
        self, request: empty_pb2.Empty, context: grpc.ServicerContext
    ) -> plugin_pb2.PluginInfo:
        """The version of the official provider that the installed SDK belongs to."""
        return plugin_pb2.PluginInfo(version=version("pulumi-aws"))

    def GetSchema(
        self, request: provider_pb2.GetSchemaRequest, context: grpc.ServicerContext
    ) -> provider_pb2.GetSchemaResponse:
        """As good as none: programs are type-checked against the SDK."""
        return provider_pb2.GetSchemaResponse(schema='{"name": "aws"}')

    def CheckConfig(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        """Nothing is wrong with it that using it would not tell."""
        return provider_pb2.CheckResponse(inputs=request.news)

    @answering
    def DiffConfig(
        self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        """Another region replaces the provider, and with it everything that is in the old one."""
        old, new = plain(from_struct(request.olds)), plain(from_struct(request.news))
        changed = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
        some, none = provider_pb2.DiffResponse.DIFF_SOME, provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(
            changes=some if changed else none,
            diffs=changed,
            replaces=[key for key in changed if key == "region"],
        )

    @answering
    def Configure(
        self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        """Credentials and region, the environment's where the program gives none."""
        properties = plain(from_struct(request.args))
        properties.pop("version", None)
        self._by_peer[context.peer()] = self._connections.configured(properties)
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True
        )

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """What is under way is finished: Terraform's provider could only stop for good."""
        return empty_pb2.Empty()

    @answering
    def Invoke(
        self, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.InvokeResponse:
        """The answer of a data source."""
        return functions.invoked(self._aws(context), request)

    @answering
    def Check(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        """Fills in the name, and lets the provider validate."""
        return checked(*self._of(request, context), request)

    @answering
    def Diff(
        self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        """Lets the provider plan; AWS is not asked."""
        return compared(*self._of(request, context), request)

    @answering
    def Create(
        self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CreateResponse:
        """Makes it and waits until it is there."""
        return operations.create(*self._of(request, context), request)

    @answering
    def Update(
        self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.UpdateResponse:
        """Changes it in place."""
        return operations.update(*self._of(request, context), request)

    @answering
    def Read(
        self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ReadResponse:
        """What is in AWS now."""
        return read(*self._of(request, context), request)

    @answering
    def Delete(
        self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext
    ) -> empty_pb2.Empty:
        """Ends it and waits until it is gone."""
        operations.delete(*self._of(request, context), request)
        return empty_pb2.Empty()

    def _aws(self, context: grpc.ServicerContext) -> Aws:
        if aws := self._by_peer.get(context.peer()):
            return aws
        msg = "the provider is not configured"
        raise RefusedError(msg)

    def _of(
        self,
        request: provider_pb2.CheckRequest | provider_pb2.DiffRequest,
        context: grpc.ServicerContext,
    ) -> tuple[Aws, Shape]:
        # urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME
        aws = self._aws(context)
        return aws, aws.schema.resource(request.urn.split("::")[2].rpartition("$")[2])
