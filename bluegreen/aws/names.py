"""How what belongs to one service is told apart in an account: tags, and two fixed names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bluegreen.colors import Color
from bluegreen.plan import FleetPlan
from bluegreen.settings.aws import AwsSettings

__all__ = [
    "COLOR_TAG",
    "FINGERPRINT_TAG",
    "RELEASE_TAG",
    "SERVICE_TAG",
    "STACK_TAG",
    "AwsNames",
    "names_of",
    "tags_of_list",
]

SERVICE_TAG = "bluegreen:service"
COLOR_TAG = "bluegreen:color"
RELEASE_TAG = "bluegreen:release"
STACK_TAG = "bluegreen:stack"
"""`<project>/<stack>`: two stacks of an account may have a service of the same name."""

FINGERPRINT_TAG = "bluegreen:fingerprint"
"""Changes with everything that makes members other members."""


@dataclass(frozen=True, slots=True)
class AwsNames:
    """The tags and names of one service."""

    service: str
    stack: str
    flag: str
    """The SSM parameter that says which color is active."""

    log_group: str
    """The log group of the audit trail."""

    own_tags: Mapping[str, str] = field(default_factory=dict)
    """What the user wants on everything."""

    def service_tags(self) -> dict[str, str]:
        """What everything has."""
        return {**self.own_tags, SERVICE_TAG: self.service, STACK_TAG: self.stack}

    def color_tags(self, color: Color) -> dict[str, str]:
        """What everything of one color has."""
        return self.service_tags() | {COLOR_TAG: str(color)}

    def release_tags(self, plan: FleetPlan, fingerprint: str) -> dict[str, str]:
        """What carries a release has."""
        return self.color_tags(plan.color) | {
            RELEASE_TAG: plan.release,
            FINGERPRINT_TAG: fingerprint,
        }

    def group_filters(self, color: Color) -> list[dict[str, object]]:
        """Finds the Auto Scaling group of one color."""
        wanted = {SERVICE_TAG: self.service, STACK_TAG: self.stack, COLOR_TAG: str(color)}
        return [{"Name": f"tag:{key}", "Values": [value]} for key, value in wanted.items()]


def names_of(service: str, stack: str, settings: AwsSettings) -> AwsNames:
    """The names of a service in one stack."""
    return AwsNames(
        service=service,
        stack=stack,
        flag=settings.flag_name or f"/{service}/active-color",
        log_group=settings.events_log_group or f"/{service}/deployments",
        own_tags=settings.tags,
    )


def tags_of_list(tags: Iterable[Mapping[str, object]]) -> dict[str, str]:
    """Tags as a mapping, of a list as the API (`Key`) or a resource (`key`) has it."""
    return {
        str(each.get("key", each.get("Key", ""))): str(each.get("value", each.get("Value", "")))
        for each in tags
    }
