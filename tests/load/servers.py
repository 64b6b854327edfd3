"""Servers for the load tests: one whose every byte a test decides, and real app processes."""

import asyncio
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Self

from tests.ports import free_port

ROOT = Path(__file__).parents[2]
APP = ROOT / "examples" / "onprem" / "app" / "app.py"

HEADERS = b"X-Bluegreen-Color: blue\r\nX-Bluegreen-Release: 1.0\r\n"


def answer(status: str = "200 OK", headers: bytes = b"", body: bytes = b"ok") -> bytes:
    length = b"Content-Length: %d\r\n" % len(body)
    return b"HTTP/1.1 %s\r\n" % status.encode() + HEADERS + headers + length + b"\r\n" + body


@dataclass(frozen=True)
class Reply:
    data: bytes = answer()
    then: str = "keep"
    """keep, close (orderly) or reset the connection."""


class StubServer:
    """Answers every request with what the test's function returns for it."""

    def __init__(
        self,
        reply: Callable[["StubServer", bytes], Awaitable[Reply]],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._tls = tls
        self.heads: list[bytes] = []
        self.heads_by_connection: list[list[bytes]] = []
        self._reply = reply
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def connections(self) -> int:
        return len(self.heads_by_connection)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", 0, backlog=512, ssl=self._tls
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *details: object) -> None:
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            await self._exchange(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        then = "keep"
        heads: list[bytes] = []
        self.heads_by_connection.append(heads)
        while then == "keep":
            head = await reader.readuntil(b"\r\n\r\n")
            heads.append(head)
            self.heads.append(head)
            reply = await self._reply(self, head)
            then = reply.then
            if then != "reset":
                writer.write(reply.data)
                await writer.drain()
        if then == "close":
            writer.close()
            await writer.wait_closed()


def always(reply: Reply) -> Callable[[StubServer, bytes], Awaitable[Reply]]:
    async def give(server: StubServer, head: bytes) -> Reply:
        return reply

    return give


class AppProcess:
    """The example application in a process of its own."""

    def __init__(self, *options: str, port: int | None = None, **environment: str) -> None:
        self.port = free_port() if port is None else port
        self.url = f"http://127.0.0.1:{self.port}/"
        names = {"BLUEGREEN_COLOR": "blue", "BLUEGREEN_RELEASE": "1.0"}
        self.process = subprocess.Popen(
            [sys.executable, str(APP), "--port", str(self.port), *options],
            env={**os.environ, **names, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_until_listening(self) -> Self:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert "serves on" in line, (line, self.process.communicate(timeout=5))
        return self

    def get(self, path: str = "/", method: str = "GET") -> tuple[int, dict[str, str], str]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return response.status, headers, response.read().decode()
        finally:
            connection.close()

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate(timeout=5)


def eventually(is_true: Callable[[], bool], seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if is_true():
            return True
        time.sleep(0.01)
    return is_true()
