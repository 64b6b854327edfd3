"""What a change of the inputs changes in place, and what it replaces."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kinds import Kind
from kubernetes.utils.quantity import parse_quantity
from property_values import contains_unknown, is_unknown

__all__ = ["Difference", "differences", "is_within", "replacing_paths"]

# Below these keys, "500m" and "0.5" are the same.
QUANTITIES = {"limits", "requests", "hard", "averageValue"}

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Difference:
    """One property that is not as it was."""

    path: Path
    op: str
    """`ADD`, `DELETE` or `UPDATE`."""

    value: Any = None

    @property
    def text(self) -> str:
        """The path as Pulumi writes it."""
        text = ""
        for part in self.path:
            if isinstance(part, int):
                text += f"[{part}]"
            elif any(letter in part for letter in '."[]'):
                escaped = part.replace('"', '\\"')
                text += f'["{escaped}"]'
            else:
                text += f".{part}" if text else part
        return text

    def touches(self, dotted: str) -> bool:
        """Whether the property at `dotted` is part of what changes."""
        wanted = dotted.split(".")
        own = [part for part in self.path if isinstance(part, str)]
        if len(wanted) <= len(own):
            return own[: len(wanted)] == wanted
        value = self.value
        for part in wanted[len(own) :]:
            if not isinstance(value, Mapping) or part not in value:
                return False
            value = value[part]
        return wanted[: len(own)] == own


def differences(old: Any, new: Any, path: Path = ()) -> Iterator[Difference]:
    """Everything that makes `new` differ from `old`."""
    if is_unknown(new):
        yield Difference(path, "UPDATE", new)
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _of_mappings(old, new, path)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _of_lists(old, new, path)
    elif contains_unknown(new) or not _is_same(old, new, path):
        yield Difference(path, "UPDATE", new)


def _of_mappings(
    old: Mapping[str, Any], new: Mapping[str, Any], path: Path
) -> Iterator[Difference]:
    for key, value in new.items():
        if key not in old:
            yield Difference((*path, key), "ADD", value)
        else:
            yield from differences(old[key], value, (*path, key))
    for key in old:
        if key not in new:
            yield Difference((*path, key), "DELETE")


def _of_lists(old: list[Any], new: list[Any], path: Path) -> Iterator[Difference]:
    for index, (one, other) in enumerate(zip(old, new, strict=False)):
        yield from differences(one, other, (*path, index))
    for index in range(len(old), len(new)):
        yield Difference((*path, index), "ADD", new[index])
    for index in range(len(new), len(old)):
        yield Difference((*path, index), "DELETE")


def _is_same(old: Any, new: Any, path: Path) -> bool:
    if isinstance(old, bool) is not isinstance(new, bool):
        return False
    return bool(old == new) or (
        not QUANTITIES.isdisjoint(path) and _amount(old) == _amount(new) is not None
    )


def _amount(value: Any) -> Any:
    try:
        return parse_quantity(value)
    except (TypeError, ValueError):
        return None


def replacing_paths(
    kind: Kind, body: Mapping[str, Any], *, config_maps_change: bool, secrets_change: bool
) -> tuple[str, ...]:
    """What of an object cannot be changed in place."""
    always = ("metadata.name", "metadata.namespace", *kind.replaced_by)
    is_immutable = body.get("immutable") is True
    if kind.name == "ConfigMap" and (is_immutable or not config_maps_change):
        return (*always, "data", "binaryData")
    if kind.name == "Secret" and (is_immutable or not secrets_change):
        return (*always, "data", "stringData")
    return always


def is_within(path: str, ignored: str) -> bool:
    """Whether `path` is `ignored` or a part of it."""
    return path == ignored or path.startswith((f"{ignored}.", f"{ignored}["))
