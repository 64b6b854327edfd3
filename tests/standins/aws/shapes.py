"""What a resource type, a function or the provider itself takes and gives, in both spellings."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tests.standins.aws.names import property_name

__all__ = ["Argument", "Shape", "shape_of"]

# Of `Schema.NestedBlock.NestingMode` in Terraform's plugin protocol.
LIST, SET = 2, 3
# What the name of each resource type starts with; a function is called what Pulumi calls it.
RESOURCE = "aws_"
# What Terraform calls how long an operation may take; Pulumi has an option of every resource.
TIMEOUTS = "timeouts"
# Of what Terraform would let a program say about a resource, what Pulumi does not.
RESULTS = {"id", "tags_all"}
# Strings there, numbers in Pulumi.
NUMERIC = {("aws_lb_target_group", "deregistration_delay")}
# Lists there of which there is never more than one element.
SINGLE = {("getLoadBalancer", "access_logs")}


@dataclass(frozen=True)
class Argument:
    """One argument or result."""

    name: str
    """Terraform's name."""

    key: str
    """Pulumi's."""

    type: Any = None
    """Terraform's type: `"string"`, `["set", "string"]`, …; None for a block."""

    block: "Shape | None" = None
    is_list: bool = False
    is_set: bool = False
    is_single: bool = False
    """A list in Terraform, one object in Pulumi."""

    is_input: bool = True
    is_computed: bool = False
    is_secret: bool = False
    is_number: bool = False
    """A string in Terraform, a number in Pulumi."""

    @property
    def is_repeated(self) -> bool:
        """Whether Terraform has a list or a set of blocks."""
        return self.block is not None and (self.is_list or self.is_set)


@dataclass(frozen=True)
class Shape:
    """All arguments of a block."""

    type: str
    """Terraform's name of the type; "" below its top level."""

    arguments: tuple[Argument, ...] = field(default=())

    @cached_property
    def by_key(self) -> dict[str, Argument]:
        """By Pulumi's name."""
        return {argument.key: argument for argument in self.arguments}

    @cached_property
    def by_name(self) -> dict[str, Argument]:
        """By Terraform's name."""
        return {argument.name: argument for argument in self.arguments}

    def nothing(self) -> dict[str, Any]:
        """The block with no argument given, as Terraform wants it."""
        return {each.name: [] if each.is_repeated else None for each in self.arguments}


def shape_of(kind: str, block: Any) -> Shape:
    """From the block of a schema in Terraform's plugin protocol."""
    return Shape(kind, (*_attributes(kind, block), *_blocks(kind, block)))


def _attributes(kind: str, block: Any) -> Iterator[Argument]:
    for attribute in block.attributes:
        of = json.loads(attribute.type)
        collection = of[0] if isinstance(of, list) else ""
        is_many = collection in ("list", "set")
        yield Argument(
            attribute.name,
            property_name(kind, attribute.name, is_many=is_many),
            type=of,
            is_list=collection == "list",
            is_set=collection == "set",
            is_single=is_many and (kind, attribute.name) in SINGLE,
            is_input=_is_input(kind, attribute),
            is_computed=attribute.computed,
            is_secret=attribute.sensitive,
            is_number=(kind, attribute.name) in NUMERIC,
        )


def _is_input(kind: str, attribute: Any) -> bool:
    if kind.startswith(RESOURCE) and attribute.name in RESULTS:
        return False
    return bool(attribute.optional or attribute.required)


def _blocks(kind: str, block: Any) -> Iterator[Argument]:
    for nested in block.block_types:
        is_many = nested.nesting in (LIST, SET)
        is_single = is_many and nested.max_items == 1
        yield Argument(
            nested.type_name,
            property_name(kind, nested.type_name, is_many=is_many and not is_single),
            block=shape_of("", nested.block),
            is_list=nested.nesting == LIST,
            is_set=nested.nesting == SET,
            is_single=is_single,
            is_input=nested.type_name != TIMEOUTS,
        )
