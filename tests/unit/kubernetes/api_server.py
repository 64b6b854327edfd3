"""A small API server on loopback: real HTTP, and what is in it is what a test puts there."""

import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request that came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    """By lower-case name."""

    body: bytes

    @property
    def content(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Said:
    """An answer that is not simply an object."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def refusal(cls, status: int, message: str) -> "Said":
        """As the real one refuses."""
        content = {"kind": "Status", "status": "Failure", "message": message, "code": status}
        return cls(status, json.dumps(content).encode(), {"content-type": "application/json"})


Answer = dict[str, Any] | list[Any] | Said | Callable[[Asked], Any]
"""An object, a list's items, or what says one of them."""


class ApiServer:
    """Answers `GET` with what is in `objects`, and all else with what is in `answers`."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.objects: dict[str, Answer] = {}
        """By path. A list has the path of its kind."""

        self.answers: dict[tuple[str, str], Answer] = {}
        """By method and path; goes before `objects`."""

        self.asked: list[Asked] = []
        self.closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.api = self
        scheme = "http"
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
            scheme = "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def kubeconfig(self, *, user: dict[str, Any] | None = None, **cluster: Any) -> dict[str, Any]:
        """The way to this server; its context has a namespace."""
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "here",
            "contexts": [
                {
                    "name": "here",
                    "context": {"cluster": "it", "user": "me", "namespace": "shops"},
                },
                {"name": "bare", "context": {"cluster": "it", "user": "me"}},
            ],
            "clusters": [{"name": "it", "cluster": {"server": self.url, **cluster}}],
            "users": [{"name": "me", "user": user or {}}],
        }

    def paths(self, method: str = "GET") -> list[str]:
        return [each.path for each in self.asked if each.method == method]

    def answer_to(self, asked: Asked) -> Said:
        found = self.answers.get((asked.method, asked.path))
        if found is None and asked.method == "GET":
            found = self.objects.get(asked.path)
        while callable(found):
            found = found(asked)
        if found is None:
            return Said.refusal(404, f"{asked.path} not found")
        if isinstance(found, Said):
            return found
        content = {"kind": "List", "items": found} if isinstance(found, list) else found
        return Said(200, json.dumps(content).encode(), {"content-type": "application/json"})

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    api: ApiServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing: clients that leave early, or trust nobody, are what tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def answer(self) -> None:
        api = self.server.api
        place = urlsplit(self.path)
        asked = Asked(
            method=self.command,
            path=place.path,
            query={key: values[-1] for key, values in parse_qs(place.query).items()},
            headers={key.lower(): value for key, value in self.headers.items()},
            body=self.rfile.read(int(self.headers.get("content-length") or 0)),
        )
        api.asked.append(asked)
        said = api.answer_to(asked)
        self.send_response_only(said.status)
        for name, value in said.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(said.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(said.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@contextlib.contextmanager
def an_api_server(tls: ssl.SSLContext | None = None) -> Iterator[ApiServer]:
    api = ApiServer(tls)
    try:
        yield api
    finally:
        api.close()
