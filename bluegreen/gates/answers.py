"""One request to a color's pinned address, and everything that can be wrong with its answer."""

import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bluegreen.gates.gate import Endpoint
from bluegreen.gates.wording import error_text, one_line, seconds

__all__ = ["BODY_LIMIT_BYTES", "Answer", "UnusableAnswerError", "ask"]

BODY_LIMIT_BYTES = 1024 * 1024


class UnusableAnswerError(Exception):
    """There is nothing to judge; the text says why. Gates turn it into a verdict."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one request gave."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    """By lower-case name."""

    @property
    def is_success(self) -> bool:
        """True for every 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004

    @property
    def location(self) -> str | None:
        """Where a redirect points to; None when this is none."""
        is_redirect = 300 <= self.status < 400  # noqa: PLR2004
        return self.headers.get("location") if is_redirect else None

    @property
    def excerpt(self) -> str:
        """The beginning of the body on one line; empty when there is none."""
        return one_line(self.body[:1000].decode(errors="replace"))

    def field(self, path: str) -> Any:  # noqa: ANN401
        """The value at a dotted path of the JSON body; raises `UnusableAnswerError`."""
        value = self._json()
        walked: list[str] = []
        for step in path.split("."):
            try:
                value = _member(value, step)
            except LookupError as error:
                where = ".".join(walked) or "the answer"
                msg = f"the answer has no field {path}: {where} is {_shape(value)}"
                raise UnusableAnswerError(msg) from error
            walked.append(step)
        return value

    def _json(self) -> Any:  # noqa: ANN401
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            msg = f"the answer is not JSON: {self.excerpt or 'it is empty'}"
            raise UnusableAnswerError(msg) from error


def _member(value: object, key: str) -> Any:  # noqa: ANN401
    if isinstance(value, list) and key.isdecimal():
        return value[int(key)]
    if isinstance(value, dict):
        return value[key]
    raise KeyError(key)


def _shape(value: object) -> str:
    if isinstance(value, dict):
        return one_line(f"an object with {', '.join(map(str, value)) or 'no fields'}")
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return one_line(json.dumps(value, ensure_ascii=False))


def ask(
    endpoint: Endpoint,
    method: str,
    path: str,
    timeout_seconds: float,
    *,
    body_limit_bytes: int = BODY_LIMIT_BYTES,
) -> Answer:
    """Sends one request over a connection of its own; follows no redirect, uses no proxy.

    Raises:
        UnusableAnswerError: No complete answer of at most that size came in time.
    """
    # Takes a tenth of a second, which a `pulumi up` that asks no gate need not wait for.
    import httpx  # noqa: PLC0415

    url = endpoint.url + path
    try:
        return _ask(endpoint, method, url, timeout_seconds, body_limit_bytes)
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        msg = f"cannot connect to {endpoint.url}: {error_text(error)}"
        raise UnusableAnswerError(msg) from error
    except httpx.TimeoutException as error:
        msg = f"no complete answer to {method} {path} within {seconds(timeout_seconds)}"
        raise UnusableAnswerError(msg) from error
    except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
        msg = f"the answer to {method} {path} broke off: {error_text(error)}"
        raise UnusableAnswerError(msg) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        msg = f"cannot ask {url}: {error_text(error)}"
        raise UnusableAnswerError(msg) from error


def _ask(
    endpoint: Endpoint, method: str, url: str, timeout_seconds: float, body_limit_bytes: int
) -> Answer:
    import httpx  # noqa: PLC0415  # see `ask`

    ends = time.monotonic() + timeout_seconds
    # A kept connection would ask the same member again and again, a proxy might answer from its
    # cache; the system's certificates, because a company's own authority is there, not in certifi.
    verify = ssl.create_default_context() if url.startswith("https:") else False
    headers = {"accept-encoding": "identity", "user-agent": "bluegreen", **endpoint.headers}
    with (
        httpx.Client(verify=verify, trust_env=False, timeout=timeout_seconds) as client,
        client.stream(method, url, headers=headers, extensions=_server_name(endpoint)) as response,
    ):
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > body_limit_bytes:
                limit = body_limit_bytes // 1024 // 1024
                what = f"the answer to {method} {url}"
                msg = f"{what} is larger than {limit} MiB; ask for a smaller one"
                raise UnusableAnswerError(msg)
            if time.monotonic() > ends:
                # The client's own limit counts from the last byte; drops could go on for ever.
                msg = "the body took too long"
                raise httpx.ReadTimeout(msg, request=response.request)
        return Answer(response.status_code, bytes(body), dict(response.headers))


def _server_name(endpoint: Endpoint) -> dict[str, str]:
    """The certificate has to fit the host that is asked for, not the address it is asked at."""
    names = [value for header, value in endpoint.headers.items() if header.lower() == "host"]
    return {"sni_hostname": names[0].partition(":")[0]} if names else {}
