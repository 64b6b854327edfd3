"""What a person says about how one member is started."""

import json
import shlex
import string
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from bluegreen.settings.base import MisfitError

__all__ = [
    "OWN_VARIABLES",
    "PLACEHOLDERS",
    "MemberCommand",
    "MemberEnvironment",
    "filled_command",
]

PLACEHOLDERS = ("port", "color", "release", "index")
"""What `{…}` in a member's command may name."""

OWN_VARIABLES = ("BLUEGREEN_COLOR", "BLUEGREEN_RELEASE", "BLUEGREEN_SERVICE", "PORT")
"""Environment variables that every member is given."""


def filled_command(template: str, values: Mapping[str, str]) -> tuple[str, ...]:
    """The words of a command; a value never becomes more than the word it stands in.

    Raises:
        ValueError: The template has an unknown placeholder, or quotes or braces that do not match.
    """
    try:
        words = [(word, list(string.Formatter().parse(word))) for word in shlex.split(template)]
    except ValueError as error:
        msg = (
            f"command {json.dumps(template)} cannot be read: {str(error).lower()}; close every "
            "quote, and write {{ and }} for braces of its own"
        )
        raise ValueError(msg) from error
    filled = tuple(_fill(parts, values) for _, parts in words)
    if not filled or not filled[0]:
        msg = "the command names no program"
        raise ValueError(msg)
    return filled


_Part = tuple[str, str | None, str | None, str | None]


def _fill(parts: list[_Part], values: Mapping[str, str]) -> str:
    filled = ""
    for literal, name, details, conversion in parts:
        filled += literal
        if name is None:
            continue
        if name not in values or details or conversion:
            placeholder = "{" + name + (f"!{conversion}" if conversion else "")
            placeholder += (f":{details}" if details else "") + "}"
            known = ", ".join(f"{{{each}}}" for each in values)
            msg = (
                f"the command has the unknown placeholder {json.dumps(placeholder)[1:-1]}; known "
                f"are {known}; write {{{{ and }}}} for braces of its own"
            )
            raise ValueError(msg)
        filled += values[name]
    return filled


def _readable(template: str) -> str:
    filled_command(template, dict.fromkeys(PLACEHOLDERS, "1"))
    if "\0" in template:
        msg = "the command has a NUL character"
        raise ValueError(msg)
    return template


def _settable(environment: dict[str, str]) -> dict[str, str]:
    for name, value in environment.items():
        shown = json.dumps(name)
        if name in OWN_VARIABLES:
            msg = f"{name} is set by bluegreen for every member"
        elif not name or "=" in name:
            msg = f"{shown} is not a name of a variable: it is empty or has ="
        elif "\0" in name + value:
            msg = f"{shown} has a NUL character"
        else:
            continue
        raise MisfitError(msg, name, value=None)
    return environment


MemberCommand = Annotated[str, Field(min_length=1), AfterValidator(_readable)]
"""One line without a shell; the `PLACEHOLDERS` in braces are filled in."""

MemberEnvironment = Annotated[dict[str, str], AfterValidator(_settable)]
"""Environment variables beside `OWN_VARIABLES`."""
