"""A small web application that says which color and release it is.

Python's standard library only; faster with uvloop, which is used where it is installed.

    BLUEGREEN_COLOR=blue BLUEGREEN_RELEASE=1.0 python app.py --port 8081
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache, partial
from http import HTTPStatus
from typing import NoReturn, cast
from urllib.parse import parse_qs

SLOW_MODE_SECONDS = 0.2
LONGEST_SLOW_MS = 60_000

# While draining: a kept connection on which nothing was asked for this long is closed. A proxy
# keeps idle connections for minutes, and waiting for each of them would use up the whole grace.
IDLE_DRAIN_SECONDS = 1.0

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds in seconds, those of the usual client libraries."""

MAX_HEAD_BYTES = 16_384
MAX_BODY_BYTES = 1_048_576


class Mode(StrEnum):
    """How the application behaves; everything but `NORMAL` is there to be caught by a gate."""

    NORMAL = "normal"
    SLOW = "slow"
    """Adds 200 ms to every answer."""

    BROKEN = "broken"
    """Says that it is ready, and answers 500 to everything else but `/metrics`."""

    NEVER_READY = "never-ready"
    """Works, but never says that it is ready."""


@dataclass(frozen=True)
class Answer:
    status: HTTPStatus
    body: str
    content_type: str = "text/plain; charset=utf-8"
    delay_seconds: float = 0.0


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: str
    keeps_alive: bool
    body_bytes: int


NOT_FOUND = Answer(HTTPStatus.NOT_FOUND, "not found\n")
WRONG_METHOD = Answer(HTTPStatus.METHOD_NOT_ALLOWED, "only GET and HEAD\n")
BROKEN = Answer(HTTPStatus.INTERNAL_SERVER_ERROR, "broken\n")


class Metrics:
    """What was answered, in the Prometheus text format; written by hand to need no package."""

    def __init__(self) -> None:
        self._started = time.time()
        self._seconds: dict[str, list[int]] = {}
        self._sums: dict[str, float] = {}
        self._statuses: dict[tuple[str, int], int] = {}

    def count(self, path: str, status: int, seconds: float) -> None:
        counts = self._seconds.setdefault(path, [0] * (len(BUCKETS) + 1))
        counts[bisect_left(BUCKETS, seconds)] += 1
        self._sums[path] = self._sums.get(path, 0.0) + seconds
        self._statuses[path, status] = self._statuses.get((path, status), 0) + 1

    def lines(self) -> Iterator[str]:
        yield "# TYPE process_start_time_seconds gauge"
        yield f"process_start_time_seconds {self._started!r}"
        yield "# TYPE http_requests_total counter"
        for (path, status), count in self._statuses.items():
            yield f'http_requests_total{{path="{path}",status="{status}"}} {count}'
        yield "# TYPE http_request_duration_seconds histogram"
        for path, counts in self._seconds.items():
            yield from self._histogram(f'path="{path}"', counts, self._sums[path])

    def _histogram(self, label: str, counts: list[int], total: float) -> Iterator[str]:
        name, upto = "http_request_duration_seconds", 0
        for bound, count in zip([*map(str, BUCKETS), "+Inf"], counts, strict=True):
            upto += count
            yield f'{name}_bucket{{{label},le="{bound}"}} {upto}'
        yield f"{name}_sum{{{label}}} {total!r}"
        yield f"{name}_count{{{label}}} {upto}"


class Application:
    """Decides what is answered; knows nothing about bytes."""

    def __init__(self, color: str, release: str, mode: Mode, warm_up_seconds: float) -> None:
        self.color = color
        self.release = release
        self.metrics = Metrics()
        self.is_draining = False
        self.answered = 0
        self.connections: set[Connection] = set()
        self.connections_accepted = 0
        self._mode = mode
        self._ready_from = time.monotonic() + warm_up_seconds
        self._pages: dict[str, Callable[[Request], Answer]] = {
            "/": self._front_page,
            "/health/dependencies": self._dependencies,
            "/version": self._version,
            "/slow": self._slow,
            "/stats": self._stats,
        }

    @property
    def delay_seconds(self) -> float:
        """Added to every answer."""
        return SLOW_MODE_SECONDS if self._mode is Mode.SLOW else 0.0

    def answer(self, request: Request) -> Answer:
        if request.method not in ("GET", "HEAD"):
            return WRONG_METHOD
        if request.path == "/health/ready":
            return self._readiness()
        if request.path == "/metrics":
            return self._said()
        if self._mode is Mode.BROKEN:
            return BROKEN
        page = self._pages.get(request.path)
        return page(request) if page else NOT_FOUND

    def record(self, request: Request, status: int, seconds: float) -> None:
        """Counts an answer; paths that nobody knows are one, or anybody could make thousands."""
        self.answered += 1
        known = request.path in self._pages or request.path in ("/health/ready", "/metrics")
        self.metrics.count(request.path if known else "other", status, seconds)

    @property
    def condition(self) -> str:
        """Whether it should be given requests; it answers those that it is given all the same."""
        if self.is_draining:
            return "draining"
        is_cold = self._mode is Mode.NEVER_READY or time.monotonic() < self._ready_from
        return "warming up" if is_cold else "ready"

    def _readiness(self) -> Answer:
        condition = self.condition
        ready = condition == "ready"
        status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        return Answer(status, f"{condition}\n")

    def _front_page(self, _request: Request) -> Answer:
        return Answer(HTTPStatus.OK, f"{self.color} {self.release}\n")

    def _dependencies(self, _request: Request) -> Answer:
        return as_json({"database": {"status": "healthy"}})

    def _version(self, _request: Request) -> Answer:
        return as_json({"version": self.release, "color": self.color})

    def _slow(self, request: Request) -> Answer:
        text = parse_qs(request.query).get("ms", ["50"])[0]
        if not (text.isascii() and text.isdigit() and int(text) <= LONGEST_SLOW_MS):
            problem = f"ms must be a whole number from 0 to {LONGEST_SLOW_MS}\n"
            return Answer(HTTPStatus.BAD_REQUEST, problem)
        return Answer(HTTPStatus.OK, f"after {text} ms\n", delay_seconds=int(text) / 1000)

    def _said(self) -> Answer:
        text = "".join(f"{line}\n" for line in self.metrics.lines())
        return Answer(HTTPStatus.OK, text, "text/plain; version=0.0.4; charset=utf-8")

    def _stats(self, _request: Request) -> Answer:
        return as_json(
            {
                "answered": self.answered,
                "connections_accepted": self.connections_accepted,
                "connections_open": len(self.connections),
            }
        )


class Connection(asyncio.Protocol):
    """One client connection: requests are answered one after the other."""

    def __init__(self, application: Application, loop: asyncio.AbstractEventLoop) -> None:
        self._application = application
        self._loop = loop
        self._transport: asyncio.Transport
        self._buffer = b""
        self._is_answering = False
        self._idle_close: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._application.connections.add(self)
        self._application.connections_accepted += 1
        if self._application.is_draining:
            self.drain()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._application.connections.discard(self)
        if self._idle_close is not None:
            self._idle_close.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._is_answering:
            self._take_request()

    def drain(self) -> None:
        """Closes the connection if nothing is asked on it soon."""
        self._idle_close = self._loop.call_later(IDLE_DRAIN_SECONDS, self._close_if_idle)

    def abort(self) -> None:
        self._transport.abort()

    def _close_if_idle(self) -> None:
        if not self._is_answering:
            self._transport.close()

    def _take_request(self) -> None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > MAX_HEAD_BYTES:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            return
        try:
            request = read_head(self._buffer[:end])
        except ValueError:
            self._refuse(HTTPStatus.BAD_REQUEST)
            return
        after = end + 4 + request.body_bytes
        if len(self._buffer) < after:
            return
        self._buffer = self._buffer[after:]
        self._answer(request)

    def _answer(self, request: Request) -> None:
        began = self._loop.time()
        answer = self._application.answer(request)
        delay = answer.delay_seconds + self._application.delay_seconds
        if delay:
            self._is_answering = True
            self._loop.call_later(delay, self._write, request, answer, began)
        else:
            self._write(request, answer, began)

    def _write(self, request: Request, answer: Answer, began: float) -> None:
        self._is_answering = False
        if self._transport.is_closing():
            return
        application = self._application
        keep = request.keeps_alive and not application.is_draining
        body = b"" if request.method == "HEAD" else answer.body.encode()
        own = (application.color, application.release, application.condition)
        head = head_of(answer, *own, keep=keep)
        self._transport.write(head + body)
        application.record(request, answer.status.value, self._loop.time() - began)
        if not keep:
            self._transport.close()
        elif self._buffer:
            self._take_request()

    def _refuse(self, status: HTTPStatus) -> None:
        refusal = Request("GET", "", "", keeps_alive=False, body_bytes=0)
        self._write(refusal, Answer(status, f"{status.phrase}\n"), self._loop.time())


def as_json(content: object) -> Answer:
    return Answer(HTTPStatus.OK, json.dumps(content) + "\n", "application/json")


@lru_cache(maxsize=256)
def read_head(head: bytes) -> Request:
    """The request that these bytes start; cached, because clients send the same head again.

    Raises:
        ValueError: The bytes are not a request that this server can read.
    """
    request_line, *lines = head.decode("latin-1").split("\r\n")
    method, target, version = request_line.split(" ")
    if version not in ("HTTP/1.0", "HTTP/1.1"):
        raise ValueError(version)
    fields = {}
    for line in lines:
        name, _, value = line.partition(":")
        fields[name.lower()] = value.strip().lower()
    if "transfer-encoding" in fields:
        raise ValueError(fields["transfer-encoding"])
    connection = fields.get("connection", "")
    body_bytes = int(fields.get("content-length", "0"))
    if not 0 <= body_bytes <= MAX_BODY_BYTES:
        raise ValueError(body_bytes)
    path, _, query = target.partition("?")
    return Request(
        method=method,
        path=path,
        query=query,
        keeps_alive=connection == "keep-alive" if version == "HTTP/1.0" else connection != "close",
        body_bytes=body_bytes,
    )


@lru_cache(maxsize=256)
def head_of(answer: Answer, color: str, release: str, condition: str, *, keep: bool) -> bytes:
    return (
        f"HTTP/1.1 {answer.status.value} {answer.status.phrase}\r\n"
        f"Content-Type: {answer.content_type}\r\n"
        f"Content-Length: {len(answer.body.encode())}\r\n"
        f"X-Bluegreen-Color: {color}\r\n"
        f"X-Bluegreen-Release: {release}\r\n"
        f"X-Bluegreen-Condition: {condition}\r\n"
        f"Connection: {'keep-alive' if keep else 'close'}\r\n\r\n"
    ).encode()


async def serve(application: Application, host: str, port: int, grace_seconds: float) -> int:
    """Serves until SIGTERM or SIGINT, then drains; returns the exit status."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        server = await loop.create_server(
            partial(Connection, application, loop), host, port, backlog=1024
        )
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        print(f"cannot listen on {host}:{port}: {reason}; nothing is served", file=sys.stderr)
        return 1
    print(f"{application.color} {application.release} serves on {host}:{port}", flush=True)
    await stop.wait()
    await drain(application, grace_seconds)
    server.close()
    for connection in tuple(application.connections):
        connection.abort()
    await server.wait_closed()
    return 0


async def drain(application: Application, grace_seconds: float) -> None:
    """Answers what is under way; returns without connections, or when the grace is over."""
    # The listener stays open: a health check must be able to read that this is no longer ready.
    application.is_draining = True
    for connection in tuple(application.connections):
        connection.drain()
    end = time.monotonic() + grace_seconds
    while application.connections and time.monotonic() < end:
        await asyncio.sleep(0.01)


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{message}; nothing is served\n")


def parse_arguments() -> argparse.Namespace:
    parser = Parser(description="A web application that says which color and release it is.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--mode", default=os.environ.get("APP_MODE", "normal"), help="|".join(Mode))
    parser.add_argument("--warm-up", type=float, default=0.0, help="seconds until it is ready")
    parser.add_argument("--grace", type=float, default=5.0, help="seconds for draining (default 5)")
    arguments = parser.parse_args()
    # Checked here and not by `choices`, which does not look at a default from the environment.
    if arguments.mode not in set(Mode):
        parser.error(f"mode {arguments.mode!r} is none of {', '.join(Mode)}")
    if not 0 <= arguments.port < 65536:  # noqa: PLR2004
        parser.error(f"port {arguments.port} is outside 0 to 65535")
    return arguments


def new_event_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        return asyncio.new_event_loop()
    return cast("asyncio.AbstractEventLoop", uvloop.new_event_loop())


def main() -> int:
    arguments = parse_arguments()
    application = Application(
        color=os.environ.get("BLUEGREEN_COLOR", "unknown"),
        release=os.environ.get("BLUEGREEN_RELEASE", "unknown"),
        mode=Mode(arguments.mode),
        warm_up_seconds=arguments.warm_up,
    )
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(serve(application, arguments.host, arguments.port, arguments.grace))


if __name__ == "__main__":
    sys.exit(main())
