"""A port on loopback in front of a Service whose address is known only once it exists.

Stands where a load balancer would: every connection is passed on as it is, to a new connection.
"""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

__all__ = ["front_door"]


@contextlib.contextmanager
def front_door(address: Callable[[], tuple[str, int] | None]) -> Iterator[int]:
    """The port, until the end; `address` is asked for every connection, None refuses it.

    Its threads are in the network namespace that the calling thread is in.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_accept, args=(server, address), daemon=True).start()
        yield server.getsockname()[1]
        # Else a thread that waits for the next connection keeps the port.
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)


def _accept(server: socket.socket, address: Callable[[], tuple[str, int] | None]) -> None:
    while True:
        try:
            client, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(client, address), daemon=True).start()


def _serve(client: socket.socket, address: Callable[[], tuple[str, int] | None]) -> None:
    with client, contextlib.suppress(OSError):
        found = address()
        if found is None:
            return
        with socket.create_connection(found, timeout=5) as behind:
            behind.settimeout(None)
            back = threading.Thread(target=_pass_on, args=(behind, client), daemon=True)
            back.start()
            _pass_on(client, behind)
            back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
