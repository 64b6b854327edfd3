"""One client connection with at most one request on it."""

import asyncio
import socket
import time
from typing import Protocol, cast

from bluegreen.load.answers import Answer, AnswerReader, HeadParser, MalformedAnswerError

__all__ = ["Connection", "ConnectionOwner", "PendingRequest"]


class PendingRequest:
    """A request that has not ended yet."""

    __slots__ = ("client", "connection", "intended", "is_done", "is_fresh", "sent")

    def __init__(self, intended: float, *, is_fresh: bool, client: int | None) -> None:
        self.intended = intended
        self.is_fresh = is_fresh
        self.client = client
        self.sent: float | None = None
        self.is_done = False
        self.connection: Connection | None = None


class ConnectionOwner(Protocol):
    """Whoever is told what happens on a connection."""

    def answered(
        self, connection: "Connection", request: PendingRequest, answer: Answer, *, usable: bool
    ) -> None:
        """The answer is complete; not usable: the connection has been closed."""

    def garbled(self, request: PendingRequest) -> None:
        """The server sent something that is no HTTP; the connection is being aborted."""

    def lost(self, connection: "Connection", request: PendingRequest | None) -> None:
        """The connection is gone; with a request that was written and not answered, or without."""


class Connection(asyncio.Protocol):
    """A connection; closed by either side it reports `lost` exactly once."""

    def __init__(
        self,
        owner: ConnectionOwner,
        parser: HeadParser,
        sock: socket.socket,
        *,
        is_encrypted: bool = False,
    ) -> None:
        self._owner = owner
        self._is_encrypted = is_encrypted
        self._reader = AnswerReader(parser)
        self._socket = sock
        self._request: PendingRequest | None = None
        self._transport: asyncio.Transport | None = None
        self.was_closed_here = False
        """True once this side has ended it, so that its end says nothing about the server."""

    def is_still_open(self) -> bool:
        """False when the server has closed it, also when the event loop has not noticed yet."""
        if self._transport is None or self._transport.is_closing():
            return False
        try:
            # Nothing may be waiting on an idle connection: neither an end nor bytes. But TLS has
            # messages of its own, such as tickets, that the event loop has not taken yet.
            waiting = self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return bool(waiting) and self._is_encrypted

    def send(self, request: PendingRequest, message: bytes) -> None:
        """Writes a request; from here on the end of the connection is the request's failure."""
        self._request = request
        request.connection = self
        request.sent = time.monotonic()
        if self._transport is not None:
            self._transport.write(message)

    def close(self) -> None:
        """Ends an idle connection."""
        self.was_closed_here = True
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Ends the connection with whatever is on it, which is not reported again."""
        self._request = None
        self.was_closed_here = True
        if self._transport is not None:
            self._transport.abort()

    def discard(self) -> None:
        """Lets go of a connection that the server has ended."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop once the connection stands."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Called by the event loop with bytes of the server."""
        request = self._request
        if request is None:
            # Nobody asked for anything: some servers say 408 before they close an idle connection.
            self.discard()
            return
        try:
            answer = self._reader.feed(data)
        except MalformedAnswerError:
            self.abort()
            self._owner.garbled(request)
            return
        if answer is not None:
            self._complete(request, answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop at the end, with an error unless it was an orderly close."""
        request = self._request
        answer = self._reader.end() if request is not None and exc is None else None
        if request is not None and answer is not None:
            self._complete(request, answer)
        request, self._request = self._request, None
        self._owner.lost(self, request)

    def _complete(self, request: PendingRequest, answer: Answer) -> None:
        self._request = None
        request.connection = None
        usable = answer.keeps_alive and not request.is_fresh and not self._reader.has_leftover
        if not usable:
            self.close()
        self._owner.answered(self, request, answer, usable=usable)
