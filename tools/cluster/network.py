"""Where the processes of a cluster listen: on this machine's loopback, or in a namespace."""

import ctypes
import os
import random
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Protocol

from tools.cluster.errors import MissingError

__all__ = ["PORTS", "HostNetwork", "Network", "NetworkNamespace", "free_ports", "is_taken"]

CLONE_NEWNET = 0x40000000

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


class NetworkNamespace:
    """A network of its own, from which nothing gets out."""

    def __init__(self, file: Path, *, programs: Mapping[str, str]) -> None:
        """`file` is what it is known by; `programs` says where `ip` and the like are."""
        self._file = file
        self._programs = programs

    def create(self, address: str, gateway: str) -> None:
        """Makes it, with loopback, an address, and a default route to where nobody is.

        Raises:
            MissingError: This user, or this container, may not.
        """
        self._file.touch(mode=0o600)
        try:
            self._do("unshare", f"--net={self._file}", "true")
        except subprocess.CalledProcessError as error:
            msg = f"no network namespace can be made here: {error.stderr.strip()}"
            raise MissingError(msg) from error
        with self.entered():
            self._do("ip", "link", "set", "lo", "up")
            self._do("ip", "link", "add", "node", "type", "veth", "peer", "name", "nobody")
            self._do("ip", "link", "set", "nobody", "up")
            self._do("ip", "address", "add", f"{address}/24", "dev", "node")
            self._do("ip", "link", "set", "node", "up")
            self._do("ip", "route", "add", "default", "via", gateway)
            Path("/proc/sys/net/ipv4/ip_forward").write_text("1")

    def command(self, words: Sequence[str]) -> list[str]:
        """The command, run inside."""
        # Not `ip netns exec`: that mounts another /sys, without the control groups.
        return [self._programs["nsenter"], f"--net={self._file}", *words]

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Moves the calling thread, and what it starts, inside; and back at the end."""
        with Path("/proc/thread-self/ns/net").open("rb") as before:
            with self._file.open("rb") as file:
                _set_namespace(file.fileno())
            try:
                yield
            finally:
                _set_namespace(before.fileno())

    def _do(self, program: str, *words: str) -> None:
        command = [self._programs[program], *words]
        subprocess.run(command, check=True, capture_output=True, text=True)


def _set_namespace(descriptor: int) -> None:
    # Python 3.11 has no `os.setns`.
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on."""
    found: list[int] = []
    while len(found) < count:
        port = random.choice(PORTS)  # noqa: S311
        if port not in found and not is_taken(port):
            found.append(port)
    return found


def is_taken(port: int) -> bool:
    """Whether a port of loopback cannot be listened on now."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
