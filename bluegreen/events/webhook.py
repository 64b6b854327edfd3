"""Events as requests to an address that somebody gave: a chat, a pipeline, a collector.

The address is a secret, since most of them have their token in it: no text that leaves this module
has any part of it, and no library that logs addresses is used.
"""

import http.client
import json
import ssl
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import NoReturn

from bluegreen.errors import DataPlaneError
from bluegreen.events.event import Event
from bluegreen.events.message import WebhookFormat, message

__all__ = ["Webhook"]

_TRIES = 3
_PAUSE_SECONDS = 0.3
"""Before the second try; twice as long before the third."""

_TOO_MANY = 429
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class _Problem:
    """Why one try failed."""

    text: str
    may_pass: bool = False
    """True when another try may end otherwise."""

    wait_seconds: float = 0.0
    """What the receiver asks to wait."""


class Webhook:
    """Posts each event; bounded in time and in tries."""

    def __init__(
        self,
        variable: str,
        address: str | None,
        *,
        body: WebhookFormat = WebhookFormat.JSON,
        timeout_seconds: float = 5,
    ) -> None:
        """Remembers where.

        Args:
            variable: The environment variable that the address comes from; what is said of it.
            address: Its value; None when it is not set.
            body: What is posted.
            timeout_seconds: Limit for all tries together.
        """
        self._variable = variable
        self._address = address
        self._format = body
        self._timeout_seconds = timeout_seconds

    def record(self, event: Event) -> None:
        """Posts the event, and returns when it was taken.

        Raises:
            DataPlaneError: It was not taken, or did not say so in time.
        """
        if (problem := self.problem) is not None:
            self._fail(problem)
        asked: list[_Problem | None] = []
        # A daemon: what hangs must not keep the update from ending.
        thread = threading.Thread(
            target=lambda: asked.append(self._try(event)), name="bluegreen-webhook", daemon=True
        )
        thread.start()
        thread.join(self._timeout_seconds)
        if not asked:
            self._fail(f"no answer within {self._timeout_seconds:g} seconds")
        if asked[0] is not None:
            self._fail(asked[0].text)

    @property
    def problem(self) -> str | None:
        """Why it cannot work at all; None when it may."""
        if not self._address:
            return f"the environment variable {self._variable} is not set"
        if not self._address.startswith(("https://", "http://")):
            return f"the value of {self._variable} is no address that begins with https://"
        return None

    def _fail(self, why: str) -> NoReturn:
        msg = f"the webhook of {self._variable} did not take the event: {why}"
        # Without a cause: that one could have the address in its text.
        raise DataPlaneError(msg) from None

    def _try(self, event: Event) -> _Problem | None:
        ends = time.monotonic() + self._timeout_seconds
        for number in range(1, _TRIES + 1):
            # Longer than there is time: who waits for this thread says the same in better words.
            problem = self._post(event, 1 + max(0, ends - time.monotonic()))
            pause = max(number * _PAUSE_SECONDS, problem.wait_seconds if problem else 0)
            is_last = number == _TRIES or time.monotonic() + pause >= ends
            if problem is None or not problem.may_pass or is_last:
                return problem
            time.sleep(pause)
        return None

    def _post(self, event: Event, timeout_seconds: float) -> _Problem | None:
        try:
            with _OPENER.open(self._request(event), timeout=timeout_seconds):
                return None
        except urllib.error.HTTPError as error:
            with error:
                return _answered(error)
        except (OSError, ValueError, http.client.HTTPException) as error:
            return _not_reached(error)

    def _request(self, event: Event) -> urllib.request.Request:
        body = event.to_json()
        if self._format is WebhookFormat.SLACK:
            body = json.dumps({"text": message(event)})
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "bluegreen",
            # A try whose answer was lost may have been taken.
            "Idempotency-Key": event.id,
        }
        return urllib.request.Request(  # noqa: S310  # its scheme was looked at
            self._address or "", data=body.encode(), headers=headers, method="POST"
        )


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirected POST would become a GET, and the event would be lost without a word."""

    def redirect_request(self, *_: object) -> None:
        """Follows nothing."""


_OPENER = urllib.request.build_opener(_NoRedirects)


def _answered(error: urllib.error.HTTPError) -> _Problem:
    may_pass = error.code == _TOO_MANY or error.code >= _SERVER_ERROR
    wait = error.headers.get("Retry-After", "")
    seconds = float(wait) if wait.isdigit() else 0.0
    return _Problem(f"it answers {error.code}", may_pass=may_pass, wait_seconds=seconds)


def _not_reached(error: Exception) -> _Problem:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    match reason:
        case ssl.SSLCertVerificationError():
            return _Problem("its certificate is not trusted")
        case http.client.InvalidURL() | ValueError():
            return _Problem(f"its address cannot be used ({type(reason).__name__})")
        case TimeoutError():
            return _Problem("no answer in time")
        case OSError(strerror=str(text)) if not isinstance(reason, ssl.SSLError):
            return _Problem(f"no connection: {text}", may_pass=True)
        case _:
            return _Problem(f"no answer ({type(reason).__name__})", may_pass=True)
