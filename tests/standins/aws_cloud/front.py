"""Stands before moto: records what is asked, makes calls fail or lag, and lets traffic follow."""

import io
import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from tests.standins.aws_cloud.calls import Asked, Call, asked_in, error_code
from tests.standins.aws_cloud.faults import Answer, Faults
from tests.standins.aws_cloud.staleness import Staleness

__all__ = ["Front"]


class Front:
    """The WSGI application of the cloud. One call at a time, as if each were a transaction."""

    def __init__(
        self,
        inner: WSGIApplication,
        lock: threading.RLock,
        account: str,
        has_changed: Callable[[str], None],
    ) -> None:
        """Takes who answers, the lock of the cloud, and whom to tell which service has changed."""
        self._inner, self._lock, self._account = inner, lock, account
        self._has_changed = has_changed
        self.faults, self.staleness = Faults(), Staleness()
        self.calls: list[Call] = []

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request."""
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        asked = asked_in(environ, body)
        answer = self._answer(environ, asked) if asked else _ask(self._inner, environ)
        phrase = HTTPStatus(answer.status).phrase
        start_response(f"{answer.status} {phrase}", list(answer.headers.items()))
        return [answer.body]

    def _answer(self, environ: WSGIEnvironment, asked: Asked) -> Answer:
        with self._lock:
            fault = self.faults.take(asked.action)
        if fault and not fault.is_done_first:
            answer = fault.answer(asked)
        else:
            with self._lock:
                answer = self._do(environ, asked)
            if not asked.is_read:
                self._has_changed(asked.service)
            answer = fault.answer(asked) if fault else answer
        names = {name.lower(): value for name, value in answer.headers.items()}
        error = error_code(answer.status, names, answer.body)
        agent = environ.get("HTTP_USER_AGENT", "")
        self.calls.append(Call(asked.service, asked.action, error, user_agent=agent))
        return answer

    def _do(self, environ: WSGIEnvironment, asked: Asked) -> Answer:
        if asked.is_read:
            with self.staleness.during_read(asked, self._account):
                return _ask(self._inner, environ)
        self.staleness.before_write(asked, self._account)
        return _ask(self._inner, environ)


def _ask(inner: WSGIApplication, environ: WSGIEnvironment) -> Answer:
    said: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> Any:
        said[:] = [int(status.split(" ", maxsplit=1)[0]), dict(headers)]
        return lambda _: None

    parts = inner(environ, start_response)
    try:
        body = b"".join(parts)
    finally:
        close = getattr(parts, "close", None)
        if close:
            close()
    return Answer(said[0], said[1], body)
