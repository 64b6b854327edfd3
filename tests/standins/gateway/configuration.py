"""HAProxy's configuration and its map of shares, as text."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

from tests.standins.gateway.routing import Backend, HeaderChanges, Match, Routing, Rule
from tests.standins.gateway.slots import Slot

__all__ = ["Structure", "render", "shares_of"]

_MISSING = "missing"
"""Stands in the map for a backend that is not there; real ones have underscores."""

_NO_MATCH = ()


@dataclass(frozen=True)
class Structure:
    """What only a reload can change: everything but shares and endpoints."""

    matches: tuple[tuple[Match, Rule], ...]
    backends: tuple[str, ...]
    most_shares: int
    slots: int
    """Server slots of each backend."""

    @classmethod
    def of(cls, routing: Routing, known: Sequence[str], slots: int) -> "Structure":
        """Reads the structure of a routing; backends that are known stay, they do no harm."""
        pairs = [(match, _without_shares(rule)) for rule in routing.rules for match in rule.matches]
        backends = {each.name for each in routing.endpoints} | set(known)
        return cls(
            tuple(sorted(pairs, key=lambda pair: pair[0].rank)),
            tuple(sorted(backends)),
            max((len(rule.shares) for rule in routing.rules), default=0),
            slots,
        )


def render(
    structure: Structure,
    slots: Mapping[str, Sequence[Slot]],
    *,
    port: int,
    socket_path: Path,
    map_path: Path,
) -> str:
    """Returns the configuration, endpoints included: a reload must not begin without them."""
    return _template().render(
        matches=structure.matches,
        most_shares=structure.most_shares,
        header_changes=list(_header_changes(structure)),
        backends=slots,
        missing=_MISSING,
        port=port,
        socket_path=socket_path,
        map_path=map_path,
    )


def shares_of(rule: Rule) -> str:
    """The map's value: all weights together, then each backend and the weights up to its own."""
    words, total = [], 0
    for backend, weight in rule.shares:
        total += weight
        words += [_name(backend), str(total)] if weight else []
    return ",".join([str(total), *words])


def _name(backend: Backend | None) -> str:
    return backend.name if backend else _MISSING


def _without_shares(rule: Rule) -> Rule:
    return Rule(rule.key, _NO_MATCH, (), rule.request, rule.response)


def _header_changes(structure: Structure) -> Iterator[tuple[str, Rule, HeaderChanges]]:
    for rule in dict.fromkeys(rule for _, rule in structure.matches):
        yield "request", rule, rule.request
        yield "response", rule, rule.response


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        autoescape=False,
    )
    environment.filters["quoted"] = _quoted
    environment.filters["formatted"] = lambda text: _quoted(text.replace("%", "%%"))
    return environment.get_template("gateway.cfg.j2")


def _quoted(text: str) -> str:
    # Within single quotes only they themselves mean something.
    return "'" + text.replace("'", "'\\''") + "'"
