"""Asking a code host's API, and asking again when it is busy."""

import time
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any

import httpx

from bluegreen.operations.outcome import RefusedError

__all__ = ["Api", "CannotPostError", "NoTokenError", "Posted", "find_comment", "status_of"]

_TRIES = 5
_LONGEST_WAIT_SECONDS = 60.0
_MOST_PAGES = 100
_TIMEOUT_SECONDS = 15.0
_SERVER_ERROR = 500
_TOO_MANY = 429
_FORBIDDEN = 403


class CannotPostError(RefusedError):
    """The comment was not written; the report is on stdout all the same."""


class NoTokenError(CannotPostError):
    """A request from a fork: its pipeline is given no right to write, on purpose."""


class Posted(StrEnum):
    """What happened to the comment."""

    CREATED = "created"
    EDITED = "edited"
    UNCHANGED = "unchanged"


class Api:
    """Requests to one code host. Texts of its answers are not repeated: they may quote a token."""

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Opens nothing yet.

        Args:
            url: Where the API begins.
            headers: Sent with each request, the token among them.
            sleep: Waits so many seconds.
            clock: Seconds since the epoch, by which limits are told.
        """
        self._client = httpx.Client(
            base_url=url.rstrip("/"), headers=dict(headers), timeout=_TIMEOUT_SECONDS
        )
        self._sleep = sleep
        self._clock = clock

    def pages(self, path: str, next_page: Callable[[httpx.Response], str | None]) -> Iterator[Any]:
        """The entries of every page of a list.

        Args:
            path: The first page.
            next_page: Tells the address of the page after an answer; None after the last one.
        """
        address: str | None = path
        for _ in range(_MOST_PAGES):
            if address is None:
                return
            if httpx.URL(address).host not in {"", self._client.base_url.host}:
                # The token is for nobody else.
                return
            answer = self.request("GET", address)
            found = answer.json()
            yield from found if isinstance(found, list) else ()
            address = next_page(answer)

    def request(
        self, method: str, path: str, body: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """One request, tried again while the host is busy; at most a minute between two tries.

        Raises:
            CannotPostError: The host does not answer, or says no.
        """
        problem = ""
        for number in range(_TRIES):
            try:
                answer = self._client.request(method, path, json=body)
            except httpx.TransportError as error:
                problem, wait = type(error).__name__, 2.0**number
            else:
                wait_or_none = self._wait(answer, number)
                if wait_or_none is None:
                    return self._checked(answer)
                problem, wait = f"status {answer.status_code}", wait_or_none
            if wait > _LONGEST_WAIT_SECONDS:
                break
            if number < _TRIES - 1:
                self._sleep(wait)
        msg = (
            f"{self._client.base_url.host} does not take the comment: {problem}; it was not posted"
        )
        raise CannotPostError(msg)

    def _wait(self, answer: httpx.Response, number: int) -> float | None:
        """How long until another try could help; None when it could not."""
        is_limit = answer.status_code == _TOO_MANY or (
            answer.status_code == _FORBIDDEN
            and (
                "retry-after" in answer.headers
                or answer.headers.get("x-ratelimit-remaining") == "0"
            )
        )
        if is_limit:
            return self._told_wait(answer.headers) or 2.0**number
        return 2.0**number if answer.status_code >= _SERVER_ERROR else None

    def _told_wait(self, headers: httpx.Headers) -> float | None:
        after, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
        if after.isdecimal():
            return float(after)
        return max(1.0, float(reset) - self._clock()) if reset.isdecimal() else None

    def _checked(self, answer: httpx.Response) -> httpx.Response:
        if answer.is_success:
            return answer
        raise _refusal(answer)


_WHY = {
    401: "the token is not valid",
    403: "the token may not write comments there",
    404: "there is no such request, or the token may not see it",
    422: "it did not accept the comment's text",
}


class _RefusedError(CannotPostError):
    status = 0


def _refusal(answer: httpx.Response) -> CannotPostError:
    why = _WHY.get(answer.status_code, "it said no")
    error = _RefusedError(
        f"{answer.request.url.host} says {answer.status_code}: {why}; the comment was not posted"
    )
    error.status = answer.status_code
    return error


def status_of(error: CannotPostError) -> int:
    """The status that the host refused with; 0 when it was no such refusal."""
    return error.status if isinstance(error, _RefusedError) else 0


def find_comment(comments: Iterator[Any], mark: str) -> Mapping[str, Any] | None:
    """The first comment that ends with the marker: who quotes one writes something after it."""
    return next(
        (
            each
            for each in comments
            if isinstance(each, dict) and str(each.get("body", "")).rstrip().endswith(mark)
        ),
        None,
    )
