"""Writes docs/event.schema.json, the published schema of the audit trail's entries.

python tools/event_schema.py           write it
python tools/event_schema.py --check   fail when it is not what the code says
"""

import ast
import inspect
import json
import sys
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from bluegreen.events import VERSION, Event, RecordedVerdict

PAGE = Path(__file__).resolve().parents[1] / "docs" / "event.schema.json"


def main(arguments: list[str]) -> int:
    """Writes or checks the file; 1 when the check fails."""
    wanted = json.dumps(schema(), indent=2, sort_keys=True) + "\n"
    if "--check" not in arguments:
        PAGE.write_text(wanted, encoding="utf-8")
        return 0
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != wanted:
        print(f"{PAGE.name} is not what the code says; run: python {sys.argv[0]}")
        return 1
    return 0


def schema() -> dict[str, Any]:
    """The JSON schema of one entry, with the docstrings of its fields."""
    found = TypeAdapter(Event).json_schema(mode="serialization")
    found |= {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "bluegreen event",
        "description": "One entry of the audit trail. Leave keys alone that you do not know.",
        # Every entry that is written has every key.
        "required": sorted(found["properties"]),
    }
    found["properties"]["version"] = {"const": VERSION, "type": "integer"}
    found["properties"]["at"]["format"] = "date-time"
    verdict = found["$defs"]["RecordedVerdict"]
    verdict["required"] = sorted(verdict["properties"])
    for model, place in ((Event, found), (RecordedVerdict, verdict)):
        for name, text in _docstrings(model):
            place["properties"][name]["description"] = " ".join(text.split())
    for each in [found, *found["$defs"].values()]:
        _without_defaults(each)
    return found


def _without_defaults(model: dict[str, Any]) -> None:
    for field in model.get("properties", {}).values():
        field.pop("default", None)
        field.pop("title", None)


def _docstrings(model: type) -> Iterator[tuple[str, str]]:
    """The text below each field."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    for field, below in pairwise(ast.iter_child_nodes(definition)):
        match field, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                yield name, text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
