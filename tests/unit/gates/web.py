"""An HTTP server on loopback that behaves as badly as a test wants."""

import contextlib
import json
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator

Behaviour = Callable[["Visit"], None]


class Visit:
    """One connection whose request has been read."""

    def __init__(self, connection: socket.socket, head: str, number: int, closing: threading.Event):
        self.connection = connection
        self.head = head
        self.number = number
        self.closing = closing

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


class Web:
    """The server, its address and what it was asked."""

    def __init__(self, behave: Behaviour):
        self.heads: list[str] = []
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
                head = b""
                while b"\r\n\r\n" not in head:
                    chunk = self.request.recv(65536)
                    if not chunk:
                        return
                    head += chunk
                with lock:
                    web.heads.append(head.decode())
                    number = len(web.heads)
                behave(Visit(self.request, head.decode(), number, web.closing))

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
