"""A color's own Service, reached from outside of the cluster through the API server's proxy.

The proxy picks a ready member by itself, so it shows what the members answer, and nothing of
kube-proxy or of a load balancer. It needs no address that is open to anybody: the permission is
`services/proxy`. Gates and smoke tests are given an address on 127.0.0.1 that passes on what has
the right token.
"""

import json
import secrets
import sys
import threading
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from bluegreen.errors import DataPlaneError
from bluegreen.gates.gate import Endpoint
from bluegreen.kubernetes.cluster import Cluster, ClusterAnswer

__all__ = ["TOKEN_HEADER", "ApiProxy"]

TOKEN_HEADER = "X-Bluegreen-Token"  # noqa: S105  # its name
_ANSWER_SECONDS = 60.0
_LARGEST_BODY = 10 * 1024 * 1024
_OWN_HEADERS = {"host", "connection", "authorization", "content-length", TOKEN_HEADER.lower()}
"""Not passed on: hop by hop, or they would be taken for the way into the API server."""

_OWN_ANSWER_HEADERS = {
    "connection",
    "transfer-encoding",
    "content-encoding",
    "content-length",
    "audit-id",
}


class ApiProxy:
    """Passes requests on to Services of one namespace, from 127.0.0.1, until the program ends."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._lock = threading.Lock()

    def endpoint(self, service_path: str) -> Endpoint:
        """The address of one Service.

        Args:
            service_path: Its path at the API server, up to `/proxy`.
        """
        with self._lock:
            server = self._server
            server.service_paths.add(service_path)
        address = f"http://127.0.0.1:{server.server_port}"
        return Endpoint(address + service_path, {TOKEN_HEADER: server.token})

    @cached_property
    def _server(self) -> "_Server":
        server = _Server(self._cluster)
        threading.Thread(target=server.serve_forever, name="api-proxy", daemon=True).start()
        return server


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.cluster = cluster
        self.token = secrets.token_urlsafe(24)
        """What a request has to say."""
        self.service_paths: set[str] = set()
        """The only paths that are passed on: a smoke test is not to read the cluster's Secrets."""

    def leads_to_a_service(self, path: str) -> bool:
        """Whether a request's path is below one of the paths that were asked for."""
        steps = unquote(path.partition("?")[0]).split("/")
        return not {".", ".."} & set(steps) and any(
            path == known or path.startswith((f"{known}/", f"{known}?"))
            for known in self.service_paths
        )

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Says nothing of clients that have left: a gate's time limit is no news."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def answer_any_method(self) -> None:
        """Answers one request of any method."""
        given = self.headers.get(TOKEN_HEADER, "")
        length = self.headers.get("content-length") or "0"
        if not secrets.compare_digest(given.encode(), self.server.token.encode()):
            self._refuse(403, "this address needs its token")
        elif not self.server.leads_to_a_service(self.path):
            self._refuse(403, "this address reaches the members of a color and nothing else")
        elif "transfer-encoding" in self.headers or not length.isdecimal():
            self._refuse(411, "the body has to come with its length")
        elif int(length) > _LARGEST_BODY:
            self._refuse(413, f"the body of {length} bytes is larger than {_LARGEST_BODY}")
        else:
            self._pass_on(int(length))

    def _pass_on(self, length: int) -> None:
        try:
            self._answer(_for_people(self._passed_on(length)))
        except DataPlaneError as error:
            self._refuse(502, str(error))

    def _refuse(self, status: int, text: str) -> None:
        self._answer(ClusterAnswer(status, f"{text}\n".encode(), {}))

    def _passed_on(self, length: int) -> ClusterAnswer:
        headers = {
            name: value for name, value in self.headers.items() if name.lower() not in _OWN_HEADERS
        }
        return self.server.cluster.send(
            self.command,
            self.path,
            content=self.rfile.read(length) if length else None,
            headers=headers,
            timeout_seconds=_ANSWER_SECONDS,
        )

    def _answer(self, answer: ClusterAnswer) -> None:
        self.close_connection = True
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in _OWN_ANSWER_HEADERS:
                self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        self.send_header("connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def log_message(self, *_: Any) -> None:  # noqa: ANN401
        """Says nothing: paths may hold what nobody should read in a pipeline's log."""


def _for_people(answer: ClusterAnswer) -> ClusterAnswer:
    """The answer; where the API server itself speaks, and no member, only what its `Status` says.

    A missing permission, or a Service without members: whoever reads it in a gate's verdict needs
    the message, and not its JSON.
    """
    try:
        content = json.loads(answer.body)
    except ValueError:
        return answer
    if not isinstance(content, dict) or content.get("kind") != "Status":
        return answer
    return ClusterAnswer(answer.status, f"{content.get('message')}\n".encode(), {})


# The names that http.server looks for.
for _method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
    setattr(_Handler, f"do_{_method}", _Handler.answer_any_method)
