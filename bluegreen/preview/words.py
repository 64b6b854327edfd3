"""Which words of a preview may be shown: those that its allow-listed values contain.

A message of a hook may quote anything. What is shown of one is what this module knows in advance,
with nothing in the gaps but colors, numbers, and names and releases that were read elsewhere.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from bluegreen.colors import Color

__all__ = ["Vocabulary"]

_COLORS = "|".join(Color)
_FIXED = {
    "color": f"(?:{_COLORS})",
    "n": r"\d{1,6}",
    "hours": r"\d{1,6}(?:\.\d{1,2})?",
    "when": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d",
    "free": "(?P<free>.*)",
}
_NEVER = r"(?!)"
_GAP = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names and releases of one preview."""

    services: frozenset[str]
    releases: frozenset[str]
    gates: frozenset[str]

    @classmethod
    def of(
        cls, *, services: Iterable[str], releases: Iterable[str], gates: Iterable[str]
    ) -> "Vocabulary":
        """From what was read."""
        return cls(frozenset(services), frozenset(releases), frozenset(gates))

    def pattern(self, form: str) -> re.Pattern[str]:
        """Matches a text that has such a form.

        Args:
            form: Words, with gaps such as `{color}`, `{n}` (a number), `{release}`, `{running}` (a
                release, or why there is none), `{split}`, `{described}`, `{heard}` (the same, or
                what nobody can read) and `{free}` (anything).
        """
        return _pattern(form, self)

    def shown(self, form: str, text: str) -> str | None:
        """The text where it has that form, anything free in it left out; else None."""
        match = self.pattern(form).fullmatch(text)
        if match is None:
            return None
        if "free" not in match.re.groupindex:
            return text
        return f"{text[: match.start('free')]}…{text[match.end('free') :]}"


def _gaps(words: Vocabulary) -> dict[str, str]:
    """What may stand in each gap."""
    gate, release = _any_of(words.gates), _any_of(words.releases)
    running = f"(?:{release}|without members|of an unknown release)"
    share = rf"\d{{1,3}} % (?:{_COLORS}) {running}"
    described = f"(?:nothing|{share}(?:, {share})?)"
    return _FIXED | {
        "service": _any_of(words.services),
        "release": release,
        "gate": gate,
        "running": running,
        "split": rf"(?:100 % (?:{_COLORS})|\d{{1,2}} % blue, \d{{1,2}} % green)",
        "described": described,
        "heard": rf"(?:{described}|unreadable \(.*\))",
    }


@lru_cache(maxsize=2048)
def _pattern(form: str, vocabulary: Vocabulary) -> re.Pattern[str]:
    gaps = _gaps(vocabulary)
    # Every other part is the name of a gap.
    parts = enumerate(_GAP.split(form))
    text = "".join(gaps[part] if index % 2 else re.escape(part) for index, part in parts)
    return re.compile(text, re.DOTALL)


def _any_of(words: frozenset[str]) -> str:
    known = sorted((word for word in words if word), key=len, reverse=True)
    return f"(?:{'|'.join(map(re.escape, known))})" if known else _NEVER
