"""An open-loop HTTP client: requests leave on schedule whether or not earlier ones are answered."""

import asyncio
import socket
import ssl
import time
from collections import deque
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from bluegreen.load.answers import Answer, HeadParser
from bluegreen.load.connection import Connection, PendingRequest
from bluegreen.load.cookies import CookieJar
from bluegreen.load.plan import LoadPlan
from bluegreen.load.recording import Outcome, Recording

__all__ = ["run"]

# Event loops count in milliseconds: asking for less makes them spin.
_TICK_SECONDS = 0.001
# Bytes that came in are looked at after this many requests even if more are overdue.
_BATCH = 32
# A slow schedule must not delay timeouts, nor the wish to stop.
_LONGEST_SLEEP_SECONDS = 0.02


async def run(plan: LoadPlan, *, stop: asyncio.Event | None = None) -> Recording:
    """Sends the planned load and returns what happened to every request.

    Ends when the last request has ended, at the latest `timeout_seconds` after its intended time.
    When `stop` is set no further request is sent and those under way are waited for.
    """
    return await _Client(plan).run(stop or asyncio.Event())


class _Client:
    def __init__(self, plan: LoadPlan) -> None:
        self._plan = plan
        self._recording = Recording(target_rate=plan.rate)
        self._parser = HeadParser(plan.color_header, plan.release_header)
        self._jars = [CookieJar() for _ in range(plan.cookie_clients)]
        self._keep_alive_head, self._fresh_head = _request_heads(plan)
        self._addresses: list[tuple[socket.AddressFamily, tuple[Any, ...]]] = []
        self._tls = ssl.create_default_context() if plan.is_encrypted else None
        self._idle: deque[Connection] = deque()
        self._queue: deque[PendingRequest] = deque()
        # In the order of their intended times, which is the order in which they time out.
        self._unfinished: deque[PendingRequest] = deque()
        self._unfinished_count = 0
        # A connection gives its slot back as soon as it is of no use, and ends a little later.
        self._in_slots: set[Connection] = set()
        self._not_ended: set[Connection] = set()
        self._connecting: set[asyncio.Task[None]] = set()
        self._connecting_count = 0

    async def run(self, stop: asyncio.Event) -> Recording:
        try:
            await self._pace(stop)
            while self._unfinished_count:
                self._expire(time.monotonic())
                await asyncio.sleep(_TICK_SECONDS)
        finally:
            await self._close()
        return self._recording

    async def _pace(self, stop: asyncio.Event) -> None:
        schedule = _schedule(self._plan, time.monotonic())
        request = next(schedule, None)
        while request is not None and not stop.is_set():
            now = time.monotonic()
            self._expire(now)
            for _ in range(_BATCH):
                if request is None or request.intended > now:
                    break
                self._start(request)
                request = next(schedule, None)
            if request is not None:
                await _until(request.intended)

    def _start(self, request: PendingRequest) -> None:
        self._unfinished_count += 1
        if time.monotonic() - request.intended >= self._plan.timeout_seconds:
            # So that a rate beyond what this machine can send ends in time all the same.
            self._finish(request, Outcome.TIMEOUT)
            return
        self._unfinished.append(request)
        self._place(request)

    def _place(self, request: PendingRequest) -> None:
        """Puts the request on a free connection, on a new one, or in the queue."""
        connection = None if request.is_fresh else self._take_idle()
        if connection is not None:
            self._send(connection, request)
        elif self._has_room(request):
            self._connecting_count += 1
            task = asyncio.get_running_loop().create_task(self._connect(request))
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)
        else:
            self._queue.append(request)

    def _place_next(self) -> None:
        """Uses what has become free for the request that has waited longest."""
        while self._queue:
            request = self._queue.popleft()
            if not request.is_done:
                self._place(request)
                return

    def _take_idle(self) -> Connection | None:
        while self._idle:
            # The one that was idle longest: all connections of the pool stay in use.
            connection = self._idle.popleft()
            if connection.is_still_open():
                return connection
            self._in_slots.discard(connection)
            connection.discard()
        return None

    def _has_room(self, request: PendingRequest) -> bool:
        if len(self._in_slots) + self._connecting_count < self._plan.connections:
            return True
        if request.is_fresh and self._idle:
            connection = self._idle.popleft()
            self._in_slots.discard(connection)
            connection.close()
            return True
        return False

    async def _connect(self, request: PendingRequest) -> None:
        try:
            connection = await self._open()
        except OSError:
            connection = None
        self._connecting_count -= 1
        if connection is None:
            self._finish(request, Outcome.CONNECT_FAILURE)
            self._place_next()
            return
        self._in_slots.add(connection)
        if request.is_done:
            self._idle.append(connection)
            self._place_next()
        else:
            self._send(connection, request)

    async def _open(self) -> Connection:
        """A new connection; raises `OSError` when there is none, or it was closed at once."""
        loop = asyncio.get_running_loop()
        family, address = await self._next_address()
        sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        connection = Connection(self, self._parser, sock, is_encrypted=self._tls is not None)
        name = self._plan.server_name if self._tls else None
        try:
            async with asyncio.timeout(self._plan.timeout_seconds):
                await loop.sock_connect(sock, address)
                self._recording.connections_opened += 1
                self._not_ended.add(connection)
                await loop.create_connection(
                    lambda: connection, sock=sock, ssl=self._tls, server_hostname=name
                )
        except BaseException:
            self._not_ended.discard(connection)
            sock.close()
            raise
        if not connection.is_still_open():
            connection.abort()
            raise ConnectionResetError
        return connection

    async def _next_address(self) -> tuple[socket.AddressFamily, tuple[Any, ...]]:
        """One after the other, where a name has several; raises `OSError` when it has none."""
        if not self._addresses:
            host, port = self._plan.address
            found = await asyncio.get_running_loop().getaddrinfo(
                host, port, type=socket.SOCK_STREAM
            )
            self._addresses = [(family, address) for family, _, _, _, address in found]
        self._addresses.append(self._addresses.pop(0))
        return self._addresses[-1]

    def _send(self, connection: Connection, request: PendingRequest) -> None:
        head = self._fresh_head if request.is_fresh else self._keep_alive_head
        cookies = b"" if request.client is None else self._jars[request.client].header
        connection.send(request, head + cookies + b"\r\n")

    def answered(
        self, connection: Connection, request: PendingRequest, answer: Answer, *, usable: bool
    ) -> None:
        is_ok = HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES
        self._finish(request, Outcome.OK if is_ok else Outcome.HTTP_ERROR, answer)
        if answer.set_cookies and request.client is not None:
            self._jars[request.client].keep(answer.set_cookies)
        if usable:
            self._idle.append(connection)
        else:
            self._in_slots.discard(connection)
        self._place_next()

    def garbled(self, request: PendingRequest) -> None:
        self._finish(request, Outcome.HTTP_ERROR)

    def lost(self, connection: Connection, request: PendingRequest | None) -> None:
        self._not_ended.discard(connection)
        if request is not None:
            self._finish(request, Outcome.RESET)
        elif not connection.was_closed_here:
            self._recording.idle_closes += 1
        if connection in self._in_slots:
            self._in_slots.discard(connection)
            self._place_next()

    def _expire(self, now: float) -> None:
        """Gives up on requests that are too old, wherever they are."""
        unfinished, limit = self._unfinished, now - self._plan.timeout_seconds
        while unfinished and (unfinished[0].is_done or unfinished[0].intended <= limit):
            request = unfinished.popleft()
            if request.is_done:
                continue
            connection = request.connection
            self._finish(request, Outcome.TIMEOUT)
            if connection is not None:
                connection.abort()

    def _finish(
        self, request: PendingRequest, outcome: Outcome, answer: Answer | None = None
    ) -> None:
        if request.is_done:
            return
        request.is_done = True
        request.connection = None
        self._unfinished_count -= 1
        self._recording.add(
            intended=request.intended,
            sent=request.sent,
            ended=time.monotonic(),
            outcome=outcome,
            status=answer.status if answer else 0,
            color=answer.color if answer else "",
            release=answer.release if answer else "",
            client=request.client,
        )

    async def _close(self) -> None:
        for task in tuple(self._connecting):
            task.cancel()
        await asyncio.gather(*self._connecting, return_exceptions=True)
        for connection in tuple(self._not_ended):
            connection.abort()
        # Transports report their end in a later round of the event loop.
        while self._not_ended:
            await asyncio.sleep(_TICK_SECONDS)


def _schedule(plan: LoadPlan, start: float) -> Iterator[PendingRequest]:
    for number in range(plan.request_count):
        yield PendingRequest(
            start + number / plan.rate,
            # Evenly spread, and the exact share in the end.
            is_fresh=int((number + 1) * plan.fresh_share) > int(number * plan.fresh_share),
            client=number % plan.cookie_clients if plan.cookie_clients else None,
        )


def _request_heads(plan: LoadPlan) -> tuple[bytes, bytes]:
    """A request without its cookies and last line end, for a kept and for a fresh connection."""
    headers = dict(plan.headers)
    if not any(name.lower() == "host" for name in headers):
        headers = {"Host": plan.host_header, **headers}
    lines = [f"GET {plan.target} HTTP/1.1", *(f"{name}: {text}" for name, text in headers.items())]
    head = "\r\n".join(lines).encode("ascii") + b"\r\n"
    return head, head + b"Connection: close\r\n"


async def _until(moment: float) -> None:
    delay = moment - time.monotonic()
    if delay > 0:
        delay = min(max(delay, _TICK_SECONDS), _LONGEST_SLEEP_SECONDS)
    await asyncio.sleep(max(delay, 0))
