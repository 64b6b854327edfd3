"""Who listens on a port of this machine, and how clients write it."""

import contextlib
import errno
import ipaddress
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Holder", "holder_of", "http_url", "is_of_this_machine", "taken_by"]

_PROC = Path("/proc")
_LISTENING = 0x0A  # include/net/tcp_states.h


@dataclass(frozen=True, slots=True)
class _Socket:
    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    port: int
    is_listening: bool
    inode: str


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a TCP port."""

    pid: int | None
    """None when this user cannot see it."""

    def __str__(self) -> str:
        if self.pid is None:
            return "a process that this user cannot see"
        return f"pid {self.pid} ({_name_of(self.pid)})"


def taken_by(port: int, host: str = "127.0.0.1") -> str | None:
    """Says who has a TCP port, for example `pid 123 (python3)`; None when it is free."""
    holder = holder_of(port, host)
    return None if holder is None else str(holder)


def holder_of(port: int, host: str = "127.0.0.1") -> Holder | None:
    """Who has a TCP port; None when it is free.

    The port is tried for a moment, so the answer holds where `/proc` cannot be read, too.
    """
    if _is_free(port, host):
        return None
    wanted = _addresses_of(host)
    found = [each for each in _sockets() if each.port == port and _is_in_the_way(each, wanted)]
    found.sort(key=lambda each: not each.is_listening)
    pids = (_owner_of(each.inode) for each in found)
    return Holder(next((pid for pid in pids if pid is not None), None))


def is_of_this_machine(host: str) -> bool:
    """Whether somebody could listen on an address; True where that cannot be told."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as attempt:
        try:
            attempt.bind((host, 0))
        except OSError as error:
            return error.errno != errno.EADDRNOTAVAIL
    return True


def http_url(host: str, port: int) -> str:
    """Where clients of this machine find what listens there, for example `http://[::1]:8080`.

    Nobody can connect to "any address": for those it is the loopback address of their family.
    """
    with contextlib.suppress(ValueError):  # a host name
        address = ipaddress.ip_address(host)
        if address.is_unspecified:
            host = "127.0.0.1" if address.version == 4 else "::1"  # noqa: PLR2004
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _is_free(port: int, host: str) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as attempt:
        # Connections in TIME_WAIT keep nobody from listening, as every server sets this, too.
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((host, port))
        except OSError as error:
            # A privileged port, or an address of another machine: refused, but not by a holder.
            return error.errno != errno.EADDRINUSE
    return True


def _addresses_of(host: str) -> set[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return set()
    return {ipaddress.ip_address(str(sockaddr[0])) for *_, sockaddr in found}


def _is_in_the_way(
    holder: _Socket, wanted: set[ipaddress.IPv4Address | ipaddress.IPv6Address]
) -> bool:
    address = getattr(holder.address, "ipv4_mapped", None) or holder.address
    return (
        address.is_unspecified or address in wanted or any(each.is_unspecified for each in wanted)
    )


def _sockets() -> Iterator[_Socket]:
    for table in ("net/tcp", "net/tcp6"):
        with contextlib.suppress(OSError):
            for line in (_PROC / table).read_text().splitlines()[1:]:
                _, local, _, state, *_rest, inode = line.split()[:10]
                address, _, port = local.partition(":")
                yield _Socket(_address(address), int(port, 16), int(state, 16) == _LISTENING, inode)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    # The kernel prints each 32-bit word in the machine's own byte order.
    words = [int(text[start : start + 8], 16) for start in range(0, len(text), 8)]
    return ipaddress.ip_address(struct.pack(f"={len(words)}I", *words))


def _owner_of(inode: str) -> int | None:
    wanted = f"socket:[{inode}]"
    for process in sorted(_PROC.glob("[0-9]*"), key=lambda path: int(path.name)):
        with contextlib.suppress(OSError):  # it has ended, or belongs to another user
            for descriptor in (process / "fd").iterdir():
                with contextlib.suppress(OSError):  # it has been closed
                    if str(descriptor.readlink()) == wanted:
                        return int(process.name)
    return None


def _name_of(pid: int) -> str:
    try:
        return (_PROC / str(pid) / "comm").read_text().strip()
    except OSError:
        return "ended"
