"""The ways out that a refusal names, followed to the letter."""

import re
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from bluegreen.colors import Color

__all__ = ["Follower", "Way", "ways_out"]


class Follower(Protocol):
    """Who follows a way out."""

    def set_key(self, path: str, text: str) -> None:
        """`pulumi config set --path`."""

    def remove_key(self, key: str) -> None:
        """`pulumi config rm`."""

    def allow(self, variable: str, value: str) -> None:
        """Sets a variable for the next update."""

    def take_over_by_refresh(self) -> None:
        """`pulumi refresh`."""

    def deploy_something_sound(self, color: Color) -> None:
        """A release that starts and answers."""

    def put_back(self, color: Color) -> None:
        """The color as the last successful update had it."""

    def undo_all(self) -> None:
        """Everything that was written, as it is recorded."""

    def take_what_is_live(self) -> None:
        """active_color and canary as they are live."""


Way = Callable[[Follower], Any]

_WAYS: list[tuple[str, Callable[[re.Match[str]], Way]]] = [
    (
        r"`pulumi config set active_color (blue|green)`",
        lambda found: lambda who: who.set_key("active_color", found[1]),
    ),
    (
        r"`pulumi config set --path ([\w.]+) (\S+)(?: --type string)?`",
        lambda found: lambda who: who.set_key(found[1], found[2]),
    ),
    (r"`pulumi config rm (\w+)`", lambda found: lambda who: who.remove_key(found[1])),
    (r"`pulumi refresh`", lambda _: lambda who: who.take_over_by_refresh()),
    (
        r"(BLUEGREEN_\w+)='([^']+)'",
        lambda found: lambda who: who.allow(found[1], found[2]),
    ),
    # After something else was done, it is no way of its own.
    (r"(?<!then run )`pulumi up` (?:tries|asks)? ?again", lambda _: lambda _: None),
    (
        r"(?<!then )(?<!is, )run `pulumi up`( with nothing else changed)?",
        lambda found: lambda who: who.undo_all() if found[1] else None,
    ),
    (
        r"not (?:switching|rolling back) to (blue|green) ",
        lambda found: lambda who: who.deploy_something_sound(Color(found[1])),
    ),
    (
        r"(blue|green) member \d+ of \w+ did not become ready",
        lambda found: lambda who: who.deploy_something_sound(Color(found[1])),
    ),
    (
        r"leave (blue|green) as it is, run `pulumi up`",
        lambda found: lambda who: who.put_back(Color(found[1])),
    ),
    (
        r"switch first, with (blue|green) as it is",
        lambda found: lambda who: who.put_back(Color(found[1])),
    ),
    (
        r"set active_color and canary to what is live",
        lambda _: lambda who: who.take_what_is_live(),
    ),
]


def ways_out(text: str) -> Iterator[Way]:
    """Every way that a refusal names; those of warnings, which refuse nothing, are left out."""
    lines = [line for line in text.splitlines() if "warning:" not in line]
    for pattern, way in _WAYS:
        for found in re.finditer(pattern, "\n".join(lines)):
            yield way(found)
