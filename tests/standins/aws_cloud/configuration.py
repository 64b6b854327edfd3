"""HAProxy's configuration and its map, as text."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import jinja2

from tests.standins.aws_cloud.routing import (
    FixedResponse,
    Forward,
    Listener,
    Redirect,
    Routing,
)
from tests.standins.gateway.slots import Slot

__all__ = ["ALWAYS", "NOTHING", "Structure", "map_of", "render"]

ALWAYS = "always"
"""The frontend that every configuration has."""

NOTHING = "nothing"
"""The map's value for a group that nobody may stay with."""

_COOKIE = "AWSALBTG"
_MOST_SHARES = 5


@dataclass(frozen=True)
class Structure:
    """What only a reload can change: everything but weights and targets."""

    listeners: tuple[Listener, ...] = ()
    backends: tuple[tuple[str, int], ...] = ()
    """Names, and how many server slots each has."""

    @classmethod
    def of(cls, routing: Routing, slots: Mapping[str, Sequence[Slot]]) -> "Structure":
        """Reads the structure of a routing."""
        return cls(
            tuple(_without_shares(listener) for listener in routing.listeners),
            tuple(sorted((name, len(each)) for name, each in slots.items())),
        )


def map_of(routing: Routing) -> dict[str, str]:
    """The map: of each rule its shares, how long clients stay, and with which groups they may."""
    return {
        key: value
        for listener in routing.listeners
        for rule in listener.rules
        if isinstance(rule.action, Forward)
        for key, value in _entries(rule.key, rule.action)
    }


def render(
    structure: Structure,
    slots: Mapping[str, Sequence[Slot]],
    *,
    ports: Mapping[str, int],
    folder: Path,
    map_path: Path,
) -> str:
    """Returns the configuration, targets included; writes the bodies of fixed responses."""
    return _template().render(
        listeners=structure.listeners,
        most_shares=_MOST_SHARES,
        bodies=_bodies(structure, folder),
        backends=slots,
        ports=ports,
        folder=folder,
        map_path=map_path,
        always=ALWAYS,
        cookie=_COOKIE,
        nothing=NOTHING,
    )


def _entries(key: str, action: Forward) -> Iterator[tuple[str, str]]:
    words, total = [], 0
    for name, weight in action.shares:
        total += weight
        words += [name, str(total)] if weight else []
        yield f"{key}/{name}", name if action.sticky_seconds else NOTHING
    yield f"{key}/sticky", str(action.sticky_seconds)
    yield key, ",".join([str(total), *words])


def _without_shares(listener: Listener) -> Listener:
    rules = (
        replace(rule, action=Forward(())) if isinstance(rule.action, Forward) else rule
        for rule in listener.rules
    )
    return replace(listener, rules=tuple(rules))


def _bodies(structure: Structure, folder: Path) -> dict[str, Path]:
    found = {}
    for listener in structure.listeners:
        for rule in listener.rules:
            if isinstance(rule.action, FixedResponse):
                path = found[rule.key] = folder / f"{rule.key}.body"
                path.write_text(rule.action.body, encoding="utf-8")
    return found


def _location(action: Redirect, listener: Listener, *, with_query: bool) -> str:
    text = f"{action.protocol}://{action.host}:{action.port}{action.path}"
    text += f"?{action.query}" if with_query else ""
    own = {
        "protocol": listener.protocol.lower(),
        "host": "%[req.hdr(host),field(1,:)]",
        "port": str(listener.port),
        "path": "%[path,regsub(^/,)]",
        "query": "%[query]",
    }
    text = text.replace("%", "%%")
    for name, value in own.items():
        text = text.replace(f"#{{{name}}}", value)
    scheme, separator, rest = text.partition("://")
    return _quoted(scheme.lower() + separator + rest)


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        autoescape=False,
    )
    environment.filters["quoted"] = _quoted
    environment.filters["location"] = _location
    return environment.get_template("aws_cloud.cfg.j2")


def _quoted(text: str) -> str:
    # Within single quotes only they themselves mean something.
    return "'" + text.replace("'", "'\\''") + "'"
