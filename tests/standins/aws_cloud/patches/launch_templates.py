"""Launch templates: user data of every version, and tags of their own.

In moto groups of a second version cannot start, and a template's own tags are never changed and get
into what instances are made from.
"""

from collections.abc import Iterable
from typing import Any

from moto.ec2.models.launch_templates import (
    LaunchTemplate,
    LaunchTemplateBackend,
    LaunchTemplateVersion,
)
from moto.ec2.utils import parse_user_data

from tests.standins.aws_cloud.patching import Replacement
from tests.standins.aws_cloud.world import World

__all__ = ["patch"]

_OWN = "launch-template"


def patch(world: World) -> Iterable[Replacement]:
    """Versions as they are kept, templates as they are made and told."""
    yield Replacement(LaunchTemplateVersion, "__init__", _init())
    yield Replacement(LaunchTemplateBackend, "create_launch_template", _create())
    # moto keeps those of the beginning in an attribute, which nobody reads any more then.
    present = property(LaunchTemplate.get_tags, lambda self, value: None)
    yield Replacement(LaunchTemplate, "tags", present)


def _init() -> Any:
    original = LaunchTemplateVersion.__init__

    def init(
        self: LaunchTemplateVersion, template: Any, number: int, data: dict[str, Any], text: str
    ) -> None:
        if isinstance(data.get("UserData"), str):
            data = data | {"UserData": parse_user_data(data["UserData"])}
        original(self, template, number, data, text)

    return init


def _create() -> Any:
    original = LaunchTemplateBackend.create_launch_template

    def create(
        self: LaunchTemplateBackend, name: str, text: str, data: dict[str, Any], tags: Any
    ) -> LaunchTemplate:
        if found := data.get("TagSpecifications"):
            kept = [each for each in found if each["ResourceType"] != _OWN]
            data = data | {"TagSpecifications": kept}
        return original(self, name, text, data, tags)

    return create
