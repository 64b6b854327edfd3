"""Short hashes of content, for names and tags."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

__all__ = ["content_hash", "slow_hash"]

_LENGTH = 10
_SCRYPT = {"n": 2**14, "r": 8, "p": 1}
"""Some 50 ms: a short password cannot be guessed from the hash at speed."""


def content_hash(content: Mapping[str, Any]) -> str:
    """Changes with anything in `content`."""
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]


def slow_hash(content: Mapping[str, str], *, salt: str) -> str:
    """The same for what may be a secret; empty for nothing."""
    if not content:
        return ""
    text = json.dumps(content, sort_keys=True).encode()
    return hashlib.scrypt(text, salt=salt.encode(), **_SCRYPT).hex()[:_LENGTH]
