"""One request to a color's pinned address, and everything that can be wrong with its answer."""

import json
import ssl
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bluegreen.gates.gate import Endpoint
from bluegreen.gates.wording import error_text, one_line, seconds

__all__ = ["BODY_LIMIT_BYTES", "Answer", "UnusableAnswerError", "ask"]

BODY_LIMIT_BYTES = 1024 * 1024

_HEADERS = {"accept-encoding": "identity", "user-agent": "bluegreen"}
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


class UnusableAnswerError(Exception):
    """There is nothing to judge; the text says why. Gates turn it into a verdict."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one request gave."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    """By lower-case name."""

    mask: Callable[[str], str] = str
    """Takes what must not be shown out of what is quoted from it."""

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
        return one_line(self.mask(self.body.decode(errors="replace")))

    def quoted(self, value: object) -> str:
        """A value of the JSON body, for people."""
        return one_line(self.mask(json.dumps(value, ensure_ascii=False)))

    def field(self, path: str) -> Any:  # noqa: ANN401
        """The value at a dotted path of the JSON body; raises `UnusableAnswerError`."""
        value = self.json()
        walked: list[str] = []
        for step in path.split("."):
            try:
                value = _member(value, step)
            except LookupError as error:
                where = ".".join(walked) or "the answer"
                msg = f"the answer has no field {path}: {where} is {self._shape(value)}"
                raise UnusableAnswerError(msg) from error
            walked.append(step)
        return value

    def json(self) -> Any:  # noqa: ANN401
        """The body; raises `UnusableAnswerError` when it is no JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            msg = f"the answer is not JSON: {self.excerpt or 'it is empty'}"
            raise UnusableAnswerError(msg) from error

    def _shape(self, value: object) -> str:
        if isinstance(value, dict):
            fields = self.mask(", ".join(map(str, value))) or "no fields"
            return one_line(f"an object with {fields}")
        return f"a list of {len(value)}" if isinstance(value, list) else self.quoted(value)


def _member(value: object, key: str) -> Any:  # noqa: ANN401
    if isinstance(value, list) and key.isdecimal():
        return value[int(key)]
    if isinstance(value, dict):
        return value[key]
    raise KeyError(key)


def ask(
    endpoint: Endpoint,
    method: str,
    path: str,
    timeout_seconds: float,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    body_limit_bytes: int = BODY_LIMIT_BYTES,
) -> Answer:
    """Sends one request over a connection of its own; follows no redirect, uses no proxy.

    Args:
        endpoint: Where.
        method: Of HTTP, for example `GET`.
        path: Path and query, as they are sent.
        timeout_seconds: How long it may take, answer included.
        headers: On top of those of the endpoint, which win: they pin the color.
        body: What is sent; None for nothing.
        body_limit_bytes: The most that the answer may have, unpacked; default 1 MiB.

    Raises:
        UnusableAnswerError: No complete answer of at most that size came in time.
    """
    # Takes a tenth of a second, which a `pulumi up` that asks no gate need not wait for.
    import httpx  # noqa: PLC0415

    url = endpoint.url + path
    request = _Request(method, url, {**(headers or {}), **endpoint.headers}, body)
    try:
        return _ask(endpoint, request, timeout_seconds, body_limit_bytes)
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


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)


def _ask(endpoint: Endpoint, request: _Request, timeout_seconds: float, limit_bytes: int) -> Answer:
    import httpx  # noqa: PLC0415  # see `ask`

    ends = time.monotonic() + timeout_seconds
    # A kept connection would ask the same member again and again, a proxy might answer from its
    # cache; the system's certificates, because a company's own authority is there, not in certifi.
    verify = ssl.create_default_context() if request.url.startswith("https:") else False
    with (
        httpx.Client(verify=verify, trust_env=False, timeout=timeout_seconds) as client,
        client.stream(
            request.method,
            request.url,
            headers={**_HEADERS, **request.headers},
            content=request.body,
            extensions=_server_name(endpoint),
        ) as response,
    ):
        packed = bytearray()
        # Packed: what the client unpacks may be a thousand times as large before it can be counted.
        for chunk in response.iter_raw():
            packed += chunk
            if len(packed) > limit_bytes:
                raise _too_large(request, limit_bytes)
            if time.monotonic() > ends:
                # The client's own limit counts from the last byte; drops could go on for ever.
                msg = "the body took too long"
                raise httpx.ReadTimeout(msg, request=response.request)
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        body = _unpacked(bytes(packed), encoding, limit_bytes)
        if len(body) > limit_bytes:
            raise _too_large(request, limit_bytes)
        return Answer(response.status_code, body, dict(response.headers))


def _too_large(request: _Request, limit_bytes: int) -> UnusableAnswerError:
    return UnusableAnswerError(
        f"the answer to {request.method} {request.url} is larger than"
        f" {limit_bytes / BODY_LIMIT_BYTES:g} MiB; ask for a smaller one"
    )


def _unpacked(packed: bytes, encoding: str, limit_bytes: int) -> bytes:
    """The body, at most one byte more than it may have: some servers pack it unasked."""
    if encoding in ("", "identity") or not packed:
        return packed
    if encoding not in ("gzip", "x-gzip", "deflate"):
        msg = f"the answer is encoded as {one_line(encoding)}, although it was asked for plain"
        raise UnusableAnswerError(msg)
    try:
        return zlib.decompressobj(_GZIP_OR_ZLIB).decompress(packed, limit_bytes + 1)
    except zlib.error as error:
        msg = f"the answer cannot be unpacked as {encoding}: {error_text(error)}"
        raise UnusableAnswerError(msg) from error


def _server_name(endpoint: Endpoint) -> dict[str, str]:
    """The certificate has to fit the host that is asked for, not the address it is asked at."""
    names = [value for header, value in endpoint.headers.items() if header.lower() == "host"]
    return {"sni_hostname": names[0].partition(":")[0]} if names else {}
