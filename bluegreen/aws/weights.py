"""How a forward action of a load balancer says a route: two weights. Pure.

A weighted action has one number for each target group and no place for a name: that one color is
active while the other has the larger share, as a large canary has, is said by doubling both.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bluegreen.colors import Color
from bluegreen.traffic import Route, TrafficSplit

__all__ = ["forward_weights", "property_weights", "route_of", "weights_of"]

_WHOLE = 100


def weights_of(route: Route) -> dict[Color, int]:
    """The weights that say a route."""
    factor = 1 if _heavier(route.split.blue, route.split.green) is route.active else 2
    return {color: share * factor for color, share in route.split}


def route_of(weights: Mapping[str, int] | None, arns: Mapping[Color, str]) -> Route | None:
    """The route that weights by target group say.

    Returns:
        None when another target group has a weight, or nobody has any.
    """
    if weights is None or not set(weights) <= set(arns.values()):
        return None
    blue, green = (weights.get(arns[color], 0) for color in (Color.BLUE, Color.GREEN))
    if blue + green <= 0:
        return None
    share = round(_WHOLE * blue / (blue + green))
    if blue and green:
        # However little it is, it is a share: nobody may take its members away.
        share = min(max(share, 1), _WHOLE - 1)
    heavier = _heavier(blue, green)
    is_doubled = bool(blue and green) and blue + green == 2 * _WHOLE
    return Route(
        active=heavier.other if is_doubled else heavier,
        split=TrafficSplit(blue=share, green=_WHOLE - share),
    )


def _heavier(blue: int, green: int) -> Color:
    return Color.BLUE if blue >= green else Color.GREEN


def forward_weights(actions: Sequence[Mapping[str, Any]]) -> dict[str, int] | None:
    """The weights by target group of a listener's or a rule's actions, as the API tells them.

    Returns:
        None when they are anything else than one forward.
    """
    if len(actions) != 1 or actions[0].get("Type") != "forward":
        return None
    action = actions[0]
    groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
    if groups:
        return {each["TargetGroupArn"]: int(each.get("Weight", 1)) for each in groups}
    only = action.get("TargetGroupArn")
    return {only: 1} if only else None


def property_weights(actions: Sequence[Mapping[str, Any]]) -> dict[str, int] | None:
    """The same of a resource's properties."""
    if len(actions) != 1 or actions[0].get("type") != "forward":
        return None
    action = actions[0]
    groups = (action.get("forward") or {}).get("targetGroups") or []
    if groups:
        return {each["arn"]: int(each.get("weight", 1)) for each in groups}
    only = action.get("targetGroupArn")
    return {only: 1} if only else None
