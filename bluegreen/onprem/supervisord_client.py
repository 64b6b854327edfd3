"""Talks to supervisord over its unix socket, and translates what goes wrong there."""

import xmlrpc.client
from enum import IntEnum
from http.client import HTTPException
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError

from bluegreen.errors import DataPlaneError

__all__ = ["Fault", "NobodyAnswersError", "SupervisordClient"]

_CALL_SECONDS = 10.0


class Fault(IntEnum):
    """What supervisord may refuse with; from `supervisor.xmlrpc.Faults`.

    Named again here, because that module loads supervisor's whole server: 20 ms of processor time
    at every start of a Pulumi program, which mostly asks nothing.
    """

    SHUTDOWN_STATE = 6
    SPAWN_ERROR = 50
    ALREADY_STARTED = 60
    NOT_RUNNING = 70
    STILL_RUNNING = 91


class NobodyAnswersError(DataPlaneError):
    """No supervisord answers, or only one that is on its way out."""


class SupervisordClient:
    """Calls the methods of supervisord's own XML-RPC interface, one connection each."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    def call(
        self, method: str, *arguments: object, about: str = "", unless: tuple[Fault, ...] = ()
    ) -> Any:  # noqa: ANN401 - as XML-RPC does
        """Calls one method of supervisord.

        Args:
            method: Its name without `supervisor.`.
            arguments: What it takes.
            about: The program it is about, for messages.
            unless: The faults that are fine; the answer is then None.

        Raises:
            NobodyAnswersError: Nobody was there to do it.
            DataPlaneError: supervisord refused.
        """
        subject = about or f"supervisord at {self._socket}"
        try:
            with xmlrpc.client.ServerProxy("http://127.0.0.1", self._transport()) as server:
                return getattr(server.supervisor, method)(*arguments)
        except xmlrpc.client.Fault as error:
            if error.faultCode in unless:
                return None
            msg = f"{subject}: supervisord refused {method}: {error.faultString}"
            is_ending = error.faultCode == Fault.SHUTDOWN_STATE
            raise (NobodyAnswersError if is_ending else DataPlaneError)(msg) from error
        except (OSError, HTTPException, xmlrpc.client.ProtocolError, ExpatError) as error:
            msg = f"{subject}: supervisord did not answer {method}: {error}"
            raise NobodyAnswersError(msg) from error

    def mood(self) -> int | None:
        """The state of supervisord itself: 1 runs, less is on its way out, None does not answer."""
        try:
            return int(self.call("getState")["statecode"])
        except NobodyAnswersError:
            return None

    def _transport(self) -> Any:  # noqa: ANN401 - supervisor has no types
        from supervisor.xmlrpc import SupervisorTransport  # noqa: PLC0415  # see `Fault`

        transport = SupervisorTransport(serverurl=f"unix://{self._socket}")
        transport._get_connection = self._connect
        return transport

    def _connect(self) -> Any:  # noqa: ANN401 - supervisor has no types
        from supervisor.xmlrpc import UnixStreamHTTPConnection  # noqa: PLC0415  # see `Fault`

        # supervisor's own has no time limit: a supervisord that hangs would hang the update, too.
        connection = UnixStreamHTTPConnection("localhost")
        connection.socketfile = str(self._socket)
        try:
            connection.connect()
            connection.sock.settimeout(_CALL_SECONDS)
        except OSError:
            connection.close()
            raise
        return connection
