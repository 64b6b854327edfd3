"""Keeping the end of a long output, and quoting what others said, without the secrets in it."""

import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

__all__ = ["MASK", "Mask", "MaskedTail"]

MASK = b"***"


class Mask:
    """Takes secrets out of texts, also as JSON and addresses write them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        # By lines: programs print a key of several lines with margins of their own.
        lines = {line.strip() for secret in secrets for line in secret.splitlines()}
        forms = {form.encode() for line in lines for form in _forms(line)}
        # The longest first, or the rest of a secret that begins with another one would show.
        words = sorted(forms - {b""}, key=len, reverse=True)
        # Whatever the case: %2f is %2F, and \\u00e4 is \\u00E4.
        pattern = b"|".join(map(re.escape, words))
        self.pattern = re.compile(pattern, re.IGNORECASE) if words else None
        self.longest = len(words[0]) if words else 1
        """Bytes of the longest secret."""

    def text(self, text: str) -> str:
        """The text without secrets. Before anything is cut off it, or half of one may stay."""
        if self.pattern is None:
            return text
        return self.pattern.sub(MASK, text.encode(errors="replace")).decode(errors="replace")


def _forms(secret: str) -> Iterator[str]:
    # Twice: a server that tells what it was sent puts one JSON text into another.
    for ascii_only in (True, False):
        once = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        yield from (once, json.dumps(once, ensure_ascii=ascii_only)[1:-1])
    yield from (secret, quote(secret, safe=""), quote(secret), quote_plus(secret))


class MaskedTail:
    """The last bytes of a stream, every secret masked before anything is cut off."""

    def __init__(self, limit_bytes: int, secrets: Iterable[str]) -> None:
        self._mask = Mask(secrets)
        self._pattern = self._mask.pattern
        self._longest = self._mask.longest
        self._limit_bytes = limit_bytes
        self._unmasked = b""
        self._masked = b""

    def add(self, chunk: bytes) -> None:
        """Takes the next bytes of the stream."""
        self._unmasked += chunk
        # A secret may be half in this chunk and half in the next one.
        self._take(len(self._unmasked) - self._longest + 1)

    def text(self) -> str:
        """What was kept; no more bytes may come after this."""
        self._take(len(self._unmasked))
        return self._masked.decode(errors="replace")

    def mask(self, text: str) -> str:
        """Another text about the same program, masked the same way."""
        return self._mask.text(text)

    def _take(self, end: int) -> None:
        """Masks every secret that begins before `end`, and keeps what is certain by then."""
        done = 0
        parts = [self._masked]
        for match in self._pattern.finditer(self._unmasked) if self._pattern else ():
            if match.start() >= end:
                break
            parts += self._unmasked[done : match.start()], MASK
            done = match.end()
        certain = max(done, end)
        parts.append(self._unmasked[done:certain])
        self._masked = b"".join(parts)[-self._limit_bytes :]
        self._unmasked = self._unmasked[certain:]
