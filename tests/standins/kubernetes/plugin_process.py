"""The life of the plugin: it serves until told to end, or until the engine is gone."""

import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
from attached import wait_for_end_of_parent
from provider import Provider
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2_grpc

__all__ = ["main"]

# What the engine and the official plugins allow (`rpcutil` in the Pulumi SDK for Go).
MAX_MESSAGE_BYTES = 400 * 1024 * 1024
OPTIONS = [
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
]

# Each operation that waits for the cluster occupies one thread.
MAX_CALLS = 64


class _Diagnostics:
    """Says things to the user, through the engine."""

    def __init__(self, address: str) -> None:
        self._address = address

    def warn(self, urn: str, text: str) -> None:
        with grpc.insecure_channel(self._address) as channel:
            engine_pb2_grpc.EngineStub(channel).Log(
                engine_pb2.LogRequest(severity=engine_pb2.WARNING, urn=urn, message=text)
            )


def main() -> None:
    """Serves until told to end."""
    parent = os.getppid()
    end = _end_announcements(parent)
    # The engine's address is the only argument without a dash; the others are about logging.
    address = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    server = grpc.server(ThreadPoolExecutor(MAX_CALLS), options=OPTIONS)
    provider = Provider(_Diagnostics(address).warn)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    os.read(end, 1)
    os._exit(0)


def _end_announcements(parent: int) -> int:
    """A descriptor that becomes readable at SIGINT, at SIGTERM, or when the engine is gone."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)

    def watch() -> None:
        wait_for_end_of_parent(parent)
        os.write(writer, b"x")

    # Not written by a handler: the signal may be taken by another thread while this one reads.
    signal.set_wakeup_fd(writer)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    threading.Thread(target=watch, daemon=True).start()
    return reader
