"""User data of every version of a launch template; in moto groups of a second one cannot start."""

from collections.abc import Iterable
from typing import Any

from moto.ec2.models.launch_templates import LaunchTemplateVersion
from moto.ec2.utils import parse_user_data

from tests.standins.aws_cloud.patching import Replacement
from tests.standins.aws_cloud.world import World

__all__ = ["patch"]


def patch(world: World) -> Iterable[Replacement]:
    """Versions as they are kept."""
    yield Replacement(LaunchTemplateVersion, "__init__", _init())


def _init() -> Any:
    original = LaunchTemplateVersion.__init__

    def init(
        self: LaunchTemplateVersion, template: Any, number: int, data: dict[str, Any], text: str
    ) -> None:
        if isinstance(data.get("UserData"), str):
            data = data | {"UserData": parse_user_data(data["UserData"])}
        original(self, template, number, data, text)

    return init
