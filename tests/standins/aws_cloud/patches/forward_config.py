"""A forward action is told in full, however it was written; moto tells what it was given."""

from collections.abc import Iterable
from typing import Any

from moto.elbv2.models import FakeAction

from tests.standins.aws_cloud.patching import Replacement
from tests.standins.aws_cloud.world import World

__all__ = ["patch"]


def patch(world: World) -> Iterable[Replacement]:
    """Actions as they are kept."""
    yield Replacement(FakeAction, "__init__", _init())


def _init() -> Any:
    original = FakeAction.__init__

    def init(self: FakeAction, data: dict[str, Any]) -> None:
        original(self, _in_full(dict(data)) if data.get("Type") == "forward" else data)

    return init


def _in_full(data: dict[str, Any]) -> dict[str, Any]:
    """`ForwardConfig` is always there, `TargetGroupArn` only beside a single group."""
    arn = data.get("TargetGroupArn")
    given = dict(data.get("ForwardConfig") or {"TargetGroups": [{"TargetGroupArn": arn}]})
    given["TargetGroups"] = [{"Weight": 1} | group for group in given["TargetGroups"]]
    given.setdefault("TargetGroupStickinessConfig", {"Enabled": False})
    whole = {key: value for key, value in data.items() if key != "TargetGroupArn"}
    if len(given["TargetGroups"]) == 1:
        whole["TargetGroupArn"] = given["TargetGroups"][0]["TargetGroupArn"]
    return whole | {"ForwardConfig": given}
