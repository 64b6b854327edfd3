"""The conditions of listener rules, as tests that HAProxy makes."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Condition", "conditions_of"]


@dataclass(frozen=True)
class Condition:
    """True if any of its tests is."""

    tests: tuple[tuple[str, str], ...]
    """What HAProxy fetches and how it compares, and the pattern."""


def conditions_of(conditions: Sequence[Mapping[str, Any]]) -> tuple[Condition, ...]:
    """Reads the conditions of a rule; all of them must be true."""
    return tuple(Condition(tuple(_tests(each))) for each in conditions)


def _tests(condition: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    field = condition["Field"]
    if field == "query-string":
        yield from _query_tests(condition["QueryStringConfig"]["Values"])
    elif field == "http-header":
        config = condition["HttpHeaderConfig"]
        fetch = f"req.fhdr({config['HttpHeaderName']}) -i -m reg"
        yield from ((fetch, _regex(value)) for value in config["Values"])
    elif field == "http-request-method":
        yield from (
            ("method -m str", each) for each in condition["HttpRequestMethodConfig"]["Values"]
        )
    elif field == "source-ip":
        yield from (("src", each) for each in condition["SourceIpConfig"]["Values"])
    elif field == "host-header":
        fetch = "hdr(host),field(1,:) -i -m reg"
        yield from ((fetch, _regex(value)) for value in _values(condition, "HostHeaderConfig"))
    else:
        yield from (
            ("path -m reg", _regex(value)) for value in _values(condition, "PathPatternConfig")
        )


def _query_tests(pairs: Sequence[Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    for pair in pairs:
        if key := pair.get("Key"):
            yield f"url_param({key}) -i -m reg", _regex(pair["Value"])
        else:
            inner = _regex(pair["Value"])[1:-1]
            yield "query -i -m reg", f"(^|&)([^=&]*=)?{inner}(&|$)"


def _values(condition: Mapping[str, Any], config: str) -> Sequence[str]:
    # Older rules have them beside the field.
    values: Sequence[str] = (condition.get(config) or condition)["Values"]
    return values


def _regex(pattern: str) -> str:
    """`*` stands for any characters, `?` for exactly one."""
    words = {"*": ".*", "?": "."}
    return "^" + "".join(words.get(each) or re.escape(each) for each in pattern) + "$"
