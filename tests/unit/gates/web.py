"""An HTTP server on loopback that behaves as badly as a test wants."""

import contextlib
import json
import re
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator

Behaviour = Callable[["Visit"], None]


class Visit:
    """One connection whose request has been read."""

    def __init__(
        self,
        connection: socket.socket,
        head: str,
        body: bytes,
        number: int,
        closing: threading.Event,
    ):
        self.connection = connection
        self.head = head
        self.body = body
        self.method, self.path, _ = head.split("\r\n", maxsplit=1)[0].split(" ")
        self.number = number
        self.closing = closing

    def header(self, name: str) -> str | None:
        for line in self.head.split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return None

    def send(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self.connection.sendall(data)

    def reply(self, status: int = 200, body: object = b"", headers: str = "") -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = f"HTTP/1.1 {status} Said\r\ncontent-length: {len(raw)}\r\n{headers}\r\n"
        self.send(head.encode() + raw)

    def hang(self, seconds: float = 30) -> None:
        self.closing.wait(seconds)

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


def received(connection: socket.socket) -> tuple[str, bytes] | None:
    """Head and body of a request; None when its client has left."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        chunk = connection.recv(65536)
        if not chunk:
            return None
        raw += chunk
    end = raw.index(b"\r\n\r\n") + 4
    head, body = raw[:end].decode(), raw[end:]
    length = re.search(r"(?i)\r\ncontent-length: *(\d+)", head)
    while length and len(body) < int(length[1]):
        body += connection.recv(65536)
    return head, body


class Web:
    """The server, its address and what it was asked."""

    def __init__(self, behave: Behaviour):
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self.closing = threading.Event()
        lock = threading.Lock()
        web = self

        class Handler(socketserver.BaseRequestHandler):
            def setup(self) -> None:
                wrap = getattr(behave, "wrap", None)
                if wrap is not None:
                    self.request = wrap(self.request)

            def finish(self) -> None:
                self.request.close()

            def handle(self) -> None:
                request = received(self.request)
                if request is None:
                    return
                head, body = request
                with lock:
                    web.heads.append(head)
                    web.bodies.append(body)
                    number = len(web.heads)
                behave(Visit(self.request, head, body, number, web.closing))

        class Server(socketserver.ThreadingTCPServer):
            def handle_error(self, request, client_address) -> None:
                """Says nothing: a client that leaves early is what many tests are about."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextlib.contextmanager
def served(behave: Behaviour) -> Iterator[Web]:
    web = Web(behave)
    try:
        yield web
    finally:
        web.close()
