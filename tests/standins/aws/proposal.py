"""What Terraform itself makes of a state and a configuration before it asks the provider."""

from collections.abc import Mapping
from typing import Any

from tests.standins.aws.shapes import Argument, Shape
from tests.standins.kubernetes.property_values import UNKNOWN

__all__ = ["proposed"]

Values = Mapping[str, Any]


def proposed(shape: Shape, prior: Values | None, wanted: Values) -> dict[str, Any]:
    """The wanted values, and where nothing is wanted what the provider had computed.

    Without this every plan would lose what AWS chose, and differ from the state.
    """
    return {
        each.name: _argument(each, (prior or {}).get(each.name), wanted.get(each.name))
        for each in shape.arguments
    }


def _argument(argument: Argument, prior: Any, wanted: Any) -> Any:
    block = argument.block
    if block is None:
        return prior if wanted is None and argument.is_computed else wanted
    if wanted is None or wanted is UNKNOWN:
        return wanted
    if not argument.is_repeated:
        return proposed(block, prior, wanted)
    return [
        each if each is UNKNOWN else proposed(block, _prior(argument, prior, index, each), each)
        for index, each in enumerate(wanted)
    ]


def _prior(argument: Argument, prior: Any, index: int, wanted: Values) -> Values | None:
    """The element that `wanted` was before, if it was."""
    if not prior or prior is UNKNOWN or argument.block is None:
        return None
    if argument.is_list:
        return prior[index] if index < len(prior) else None
    given = {
        each.name: wanted[each.name]
        for each in argument.block.arguments
        if each.block is None and wanted.get(each.name) is not None
    }
    return next((old for old in prior if given.items() <= dict(old).items()), None)
