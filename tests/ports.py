"""Ports of loopback for tests: ones to listen on, and one that nobody answers at."""

import contextlib
import os
import random
import socket
from collections.abc import Iterator

from tools.cluster.network import PORTS, is_taken

__all__ = ["free_port", "free_ports", "nobody_listens"]


def _own() -> range:
    """The part of them that belongs to this one of the processes that run tests together."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    size = len(PORTS) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    return PORTS[worker * size : (worker + 1) * size]


class _Turns:
    """Hands out one port after the other. A test may start to listen late, and until then no other
    one is to get its ports."""

    def __init__(self, ports: range) -> None:
        self._ports = ports
        # Hypothesis seeds the random numbers of a test.
        self._at = random.SystemRandom().randrange(len(ports))

    def take(self, count: int) -> range:
        if self._at + count > len(self._ports):
            self._at = 0
        taken = self._ports[self._at : self._at + count]
        self._at += count
        return taken


_TURNS = _Turns(_own())


def free_ports(count: int) -> range:
    """Consecutive ports that nobody listens on, and that no other test gets."""
    while True:
        ports = _TURNS.take(count)
        if not any(is_taken(port) for port in ports):
            return ports


def free_port() -> int:
    """One of them."""
    return free_ports(1)[0]


@contextlib.contextmanager
def nobody_listens() -> Iterator[int]:
    """A port that refuses connections. It is held: a server that asks the kernel for any port could
    get the number of one that was let go."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]
