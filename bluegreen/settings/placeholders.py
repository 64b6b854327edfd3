"""Names in braces that stand for values which are only known later."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated

from pydantic import JsonValue, StringConstraints

__all__ = ["PlaceholderName", "filled", "filled_json", "names_in", "names_in_json"]

PlaceholderName = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]*$")]
"""Lower-case letters, digits and `_`."""

_BRACES = re.compile(r"\{(\{[a-z_][a-z0-9_]*\})\}|\{([a-z_][a-z0-9_]*)\}")
"""`{{name}}` is `{name}` itself; whatever else is in braces stays as it is."""


def names_in(text: str) -> Iterator[str]:
    """The names that a text wants to have filled in."""
    return (match[2] for match in _BRACES.finditer(text) if match[2])


def names_in_json(value: JsonValue) -> Iterator[str]:
    """The same for every text inside of a JSON value; keys stay as they are."""
    if isinstance(value, str):
        yield from names_in(value)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from names_in_json(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from names_in_json(inner)


def filled(text: str, values: Mapping[str, JsonValue], written: Callable[[str], str] = str) -> str:
    """The text with its values.

    Args:
        text: What a person wrote.
        values: By name; all that are in the text.
        written: How a value is written in such a text, for example quoted for an address.
    """

    def value_of(match: re.Match[str]) -> str:
        if match[2] is None:
            return match[1]
        value = values[match[2]]
        if isinstance(value, bool):
            return "true" if value else "false"
        return written(str(value))

    return _BRACES.sub(value_of, text)


def filled_json(value: JsonValue, values: Mapping[str, JsonValue]) -> JsonValue:
    """The same for a JSON value: a text that is one name alone becomes the value, number or not."""
    if isinstance(value, str):
        alone = _BRACES.fullmatch(value)
        return values[alone[2]] if alone and alone[2] else filled(value, values)
    if isinstance(value, dict):
        return {key: filled_json(inner, values) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled_json(inner, values) for inner in value]
    return value
