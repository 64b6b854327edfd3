"""Where in a resource something is, from Terraform's words to Pulumi's."""

from collections.abc import Sequence

from tests.standins.aws.names import camel
from tests.standins.aws.shapes import Shape

__all__ = ["property_path"]

Path = tuple[str | int, ...]


def property_path(shape: Shape, path: Sequence[str | int]) -> Path:
    """`("forward", 0, "target_group")` -> `("forward", "targetGroups")`."""
    found: list[str | int] = []
    block: Shape | None = shape
    rest = list(path)
    while rest:
        name = rest.pop(0)
        argument = block.by_name.get(str(name)) if block is not None else None
        if argument is None:
            found.append(name if isinstance(name, int) or block is None else camel(name))
            continue
        found.append(argument.key)
        if argument.is_single and rest and isinstance(rest[0], int):
            rest.pop(0)
        elif argument.is_repeated and rest and isinstance(rest[0], int):
            found.append(rest.pop(0))
        block = argument.block
    return tuple(found)
