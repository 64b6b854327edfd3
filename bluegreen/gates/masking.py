"""Keeping the end of a long output, without the secrets in it."""

import re
from collections.abc import Iterable

__all__ = ["MASK", "MaskedTail"]

MASK = b"***"


class MaskedTail:
    """The last bytes of a stream, every secret masked before anything is cut off."""

    def __init__(self, limit_bytes: int, secrets: Iterable[str]) -> None:
        # By lines: programs print a key of several lines with margins of their own.
        lines = {line.strip().encode() for secret in secrets for line in secret.splitlines()}
        # The longest first, or the rest of a secret that begins with another one would show.
        words = sorted(lines - {b""}, key=len, reverse=True)
        self._pattern = re.compile(b"|".join(map(re.escape, words))) if words else None
        self._longest = len(words[0]) if words else 1
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
        return self._sub(text.encode()).decode(errors="replace")

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

    def _sub(self, text: bytes) -> bytes:
        return self._pattern.sub(MASK, text) if self._pattern else text
