"""What load to make: where, how much, for how long; checked before anything is sent."""

import ipaddress
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import SplitResult, urlsplit

from bluegreen.errors import ConfigError

__all__ = ["MAX_CONNECTIONS", "MAX_RATE", "MAX_REQUESTS", "MAX_SECONDS", "LoadPlan"]

MAX_SECONDS = 3600.0
"""Longest load, so that a forgotten one ends by itself."""

MAX_REQUESTS = 2_000_000
"""Most requests of one load: about 80 MB of recording at 40 bytes a request."""

MAX_RATE = 50_000.0
"""Far above what one Python process can send; keeps typing slips out."""

MAX_CONNECTIONS = 900
"""Fits the usual limit of 1024 open files of a process, with room for everything else."""

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OWN_HEADERS = frozenset({"connection", "content-length", "transfer-encoding"})


@dataclass(frozen=True, kw_only=True)
class LoadPlan:
    """One open-loop load against one address; `ConfigError` names every problem."""

    url: str
    """`http://` address with a loopback host; path and query are sent as they are."""

    is_remote: bool = False
    """True where the address is the service's own and somebody asked for the load: then any host
    will do, and `https://`. Only gates and drills set it; the command line cannot."""

    test_network: str | None = None
    """A private network, such as `10.96.0.0/16`, whose addresses may be sent to as well: that of a
    cluster in a network namespace of this machine."""

    rate: float
    """Requests per second, evenly spaced, sent whether or not earlier ones were answered."""

    seconds: float
    """Time over which requests are scheduled; answers may take `timeout_seconds` longer."""

    connections: int = 64
    """Most connections open at a time; above that requests wait and the wait is latency."""

    fresh_share: float = 0.1
    """Share of the requests, 0 to 1, that use a new connection which is closed afterwards."""

    timeout_seconds: float = 5.0
    """A request without a complete answer this long after its intended time has failed."""

    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent with every request; `Host` replaces the one made from the address."""

    cookie_clients: int = 0
    """Number of simulated clients that keep the cookies they are given; 0 for no cookies."""

    color_header: str = "X-Bluegreen-Color"
    """Header of the answer that names the color."""

    release_header: str = "X-Bluegreen-Release"
    """Header of the answer that names the release."""

    def __post_init__(self) -> None:
        problems = [
            *self._network_problems(),
            *self._url_problems(),
            *self._amount_problems(),
            *self._header_problems(),
        ]
        if problems:
            raise ConfigError(problems)

    @property
    def request_count(self) -> int:
        """How many requests are scheduled, at least 1."""
        return max(1, round(self.rate * self.seconds))

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to connect to; `localhost` means 127.0.0.1."""
        host = self._parts.hostname or ""
        port = self._parts.port
        standard = 443 if self.is_encrypted else 80
        return ("127.0.0.1" if host == "localhost" else host, standard if port is None else port)

    @property
    def is_encrypted(self) -> bool:
        """True for `https://`."""
        return self._parts.scheme == "https"

    @property
    def server_name(self) -> str:
        """The host that a certificate has to fit: the one that is asked for."""
        asked = [text for name, text in self.headers.items() if name.lower() == "host"]
        return urlsplit(f"//{asked[0] if asked else self.host_header}").hostname or ""

    @property
    def target(self) -> str:
        """Path and query as they stand in the request line."""
        path = self._parts.path or "/"
        return f"{path}?{self._parts.query}" if self._parts.query else path

    @property
    def host_header(self) -> str:
        """Host and port as they stand in the address."""
        return self._parts.netloc

    @cached_property
    def _parts(self) -> SplitResult:
        return urlsplit(self.url)

    def _url_problems(self) -> Iterator[str]:
        if not self.url.isascii() or not self.url.isprintable() or " " in self.url:
            yield f"url: {self.url!r} has characters that must be percent-encoded; nothing was sent"
            return
        try:
            scheme, host, port = self._parts.scheme, self._parts.hostname, self._parts.port
        except ValueError as error:
            yield f"url: {self.url!r} cannot be read ({error}); nothing was sent"
            return
        schemes = ("http", "https") if self.is_remote else ("http",)
        if scheme not in schemes or not host or port == 0 or "@" in self._parts.netloc:
            yield f"url: {self.url!r} is not of the form http://127.0.0.1:PORT/; nothing was sent"
        elif not (self.is_remote or _is_loopback(host) or self._is_in_test_network(host)):
            yield (
                f"url: host {host!r} is not loopback and this client is for tests and demos on one "
                "machine; nothing was sent; use 127.0.0.1, ::1 or localhost"
            )

    def _network_problems(self) -> Iterator[str]:
        if self.test_network is None:
            return
        try:
            network = ipaddress.ip_network(self.test_network)
        except ValueError as error:
            yield f"test_network: {error}; nothing was sent"
            return
        if not network.is_private:
            yield (
                f"test_network: {network} is not private, so it may be somebody else's; nothing "
                "was sent"
            )

    def _is_in_test_network(self, host: str) -> bool:
        try:
            network = ipaddress.ip_network(self.test_network or "")
            return network.is_private and ipaddress.ip_address(host) in network
        except ValueError:
            return False

    def _amount_problems(self) -> Iterator[str]:
        limits = (
            ("rate", self.rate, 0.01, MAX_RATE, "requests per second"),
            ("seconds", self.seconds, 0.001, MAX_SECONDS, "seconds"),
            ("connections", self.connections, 1, MAX_CONNECTIONS, "connections"),
            ("fresh_share", self.fresh_share, 0, 1, "of the requests"),
            ("timeout_seconds", self.timeout_seconds, 0.01, 300, "seconds"),
            ("cookie_clients", self.cookie_clients, 0, 1_000_000, "clients"),
        )
        wrong = [limit for limit in limits if not limit[2] <= limit[1] <= limit[3]]
        for name, value, least, most, unit in wrong:
            yield f"{name}: {value:g} is outside {least:g} to {most:g} {unit}; nothing was sent"
        planned = self.rate * self.seconds
        if not wrong and math.ceil(planned) > MAX_REQUESTS:
            yield (
                f"seconds: {self.rate:g} requests per second for {self.seconds:g} seconds are "
                f"{planned:.0f} requests, more than {MAX_REQUESTS}; nothing was sent; "
                f"use at most {MAX_REQUESTS / self.rate:g} seconds"
            )

    def _header_problems(self) -> Iterator[str]:
        for name, value in self.headers.items():
            if not _HEADER_NAME.fullmatch(name):
                yield f"headers: {name!r} is no header name; nothing was sent"
            elif name.lower() in _OWN_HEADERS:
                yield f"headers: {name} is set by the client itself; nothing was sent; leave it out"
            elif not value.isascii() or not value.isprintable():
                yield f"headers: {name} has a value with control or non-ASCII characters: {value!r}"
        if self.cookie_clients and any(name.lower() == "cookie" for name in self.headers):
            yield "headers: Cookie cannot be set together with cookie_clients; nothing was sent"
        for key, name in (("color", self.color_header), ("release", self.release_header)):
            if not _HEADER_NAME.fullmatch(name):
                yield f"{key}_header: {name!r} is no header name; nothing was sent"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        # Other names are refused even where they resolve to loopback: a resolver may change.
        return False
