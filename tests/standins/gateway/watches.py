"""Watches that go on for ever, and what they bring, in order."""

import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from tests.standins.gateway.api import ApiError, ApiServer
from tests.standins.gateway.objects import KINDS, Change, Kind, key_of

__all__ = ["Inbox", "watch_all"]

_AGAIN_SECONDS = 0.2
_GONE = 410


class Inbox:
    """Changes in the order in which they were seen; each can be taken when it is due."""

    def __init__(self, lag_seconds: float = 0.0) -> None:
        self._lag_seconds = lag_seconds
        self._changes: deque[tuple[float, Change]] = deque()
        self._condition = threading.Condition()

    def put(self, change: Change) -> None:
        """Adds what was seen now."""
        with self._condition:
            self._changes.append((time.monotonic() + self._lag_seconds, change))
            self._condition.notify()

    def take(self) -> list[Change]:
        """Waits for the first change that is due, and returns it with all others that are."""
        with self._condition:
            while not (found := self._due()):
                left = self._changes[0][0] - time.monotonic() if self._changes else None
                self._condition.wait(left)
            return found

    def _due(self) -> list[Change]:
        found = []
        while self._changes and self._changes[0][0] <= time.monotonic():
            found.append(self._changes.popleft()[1])
        return found


def watch_all(api: ApiServer, namespace: str | None, put: Callable[[Change], None]) -> None:
    """Starts a thread for every kind; they end with the process."""
    for kind in KINDS:
        arguments = (api, kind, namespace, put)
        threading.Thread(target=_watch, args=arguments, name=kind.plural, daemon=True).start()


def _watch(
    api: ApiServer, kind: Kind, namespace: str | None, put: Callable[[Change], None]
) -> None:
    path = kind.path(namespace)
    said = ""
    while True:
        try:
            listed = api.list(path)
            objects = {key_of(each): each for each in listed["items"]}
            put(Change(kind, objects, is_complete=True))
            _follow(api, kind, path, listed["metadata"]["resourceVersion"], put)
            said = ""
        except ApiError as error:
            # Also while the API server is away: the proxy goes on with what it was told last.
            if str(error) != said:
                said = str(error)
                sys.stderr.write(f"{said}\n")
            time.sleep(_AGAIN_SECONDS)


def _follow(
    api: ApiServer, kind: Kind, path: str, version: str, put: Callable[[Change], None]
) -> None:
    while True:
        for event in api.watch(path, version):
            found = event["object"]
            if event["type"] == "ERROR":
                # 410: the version is too old to begin at. Whatever it is, a new list helps.
                msg = f"watch of {path}: {found.get('message')}"
                raise ApiError(msg, found.get("code", _GONE))
            version = found["metadata"]["resourceVersion"]
            put(_change(kind, event["type"], found))


def _change(kind: Kind, what: str, found: Mapping[str, Any]) -> Change:
    if what == "DELETED":
        return Change(kind, {}, gone=key_of(found))
    return Change(kind, {key_of(found): found})
