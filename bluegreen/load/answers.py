"""Reads HTTP/1.1 answers from a connection: which color answered, and where the answer ends."""

from dataclasses import dataclass
from http import HTTPStatus

__all__ = ["Answer", "AnswerReader", "HeadParser", "MalformedAnswerError"]

# What a server sends before its headers end is bounded, so that a stream of anything ends.
_MAX_HEAD_BYTES = 65_536
_MAX_CHUNK_LINE_BYTES = 4_096
# Heads of one server repeat (up to `Date`, which changes every second).
_MAX_KNOWN_HEADS = 256

_UNTIL_CLOSE = -1
_CHUNKED = -2


class MalformedAnswerError(Exception):
    """The bytes of the server are not an HTTP/1.x answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of one answer, as far as the client needs it."""

    status: int
    color: str
    release: str
    keeps_alive: bool
    """False when the connection cannot be used again."""

    set_cookies: tuple[str, ...]
    """Values of the `Set-Cookie` headers, in order."""

    body_bytes: int
    """Length of the body; -1: up to the end of the connection, -2: chunked."""

    @property
    def is_interim(self) -> bool:
        """True for 100 Continue and the like, after which the real answer follows."""
        return self.status < HTTPStatus.OK and self.status != HTTPStatus.SWITCHING_PROTOCOLS


class HeadParser:
    """Parses answer heads; one object serves all connections of a load."""

    def __init__(self, color_header: str, release_header: str) -> None:
        self._color_header = color_header.lower()
        self._release_header = release_header.lower()
        self._known: dict[bytes, Answer] = {}

    def parse(self, head: bytes) -> Answer:
        """The answer that this head starts; `head` ends before the empty line."""
        answer = self._known.get(head)
        if answer is None:
            if len(self._known) >= _MAX_KNOWN_HEADS:
                self._known.clear()
            answer = self._known[head] = self._parse(head)
        return answer

    def _parse(self, head: bytes) -> Answer:
        status_line, *lines = head.decode("latin-1").split("\r\n")
        version, status = _parse_status_line(status_line)
        fields = _parse_fields(lines)
        tokens = _tokens(fields, "connection")
        body_bytes = _body_bytes(status, fields)
        persistent = "keep-alive" in tokens if version == "HTTP/1.0" else "close" not in tokens
        return Answer(
            status=status,
            color=fields.get(self._color_header, [""])[-1],
            release=fields.get(self._release_header, [""])[-1],
            keeps_alive=persistent
            and body_bytes != _UNTIL_CLOSE
            and status != HTTPStatus.SWITCHING_PROTOCOLS,
            set_cookies=tuple(fields.get("set-cookie", ())),
            body_bytes=body_bytes,
        )


class AnswerReader:
    """Tells from the bytes of one connection when an answer is complete; bodies are not kept."""

    def __init__(self, parser: HeadParser) -> None:
        self._parser = parser
        self._buffer = b""
        self._answer: Answer | None = None
        self._missing = 0
        self._chunks: _ChunkedBody | None = None

    @property
    def has_leftover(self) -> bool:
        """True when bytes came that belong to no answer: the connection is out of step."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> Answer | None:
        """The answer as soon as these bytes complete it; raises `MalformedAnswerError`."""
        self._buffer = self._buffer + data if self._buffer else data
        while self._answer is None:
            if not self._read_head():
                return None
        return self._read_body(self._answer)

    def end(self) -> Answer | None:
        """The answer if the end of the connection is also the end of its body."""
        answer = self._answer
        return answer if answer is not None and answer.body_bytes == _UNTIL_CLOSE else None

    def _read_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if max(end, len(self._buffer) if end < 0 else 0) > _MAX_HEAD_BYTES:
            msg = "the headers do not end"
            raise MalformedAnswerError(msg)
        if end < 0:
            return False
        answer = self._parser.parse(self._buffer[:end])
        self._buffer = self._buffer[end + 4 :]
        if not answer.is_interim:
            self._answer = answer
            self._missing = answer.body_bytes
            self._chunks = _ChunkedBody() if answer.body_bytes == _CHUNKED else None
        return True

    def _read_body(self, answer: Answer) -> Answer | None:
        if self._chunks is not None:
            rest = self._chunks.feed(self._buffer)
            self._buffer = rest or b""
            return None if rest is None else self._finish(answer)
        if answer.body_bytes == _UNTIL_CLOSE:
            self._buffer = b""
            return None
        taken = min(self._missing, len(self._buffer))
        self._missing -= taken
        self._buffer = self._buffer[taken:]
        return None if self._missing else self._finish(answer)

    def _finish(self, answer: Answer) -> Answer:
        self._answer = None
        self._chunks = None
        return answer


class _ChunkedBody:
    """Finds the end of a chunked body (RFC 9112, 7.1), trailers included."""

    def __init__(self) -> None:
        self._buffer = b""
        self._skip = 0
        self._in_trailers = False

    def feed(self, data: bytes) -> bytes | None:
        """What follows the body, None while the body goes on."""
        self._buffer += data
        while True:
            taken = min(self._skip, len(self._buffer))
            self._skip -= taken
            self._buffer = self._buffer[taken:]
            line = None if self._skip else self._take_line()
            if line is None:
                return None
            if self._in_trailers and not line:
                return self._buffer
            if not self._in_trailers:
                self._start_chunk(line)

    def _take_line(self) -> bytes | None:
        line, separator, rest = self._buffer.partition(b"\r\n")
        if len(line) > _MAX_CHUNK_LINE_BYTES:
            msg = "a chunk size or trailer does not end"
            raise MalformedAnswerError(msg)
        if not separator:
            return None
        self._buffer = rest
        return line

    def _start_chunk(self, line: bytes) -> None:
        digits = line.partition(b";")[0].strip()
        if not digits or digits.strip(b"0123456789abcdefABCDEF"):
            msg = f"chunk size {line[:40]!r}"
            raise MalformedAnswerError(msg)
        size = int(digits, 16)
        self._in_trailers = size == 0
        self._skip = size + 2 if size else 0


def _parse_status_line(line: str) -> tuple[str, int]:
    version, _, rest = line.partition(" ")
    code = rest[:3]
    if version not in ("HTTP/1.0", "HTTP/1.1") or not (code.isascii() and code.isdigit()):
        msg = f"status line {line[:40]!r}"
        raise MalformedAnswerError(msg)
    status = int(code)
    if status < HTTPStatus.CONTINUE:
        msg = f"status {status}"
        raise MalformedAnswerError(msg)
    return version, status


def _parse_fields(lines: list[str]) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for line in lines:
        name, separator, value = line.partition(":")
        if not separator or not name:
            msg = f"header line {line[:40]!r}"
            raise MalformedAnswerError(msg)
        fields.setdefault(name.lower(), []).append(value.strip())
    return fields


def _tokens(fields: dict[str, list[str]], name: str) -> set[str]:
    values = ",".join(fields.get(name, ()))
    return {token.strip().lower() for token in values.split(",")}


def _body_bytes(status: int, fields: dict[str, list[str]]) -> int:
    if status < HTTPStatus.OK or status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
        return 0
    if "transfer-encoding" in fields:
        return _CHUNKED if "chunked" in _tokens(fields, "transfer-encoding") else _UNTIL_CLOSE
    lengths = set(fields.get("content-length", ()))
    if not lengths:
        return _UNTIL_CLOSE
    length = lengths.pop()
    if lengths or not (length.isascii() and length.isdigit()):
        msg = f"content length {length[:40]!r}"
        raise MalformedAnswerError(msg)
    return int(length)
