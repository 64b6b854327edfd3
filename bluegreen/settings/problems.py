"""What is wrong with a config in a person's words: one line per problem, with the command."""

import difflib
import json
import re
import shlex
import types
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bluegreen.settings.base import MisfitError

__all__ = ["problem_lines"]

_Place = tuple[int | str, ...]

_LONGEST_SHOWN = 80

_MAY_HOLD_SECRETS = frozenset({"env", "secrets", "secret_env", "headers", "json_body"})

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
"""Keys that `pulumi config --path` takes without quotes."""

_WANTED = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "finite_number": "a finite number",
    "float_parsing": "a number",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number",
    "int_type": "a whole number",
    "list_type": "a list",
    "model_type": "a mapping",
    "string_type": "text",
    "string_unicode": "text",
    "tuple_type": "a list",
}

_BROKEN_RULES = {
    "greater_than": "is not more than {gt:g}",
    "greater_than_equal": "is not at least {ge:g}",
    "less_than": "is not less than {lt:g}",
    "less_than_equal": "is not at most {le:g}",
    "string_pattern_mismatch": "does not match {pattern}",
    "string_too_long": "has more than {max_length} characters",
    "string_too_short": "has less than {min_length} characters",
}


@dataclass(frozen=True, slots=True)
class _Problem:
    """One wrong value; several complaints when it fits no branch of a union."""

    place: _Place
    annotation: object
    """What the value should be; None below an unknown key."""

    known_keys: tuple[str, ...]
    """The keys that may stand where an unknown one was found."""

    complaints: tuple[ErrorDetails, ...]

    is_secret: bool
    """Whether it stands below a key of the stack's config that has a secret in it."""

    @property
    def kind(self) -> str:
        return self.complaints[0]["type"]

    @property
    def value(self) -> Any:  # noqa: ANN401  # whatever somebody wrote
        return self.complaints[0]["input"]

    @property
    def is_about_the_key(self) -> bool:
        return self.complaints[0]["loc"][-1] == "[key]"

    @property
    def wanted(self) -> tuple[str, ...]:
        """The types that would do, in words; empty when the type is not the problem."""
        return tuple(
            _literals(details) or _WANTED.get(details["type"], "") for details in self.complaints
        )


def problem_lines(
    project: str,
    model: type[BaseModel],
    error: ValidationError,
    secret_keys: Collection[str] = (),
) -> list[str]:
    """Tells every problem by the key that was written, and the command that puts it right.

    Values below a key such as `env` or `secrets` are never shown, and neither are whole mappings
    and lists, nor texts below one of the `secret_keys`: which of them is the secret cannot be told.
    """
    return [
        f"{project}:{_path(problem.place)}: {_what(problem)}; nothing was changed; {_fix(problem)}"
        for problem in _problems(model, error, secret_keys)
    ]


def _problems(
    model: type[BaseModel], error: ValidationError, secret_keys: Collection[str]
) -> Iterator[_Problem]:
    found: dict[_Place, list[ErrorDetails]] = {}
    for details in error.errors():
        found.setdefault(_written_place(model, details), []).append(details)
    for place, complaints in found.items():
        # The other branches of a union: the one that got further knows better what is wrong.
        if any(len(other) > len(place) and other[: len(place)] == place for other in found):
            continue
        yield _Problem(
            place=place,
            annotation=_walk(model, place)[1],
            known_keys=_keys_of(_walk(model, place[:-1])[1]),
            complaints=tuple(complaints),
            is_secret=place[0] in secret_keys,
        )


def _written_place(model: type[BaseModel], details: ErrorDetails) -> _Place:
    """Where the value stands in what was written, without pydantic's names of union branches."""
    location = details["loc"]
    if details["type"] == "extra_forbidden":
        return (*_walk(model, location[:-1])[0], location[-1])
    return _walk(model, location)[0]


def _walk(model: type[BaseModel], location: Sequence[int | str]) -> tuple[_Place, object]:
    place: list[int | str] = []
    annotation: object = model
    for part in location:
        inner = _inside(annotation, part)
        if inner is not None:
            place.append(part)
            annotation = inner
    return tuple(place), annotation


def _inside(annotation: object, part: int | str) -> object | None:
    """What is wanted below a key; None where there is no such key."""
    for branch in _branches(annotation):
        origin = get_origin(branch)
        if isinstance(branch, type) and issubclass(branch, BaseModel):
            field = branch.model_fields.get(str(part))
            return field.annotation if field else None
        if origin is dict:
            inner: object = get_args(branch)[1]
            return inner
        if origin in (list, tuple) and isinstance(part, int):
            element: object = get_args(branch)[0]
            return element
    return None


def _branches(annotation: object) -> tuple[object, ...]:
    if get_origin(annotation) is Annotated:
        return _branches(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(inner for branch in get_args(annotation) for inner in _branches(branch))
    return (annotation,)


def _keys_of(annotation: object) -> tuple[str, ...]:
    for branch in _branches(annotation):
        if isinstance(branch, type) and issubclass(branch, BaseModel):
            return tuple(branch.model_fields)
    return ()


def _what(problem: _Problem) -> str:
    details = problem.complaints[0]
    if problem.kind == "missing":
        return "is missing"
    if problem.kind == "extra_forbidden":
        return f"is not a known key{_suggestion(problem)}"
    if problem.kind == "value_error":
        # What is wrong with a text may quote it.
        is_quoted = _is_hidden(problem) and isinstance(problem.value, str)
        return f"{_shown(problem)} does not fit" if is_quoted else str(details["ctx"]["error"])
    if all(problem.wanted):
        return f"{_shown(problem)} is not {' or '.join(problem.wanted)}{_lost_zero(problem)}"
    rule = _BROKEN_RULES.get(problem.kind)
    text = rule.format(**details["ctx"]) if rule else details["msg"]
    return f"{'the name ' if problem.is_about_the_key else ''}{_shown(problem)} {text}"


def _fix(problem: _Problem) -> str:
    place, remover = problem.place, f"`{_remover(problem.place)}`"
    if problem.kind == "extra_forbidden" or problem.is_about_the_key:
        return remover
    if problem.kind == "missing" and _is_mapping(problem.annotation):
        return _set_part(problem, _first_required_key(problem) or "KEY")
    if problem.kind == "value_error" and isinstance(
        misfit := problem.complaints[0]["ctx"]["error"], MisfitError
    ):
        return _fix_misfit(problem, misfit)
    if _is_mapping(problem.annotation):
        return f"{remover}, then set its parts with {_set_part(problem, 'KEY')}"
    if problem.wanted == ("a list",):
        return f"{remover}, then set its items with {_set_part(problem, 0)}"
    return f"`{_setter(place)} {_value_for(problem.annotation, _repeatable(problem))}`"


def _fix_misfit(problem: _Problem, misfit: MisfitError) -> str:
    place = (*problem.place, *misfit.place)
    if misfit.value is None:
        return f"`{_remover(place)}`"
    annotation = problem.annotation
    for part in misfit.place:
        annotation = _inside(annotation, part)
    value = _value_for(annotation, None) if misfit.value == "VALUE" else misfit.value
    return f"`{_setter(place)} {value}`"


def _set_part(problem: _Problem, key: int | str) -> str:
    return (
        f"`{_setter((*problem.place, key))} {_value_for(_inside(problem.annotation, key), None)}`"
    )


def _value_for(annotation: object, value: int | None) -> str:
    """What to type for a value; without the type, Pulumi stores `2` as a number."""
    if _is_text(annotation):
        return f"{'VALUE' if value is None else value} --type string"
    return "VALUE"


def _repeatable(problem: _Problem) -> int | None:
    """The value when it can be offered again as text.

    What YAML reads is not always what somebody wrote: 1.10 becomes 1.1, and `on` becomes true.
    """
    value = problem.value
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return value if is_whole and value >= 0 and not _is_hidden(problem) else None


def _setter(place: _Place) -> str:
    if len(place) == 1:
        return f"pulumi config set {place[0]}"
    return f"pulumi config set --path {shlex.quote(_path(place))}"


def _remover(place: _Place) -> str:
    return f"pulumi config rm --path {shlex.quote(_path(place))}"


def _path(place: _Place) -> str:
    """The place as `pulumi config --path` writes it."""
    text = ""
    for part in place:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f"[{json.dumps(part)}]"
    return text


def _shown(problem: _Problem) -> str:
    if _is_hidden(problem):
        return "the value (not shown)"
    value = problem.value
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str) and _is_mapping(problem.annotation) and not problem.is_about_the_key:
        return "text"
    text = json.dumps(value)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 3] + "..."


def _is_hidden(problem: _Problem) -> bool:
    """Those keys often carry passwords; a secret somewhere else is still a secret."""
    is_secret = problem.is_secret and (isinstance(problem.value, str) or len(problem.place) == 1)
    return is_secret or not _MAY_HOLD_SECRETS.isdisjoint(problem.place)


def _lost_zero(problem: _Problem) -> str:
    if problem.kind == "string_type" and isinstance(problem.value, float):
        return " (as a number, 1.10 is the same as 1.1)"
    return ""


def _literals(details: ErrorDetails) -> str:
    if details["type"] in ("enum", "literal_error"):
        return str(details["ctx"]["expected"]).replace("'", "")
    return ""


def _suggestion(problem: _Problem) -> str:
    known = problem.known_keys
    close = difflib.get_close_matches(str(problem.place[-1]), known, n=1)
    if close:
        return f", did you mean {close[0]}?"
    return f" (known: {', '.join(sorted(known))})"


def _is_mapping(annotation: object) -> bool:
    return bool(_keys_of(annotation)) or get_origin(annotation) is dict


def _is_text(annotation: object) -> bool:
    branches = _branches(annotation)
    return str in branches and not {int, float, bool} & set(branches)


def _first_required_key(problem: _Problem) -> str | None:
    for branch in _branches(problem.annotation):
        if isinstance(branch, type) and issubclass(branch, BaseModel):
            return next(
                (key for key, field in branch.model_fields.items() if field.is_required()), None
            )
    return None
