"""The life of the plugin: it serves until told to end, or until who started it is gone."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from tests.standins.aws.provider import Provider
from tools.engine.attached import wait_for_end_of_parent

__all__ = ["main"]

# What the engine and the official plugins allow (`rpcutil` in the Pulumi SDK for Go).
MAX_MESSAGE_BYTES = 400 * 1024 * 1024
OPTIONS = [
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
]

# Each operation that waits for AWS occupies one thread.
MAX_CALLS = 64


def main() -> None:
    """Serves until told to end."""
    parent = os.getppid()
    end = _end_announcements(parent)
    server = grpc.server(ThreadPoolExecutor(MAX_CALLS), options=OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Provider(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    os.read(end, 1)
    os._exit(0)


def _end_announcements(parent: int) -> int:
    """A descriptor that becomes readable at SIGINT, at SIGTERM, or when the parent is gone."""
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
