"""How many members of a color are ready, and why the others are not. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bluegreen.aws.names import RELEASE_TAG, tags_of_list
from bluegreen.gates.gate import Readiness
from bluegreen.gates.wording import one_line

__all__ = ["desired_of", "readiness_of", "release_of"]

_Description = Mapping[str, Any]
_SERVING = "healthy"
_MOST_REASONS = 2
_REASON_LENGTH = 200


def readiness_of(
    group: _Description | None,
    targets: Iterable[_Description],
    activities: Iterable[_Description] = (),
) -> Readiness:
    """Counts the members that get requests and were started from what the group says now.

    While members of an earlier template still serve none is counted: traffic would reach both.

    Args:
        group: The color's Auto Scaling group; None where there is none.
        targets: What the load balancer says about each member of its target group.
        activities: What the group has tried last, latest first.
    """
    if group is None:
        return Readiness(ready=0, desired=0, note="its Auto Scaling group is not there")
    instances = list(group.get("Instances") or [])
    wanted = _template_of(group)
    current = {each["InstanceId"] for each in instances if _template_of(each) == wanted}
    health = {each["Target"]["Id"]: each.get("TargetHealth") or {} for each in targets}
    serving = {name for name, each in health.items() if each.get("State") == _SERVING}
    others = serving - current
    reasons = list(_reasons(group, current, health, activities))
    if others:
        reasons.insert(0, f"{len(others)} members of an earlier release still serve")
    return Readiness(
        ready=0 if others else len(serving & current),
        desired=desired_of(group),
        note="; ".join(reasons[:_MOST_REASONS]),
    )


def desired_of(group: _Description) -> int:
    """How many members a group is to have now."""
    return int(group["DesiredCapacity"])


def release_of(group: _Description | None) -> str | None:
    """The release of a group's members; None when it is to have none."""
    if group is None or desired_of(group) == 0:
        return None
    return tags_of_list(group.get("Tags") or []).get(RELEASE_TAG, "unknown")


def _template_of(thing: _Description) -> tuple[str, str] | None:
    """The launch template and its version, of a group or of an instance."""
    template = thing.get("LaunchTemplate")
    return (template["LaunchTemplateId"], str(template["Version"])) if template else None


def _reasons(
    group: _Description,
    current: set[str],
    health: Mapping[str, _Description],
    activities: Iterable[_Description],
) -> Iterator[str]:
    """Why members are missing or not ready; each reason once."""
    said: set[str] = set()
    missing = desired_of(group) - len(current)
    if missing > 0:
        yield one_line(_why_missing(missing, activities), _REASON_LENGTH)
    for name in sorted(current):
        text = _why_not_ready(health.get(name))
        if text and text not in said:
            said.add(text)
            yield one_line(text, _REASON_LENGTH)


def _why_missing(count: int, activities: Iterable[_Description]) -> str:
    for activity in activities:
        if activity.get("StatusCode") in {"Failed", "Cancelled"}:
            said = activity.get("StatusMessage") or activity.get("Description") or "no reason given"
            return f"{count} could not be started: {said}"
        # A later one that went well, or is under way, outdates the failures before it.
        break
    return f"{count} are being started"


def _why_not_ready(health: _Description | None) -> str | None:
    if health is None:
        return "started, but not in the target group yet"
    state = health.get("State", "unknown")
    if state == _SERVING:
        return None
    said = _said(health)
    return f"{state}: {said}" if said else str(state)


def _said(health: _Description) -> str:
    reason, description = health.get("Reason", ""), health.get("Description", "")
    return f"{reason} ({description})" if reason and description else reason or description
