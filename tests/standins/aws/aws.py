"""A configured provider: one region, one account, and what can be had there."""

from functools import cache
from typing import Any

from tests.standins.aws.names import terraform_type
from tests.standins.aws.shapes import Shape, shape_of
from tests.standins.aws.terraform import Terraform

__all__ = ["Aws", "Schema", "UnknownTypeError"]


class UnknownTypeError(ValueError):
    """The provider has no such resource or function."""


class Schema:
    """What the provider can do, the same whatever it is configured for."""

    def __init__(self, described: Any) -> None:
        self._described = described
        self.provider = shape_of("", described.provider.block)
        self.resource = cache(self._resource)
        self.function = cache(self._function)

    def _resource(self, token: str) -> Shape:
        return self._shape(token, self._described.resource_schemas, owner="")

    def _function(self, token: str) -> Shape:
        name = token.rpartition(":")[2]
        return self._shape(token, self._described.data_source_schemas, owner=name)

    def _shape(self, token: str, known: Any, owner: str) -> Shape:
        """`owner` is what the lists of exceptions call it; "" for Terraform's own name."""
        kind = terraform_type(token, known)
        if kind is None:
            msg = f"{token} is nothing that the Terraform provider for AWS has"
            raise UnknownTypeError(msg)
        shape = shape_of(owner or kind, known[kind].block)
        return Shape(kind, shape.arguments)


class Aws:
    """Where the resources of one provider resource of a program are."""

    def __init__(self, terraform: Terraform, schema: Schema) -> None:
        self.terraform = terraform
        self.schema = schema
        region = schema.function("aws:index/getRegion:getRegion")
        self.region = str(terraform.ask(region.type, region.nothing())["name"])
