"""What a plan changes, in the program's words."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.standins.kubernetes.property_values import UNKNOWN

__all__ = ["Difference", "differences", "is_within", "path_text"]

Path = tuple[str | int, ...]
PLAIN_KEY = re.compile(r"[A-Za-z_$][\w$]*")
NOTHING: tuple[Any, ...] = (None, "", [], {})


@dataclass(frozen=True)
class Difference:
    """One property that is not as it was."""

    path: Path
    op: str
    """`ADD`, `DELETE` or `UPDATE`."""

    @property
    def text(self) -> str:
        """The path as Pulumi writes it."""
        return path_text(self.path)

    @property
    def names(self) -> tuple[str, ...]:
        """The path without its numbers."""
        return tuple(part for part in self.path if isinstance(part, str))


def differences(old: Any, new: Any, written: Any, path: Path = ()) -> Iterator[Difference]:
    """Everything that makes `new` differ from `old`.

    What will be computed again, and the program (`written`) does not ask for, is no difference;
    nor is that between nothing and an empty text, list or object, or a zero nobody asks for.
    """
    if (_is_nothing(old) and _is_nothing(new)) or (written is None and _is_chosen(old, new)):
        return
    if old is None:
        yield Difference(path, "ADD")
    elif new is None:
        yield Difference(path, "DELETE")
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _of_mappings(old, new, written, path)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _of_lists(old, new, written, path)
    elif old != new:
        yield Difference(path, "UPDATE")


def _is_nothing(value: Any) -> bool:
    return any(value is each or (type(value) is type(each) and value == each) for each in NOTHING)


def _is_chosen(old: Any, new: Any) -> bool:
    """Whether the provider fills in something that says no more than was known."""
    return new is UNKNOWN or (old is None and new in (False, 0))


def _of_mappings(
    old: Mapping[str, Any], new: Mapping[str, Any], written: Any, path: Path
) -> Iterator[Difference]:
    said = written if isinstance(written, Mapping) else {}
    for key in sorted({*old, *new}):
        yield from differences(old.get(key), new.get(key), said.get(key), (*path, key))


def _of_lists(old: list[Any], new: list[Any], written: Any, path: Path) -> Iterator[Difference]:
    said = written if isinstance(written, list) else []
    for index in range(max(len(old), len(new))):
        before, after, asked = (_at(values, index) for values in (old, new, said))
        yield from differences(before, after, asked, (*path, index))


def _at(values: list[Any], index: int) -> Any:
    return values[index] if index < len(values) else None


def path_text(path: Path) -> str:
    """`defaultActions[0].forward`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif PLAIN_KEY.fullmatch(part):
            text += f".{part}" if text else part
        else:
            escaped = part.replace('"', '\\"')
            text += f'["{escaped}"]'
    return text


def is_within(path: str, ignored: str) -> bool:
    """Whether `path` is `ignored` or a part of it."""
    return path == ignored or path.startswith((f"{ignored}.", f"{ignored}["))
