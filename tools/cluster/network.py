"""Where the processes of a cluster listen: on this machine's loopback, or in a namespace."""

import random
import socket
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

__all__ = ["HostNetwork", "Network", "free_ports"]

# Below the range that the kernel takes the ports of outgoing connections from: those come and go.
PORTS = range(10_000, 32_000)


class Network(Protocol):
    """How something is done where the cluster can be reached."""

    def command(self, words: Sequence[str]) -> list[str]:
        """The same command, run there."""

    def entered(self) -> AbstractContextManager[None]:
        """Moves the calling thread there, and back at the end."""


class HostNetwork:
    """The network of this process."""

    def command(self, words: Sequence[str]) -> list[str]:
        """The command as it is."""
        return list(words)

    def entered(self) -> AbstractContextManager[None]:
        """Nothing to do."""
        return nullcontext()


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on."""
    found: list[int] = []
    while len(found) < count:
        port = random.choice(PORTS)  # noqa: S311
        if port not in found and not _is_taken(port):
            found.append(port)
    return found


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
