"""A real HAProxy over tiny real members, and the smallest clients that can tell colors apart."""

import asyncio
import contextlib
import http.client
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bluegreen.colors import Color
from bluegreen.errors import DataPlaneError
from bluegreen.onprem.haproxy_config import HaproxyConfig
from bluegreen.onprem.haproxy_runtime import HaproxyRuntime
from bluegreen.onprem.traffic_map import NOTHING_IS_LIVE, MapFile, RoutedTraffic
from bluegreen.traffic import Route, TrafficSplit
from tests.ports import free_ports

SERVICE = "shop"
SLOW_SECONDS = 1.5
RELOAD_SECONDS = 0.2
"""A reload takes about 40 ms."""


def eventually(is_true: Callable[[], bool], what: str, seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.002)


@dataclass
class Member:
    """One process's worth of a release: says its color, can be unready, can break connections."""

    color: Color
    port: int
    is_ready: bool = True
    requests: int = 0
    breaks_off: bool = False
    last_head: bytes = b""


class _Connection(asyncio.Protocol):
    def __init__(self, member: Member) -> None:
        self._member = member
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, self._buffer = self._buffer.split(b"\r\n\r\n", 1)
            self._take(head)

    def _take(self, head: bytes) -> None:
        assert self._transport is not None
        path = head.split(b" ", 2)[1]
        if path == b"/health/ready":
            self._answer(b"200 OK" if self._member.is_ready else b"503 Unready")
            return
        self._member.requests += 1
        self._member.last_head = head
        if self._member.breaks_off:
            self._transport.abort()
        elif path == b"/slow":
            asyncio.get_running_loop().call_later(SLOW_SECONDS, self._answer, b"200 OK")
        else:
            self._answer(b"200 OK")

    def _answer(self, status: bytes) -> None:
        assert self._transport is not None
        body = self._member.color.value.encode()
        if not self._transport.is_closing():
            self._transport.write(
                b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)
            )


class Members:
    """All members of a test, served by one thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._servers: dict[int, asyncio.Server] = {}
        self._thread.start()

    def start(self, color: Color, port: int) -> Member:
        member = Member(color, port)
        self._servers[port] = self._run(self._serve(member))
        return member

    def hang_up(self, member: Member) -> None:
        """Refuses new connections to a member from now on, as if its process had died."""
        self._run(self._close(self._servers.pop(member.port)))

    def stop(self) -> None:
        for server in self._servers.values():
            self._loop.call_soon_threadsafe(server.close)
        self._run(self._let_go())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _serve(self, member: Member) -> asyncio.Server:
        return await asyncio.get_running_loop().create_server(
            lambda: _Connection(member), "127.0.0.1", member.port, backlog=512
        )

    async def _close(self, server: asyncio.Server) -> None:
        server.close()

    async def _let_go(self) -> None:
        # The proxies are gone by now; their connections end within a turn or two of the loop.
        await asyncio.sleep(0.05)


@dataclass
class Proxy:
    """One HAProxy in a directory of its own, as the platform starts it."""

    binary: str
    config: HaproxyConfig
    directory: Path
    edit: Callable[[str], str] = field(default=lambda text: text)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def runtime(self) -> HaproxyRuntime:
        return HaproxyRuntime(str(self.config.socket_path))

    @property
    def traffic(self) -> RoutedTraffic:
        return self.config.routed_traffic

    @property
    def file(self) -> MapFile:
        return MapFile(self.config.map_path)

    @property
    def config_path(self) -> Path:
        return self.directory / "haproxy.cfg"

    def write_config(self) -> None:
        self.config_path.write_text(self.edit(self.config.render()), encoding="utf-8")
        if self.file.read(SERVICE) is None:
            self.file.write(SERVICE, NOTHING_IS_LIVE)

    def start(self) -> "Proxy":
        self.write_config()
        # -dW: a warning is an error.
        command = [self.binary, "-W", "-db", "-dW", "-f", str(self.config_path)]
        with (self.directory / "haproxy.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        eventually(self._answers, "haproxy answers")
        return self

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)
            self.process = None

    def reload(self) -> None:
        process = self.process
        assert process is not None
        before = self.runtime.worker_pid()
        sent = 0.0

        def has_new_worker() -> bool:
            nonlocal sent
            # HAProxy 2.6 loses a signal in the first milliseconds of its master: send it again.
            if time.monotonic() - sent > RELOAD_SECONDS:
                sent = time.monotonic()
                process.send_signal(signal.SIGUSR2)
            return self._pid_or(before) != before

        def has_old_worker_stopped() -> bool:
            # For a few milliseconds both take connections.
            return f"({before}) : Proxy {SERVICE}-test stopped" in self.log()

        eventually(has_new_worker, "a new worker answers")
        eventually(has_old_worker_stopped, "the old worker takes no connections")

    def log(self) -> str:
        return (self.directory / "haproxy.log").read_text(encoding="utf-8")

    def takes_connections(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.config.production_port), timeout=5):
                return True
        except ConnectionRefusedError:
            return False

    def route(self, active: Color, percent: int = 0) -> float:
        value = self.traffic.encode(Route(active, TrafficSplit.with_canary(active, percent)))
        return self.runtime.set_map(str(self.config.map_path), SERVICE, value)

    def ready(self, color: Color) -> int:
        return self.runtime.backend(self.traffic.backends[color]).servers_up

    def production(self, path: str = "/", **headers: str) -> "Answer":
        return get(self.config.production_port, path, headers.items())

    def test(self, path: str = "/", **headers: str) -> "Answer":
        return get(self.config.test_port, path, headers.items())

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log()
        return self._pid_or(0) != 0

    def _pid_or(self, other: int) -> int:
        try:
            return self.runtime.worker_pid()
        except DataPlaneError:
            return other


@contextlib.contextmanager
def a_proxy(
    binary: str,
    members: Members,
    *,
    listening: int = 2,
    empty: int = 0,
    edit: Callable[[str], str] = lambda text: text,
    **fields: Any,
) -> Iterator[tuple[Proxy, Mapping[Color, list[Member]]]]:
    """A proxy that is not started yet, and its members; `empty` slots have nobody listening."""
    slots = listening + empty
    ports = free_ports(2 * slots + 2)
    member_ports = {Color.BLUE: tuple(ports[:slots]), Color.GREEN: tuple(ports[slots : 2 * slots])}
    fleets = {
        color: [members.start(color, port) for port in member_ports[color][empty:]]
        for color in Color
    }
    # Not pytest's own directory: a socket's path may have 97 bytes only.
    directory = Path(tempfile.mkdtemp(prefix="bg-haproxy-"))
    config = HaproxyConfig(
        service=SERVICE,
        production_port=ports[-2],
        test_port=ports[-1],
        member_ports=member_ports,
        socket_path=directory / "haproxy.sock",
        map_path=directory / "traffic.map",
        **{"recheck_seconds": 0.05, **fields},
    )
    proxy = Proxy(binary, config, directory, edit)
    try:
        yield proxy, fleets
    finally:
        proxy.stop()
        shutil.rmtree(directory)


@dataclass(frozen=True)
class Answer:
    status: int
    body: str
    headers: http.client.HTTPMessage


def get(port: int, path: str, headers: Iterable[tuple[str, str]] = ()) -> Answer:
    """One request on a connection of its own; header names are written with underscores."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with contextlib.closing(connection):
        connection.putrequest("GET", path)
        for name, value in headers:
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        response = connection.getresponse()
        return Answer(response.status, response.read().decode().strip(), response.headers)


class KeepAlive:
    """One client connection that stays open, and makes another one only when it was told to."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, headers: str = "") -> tuple[int, str, str]:
        """Returns status, body and head; raises `OSError` or `EOFError` when the request fails."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(f"GET / HTTP/1.1\r\nHost: shop\r\n{headers}\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length: ", 1)[1].split("\r\n", 1)[0])
        body = (await reader.readexactly(length)).decode()
        if "connection: close" in head:
            await self.aclose()
        return int(head[9:12]), body.strip(), head

    async def aclose(self) -> None:
        if self._streams is not None:
            writer = self._streams[1]
            self._streams = None
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
