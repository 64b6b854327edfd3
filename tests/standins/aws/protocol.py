"""Terraform's plugin protocol, as the provider binary itself describes it."""

import importlib
from collections.abc import Iterator
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

__all__ = ["Protocol"]

SERVICE = "tfplugin5.Provider"


class Protocol:
    """Calls methods of the provider; the messages are made from its gRPC reflection."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel
        files = {file.name: file for file in _described(channel)}
        pool = descriptor_pool.DescriptorPool()
        for file in _in_order(files):
            pool.AddSerializedFile(file.SerializeToString())
        service = pool.FindServiceByName(SERVICE)
        self._messages = service.file.message_types_by_name
        self._methods = {method.name: method for method in service.methods}

    def message(self, name: str, **fields: Any) -> Any:
        """A message of the protocol: `DynamicValue`."""
        return message_factory.GetMessageClass(self._messages[name])(**fields)

    def call(self, method: str, **fields: Any) -> Any:
        """The answer to a request with these fields."""
        described = self._methods[method]
        request = message_factory.GetMessageClass(described.input_type)
        answer = message_factory.GetMessageClass(described.output_type)
        call = self._channel.unary_unary(
            f"/{SERVICE}/{method}",
            request_serializer=request.SerializeToString,
            response_deserializer=answer.FromString,
        )
        return call(request(**fields))


def _described(channel: grpc.Channel) -> Iterator[Any]:
    question = reflection_pb2.ServerReflectionRequest(file_containing_symbol=SERVICE)
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    for answer in stub.ServerReflectionInfo(iter([question])):
        for serialized in answer.file_descriptor_response.file_descriptor_proto:
            yield descriptor_pb2.FileDescriptorProto.FromString(serialized)


def _in_order(files: dict[str, Any]) -> Iterator[Any]:
    """Each file after those that it needs; what protobuf itself brings is taken from there."""
    done: set[str] = set()

    def visit(name: str) -> Iterator[Any]:
        if name in done:
            return
        done.add(name)
        file = files.get(name) or _own(name)
        for needed in file.dependency:
            yield from visit(needed)
        yield file

    for name in files:
        yield from visit(name)


def _own(name: str) -> Any:
    module = importlib.import_module(name.removesuffix(".proto").replace("/", ".") + "_pb2")
    return descriptor_pb2.FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)
