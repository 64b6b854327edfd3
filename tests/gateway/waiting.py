"""Waiting for what a cluster or a gateway does in its own time."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

LIMIT_SECONDS = 60.0


def eventually(look: Callable[[], Found], is_it: Callable[[Found], bool]) -> Found:
    """Returns what `look` finds as soon as it is what is waited for."""
    end = time.monotonic() + LIMIT_SECONDS
    while not is_it(found := look()):
        assert time.monotonic() < end, f"still this after {LIMIT_SECONDS:g} s: {found}"
        time.sleep(0.01)
    return found
