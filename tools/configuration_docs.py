"""Writes the key reference of docs/configuration.md from the settings' own docstrings.

python tools/configuration_docs.py           write it
python tools/configuration_docs.py --check   fail when it is not what the settings say
"""

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterator
from enum import Enum
from itertools import pairwise
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from bluegreen.settings import ServiceConfig
from bluegreen.settings.base import SettingsModel

PAGE = Path(__file__).resolve().parents[1] / "docs" / "configuration.md"
START = "<!-- keys: written by tools/configuration_docs.py -->"
END = "<!-- end of keys -->"


def main(arguments: list[str]) -> int:
    """Writes or checks the page; 1 when the check fails."""
    text = PAGE.read_text(encoding="utf-8")
    head, rest = text.split(START)
    tail = rest.split(END)[1]
    rows = "\n".join(_rows(ServiceConfig, ""))
    wanted = f"{head}{START}\n| key | default | meaning |\n|---|---|---|\n{rows}\n{END}{tail}"
    if "--check" not in arguments:
        PAGE.write_text(wanted, encoding="utf-8")
        return 0
    if text != wanted:
        print(f"{PAGE.name} is not what the settings say; run: python {sys.argv[0]}")
        return 1
    return 0


def _rows(model: type[BaseModel], prefix: str) -> Iterator[str]:
    meanings = dict(_docstrings(model))
    for name, field in model.model_fields.items():
        key = f"{prefix}{name}"
        inner = _model_in(field.annotation)
        if inner is None or _is_repeated(key):
            yield _row(key, field, meanings.get(name, ""))
        elif _origin(field.annotation) is dict:
            yield from _rows(inner, f"{key}.NAME.")
        elif _origin(field.annotation) is tuple:
            yield from _rows(inner, f"{key}[].")
        else:
            yield from _rows(inner, f"{key}.")


def _is_repeated(key: str) -> bool:
    """Green has the keys of blue."""
    return key == "green"


def _docstrings(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """The text below each field, in the model and what it inherits from."""
    for each in reversed(model.__mro__):
        if not issubclass(each, SettingsModel):
            continue
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(each))).body
        for field, below in pairwise(ast.iter_child_nodes(definition)):
            match field, below:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ):
                    yield name, text


def _row(key: str, field: FieldInfo, docstring: str) -> str:
    meaning = " ".join(docstring.split()).replace("|", "\\|")
    return f"| `{key}` | {_default(field)} | {meaning} |"


def _default(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    if default is PydanticUndefined:
        return "required"
    if default is None or default in ({}, (), ""):
        return "none"
    if isinstance(default, tuple):
        return f"`{', '.join(map(str, default))}`"
    return f"`{default.value if isinstance(default, Enum) else default}`"


def _origin(annotation: object) -> object:
    return getattr(annotation, "__origin__", None)


def _model_in(annotation: object) -> type[BaseModel] | None:
    for candidate in (annotation, *getattr(annotation, "__args__", ())):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
