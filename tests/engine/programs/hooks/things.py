"""A resource that does nothing, so that only its hooks matter."""

from typing import Any

import pulumi
from pulumi import dynamic


class _Provider(dynamic.ResourceProvider):
    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        return dynamic.CreateResult(props["name"], dict(props))

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.DiffResult:
        return dynamic.DiffResult(changes=olds.get("value") != news.get("value"))

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.UpdateResult:
        return dynamic.UpdateResult(dict(news))


class Thing(dynamic.Resource):
    value: pulumi.Output[str]

    def __init__(self, name: str, value: str, opts: pulumi.ResourceOptions) -> None:
        super().__init__(_Provider(), name, {"name": name, "value": value}, opts)
