"""A few requests a second to an address of one's own in AWS, and who answered them.

Not `bluegreen.load`, which asks loopback only.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import httpx

__all__ = ["Answer", "Asking", "clients_of"]

RATE = 20.0
"""Requests a second, half of them on connections of their own."""

TIMEOUT_SECONDS = 10.0
LONGEST_SECONDS = 3600.0


@dataclass(frozen=True)
class Answer:
    """One request; times by `time.monotonic()`."""

    sent: float
    ended: float
    color: str
    """What the answer says; "" for one that failed."""


@dataclass
class Asking:
    """Asks as long as the `with` lasts."""

    url: str
    answers: list[Answer] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._end = threading.Event()
        self._threads = [
            threading.Thread(target=ask, daemon=True) for ask in (self._ask_kept, self._ask_fresh)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(TIMEOUT_SECONDS)

    @property
    def failed(self) -> int:
        """Requests without a complete answer 2xx."""
        return sum(not each.color for each in self.answers)

    def stale(self, old: str, returned: float) -> int:
        """Those sent after a command had returned, and answered by the old color."""
        return sum(each.color == old and each.sent > returned for each in self.answers)

    def mixed_seconds(self, old: str, new: str) -> float:
        """From the first answer of the new color to the last of the old: the nodes' difference."""
        first = min((each.ended for each in self.answers if each.color == new), default=0.0)
        last = max((each.ended for each in self.answers if each.color == old), default=0.0)
        return max(0.0, last - first)

    def _ask_kept(self) -> None:
        with httpx.Client(trust_env=False, timeout=TIMEOUT_SECONDS) as client:
            self._ask(client.get)

    def _ask_fresh(self) -> None:
        self._ask(lambda url: httpx.get(url, trust_env=False, timeout=TIMEOUT_SECONDS))

    def _ask(self, get: Callable[[str], httpx.Response]) -> None:
        end = time.monotonic() + LONGEST_SECONDS
        while not self._end.wait(2 / RATE) and time.monotonic() < end:
            sent = time.monotonic()
            try:
                answer = get(self.url)
                color = answer.headers.get("X-Bluegreen-Color", "") if answer.is_success else ""
            except httpx.HTTPError:
                color = ""
            self.answers.append(Answer(sent, time.monotonic(), color))


def clients_of(url: str, count: int, requests: int = 5) -> tuple[Counter[str], int]:
    """New clients that keep their cookies: the color of each one's first answer, and how many of
    them were answered by another color later."""
    first: Counter[str] = Counter()
    strayed = 0
    for _ in range(count):
        with httpx.Client(trust_env=False, timeout=TIMEOUT_SECONDS) as client:
            seen = [client.get(url).headers["X-Bluegreen-Color"] for _ in range(requests)]
        first[seen[0]] += 1
        strayed += len(set(seen)) > 1
    return first, strayed
