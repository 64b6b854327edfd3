"""What Terraform's provider says, as a program sees it."""

from collections.abc import Mapping
from typing import Any

from tests.standins.aws.alignment import aligned
from tests.standins.aws.names import property_name
from tests.standins.aws.shapes import Argument, Shape
from tests.standins.kubernetes.property_values import UNKNOWN

__all__ = ["from_terraform"]


def from_terraform(
    shape: Shape,
    values: Mapping[str, Any],
    written: Any = None,
    *,
    inputs_only: bool = False,
    keeps_places: bool = False,
) -> dict[str, Any]:
    """The properties, sets in the order of `written`, which is what the program says.

    With `inputs_only` only what a program may say; for `keeps_places` see `aligned`.
    """
    written = written if isinstance(written, Mapping) else {}
    properties = {}
    for argument in shape.arguments:
        if argument.name == "timeouts" or (inputs_only and not argument.is_input):
            continue
        reader = _Reader(argument, inputs_only, keeps_places)
        value = reader.read(values.get(argument.name), written.get(argument.key))
        if value is not None:
            properties[argument.key] = value
    return properties


class _Reader:
    """Reads the value of one argument."""

    def __init__(self, argument: Argument, inputs_only: bool, keeps_places: bool) -> None:  # noqa: FBT001
        self._argument = argument
        self._inputs_only = inputs_only
        self._keeps_places = keeps_places

    def read(self, value: Any, written: Any) -> Any:
        argument = self._argument
        if value is None or value is UNKNOWN:
            return value
        if argument.block is None:
            return self._attribute(value, written)
        if not argument.is_repeated:
            return self._block(value, written)
        if argument.is_single:
            return self._block(value[0], written) if value else None
        return self._blocks(value, written) if value else None

    def _attribute(self, value: Any, written: Any) -> Any:
        argument = self._argument
        converted = _typed(argument.type, value)
        if argument.is_single:
            return converted[0] if converted else None
        if argument.is_set:
            return self._aligned(converted, written)
        return int(converted) if argument.is_number and converted else converted

    def _blocks(self, values: list[Any], written: Any) -> list[Any]:
        if self._argument.is_set:
            values = self._in_order(values, written)
        places = written if isinstance(written, list) else []
        return [
            None if value is None else self._block(value, _at(places, index))
            for index, value in enumerate(values)
        ]

    def _in_order(self, values: list[Any], written: Any) -> list[Any]:
        """The same elements; which is which shows only when they are spelled alike."""
        if any(value is UNKNOWN for value in values):
            return values
        spelled = [self._block(value, None) for value in values]
        order = self._aligned(spelled, written)
        numbers = {id(one): number for number, one in enumerate(spelled)}
        return [None if one is None else values[numbers[id(one)]] for one in order]

    def _block(self, value: Any, written: Any) -> Any:
        if value is UNKNOWN or self._argument.block is None:
            return value
        return from_terraform(
            self._argument.block,
            value,
            written,
            inputs_only=self._inputs_only,
            keeps_places=self._keeps_places,
        )

    def _aligned(self, elements: list[Any], written: Any) -> list[Any]:
        return aligned(elements, written, keeps_places=self._keeps_places)


def _at(places: list[Any], index: int) -> Any:
    return places[index] if index < len(places) else None


def _typed(kind: Any, value: Any) -> Any:
    if value is None or value is UNKNOWN or isinstance(kind, str):
        return value
    collection, of = kind
    if collection in ("list", "set"):
        return [_typed(of, each) for each in value]
    if collection == "map":
        return {key: _typed(of, each) for key, each in value.items()}
    if collection == "object":
        return {
            _member_name(name, inner): _typed(inner, value.get(name)) for name, inner in of.items()
        }
    return [_typed(inner, each) for inner, each in zip(of, value, strict=True)]


def _member_name(name: str, kind: Any) -> str:
    is_many = isinstance(kind, list) and kind[0] in ("list", "set")
    return property_name("", name, is_many=is_many)
