"""moto's server in this process, on a port of loopback that it picks itself."""

from wsgiref.types import WSGIApplication

from moto.moto_server import threaded_moto_server
from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import make_server

__all__ = ["Server"]


class _Quiet(MotoRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Not a line for each request: `Cloud.calls` has them."""


class Server(threaded_moto_server.ThreadedMotoServer):
    """Serves an application that stands before moto's own."""

    def __init__(self, application: WSGIApplication) -> None:
        super().__init__(ip_address="127.0.0.1", port=0, verbose=False)
        self._application = application

    @property
    def endpoint(self) -> str:
        """Where it is, once it was started."""
        host, port = self.get_host_and_port()
        return f"http://{host}:{port}"

    def stop(self) -> None:
        """Ends it, and gives its port back."""
        super().stop()
        if self._server:
            self._server.server_close()

    def _server_entry(self) -> None:
        self._server = make_server(
            self._ip_address,
            self._port,
            self._application,
            threaded=True,
            request_handler=_Quiet,
        )
        self._server_ready_event.set()
        self._server.serve_forever(poll_interval=0.05)
