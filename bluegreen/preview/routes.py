"""Who gets which share of production, as the properties of any router say it."""

import re
from collections.abc import Callable, Iterable, Mapping

from bluegreen.colors import Color
from bluegreen.preview.kinds import short_type
from bluegreen.preview.properties import Properties, mapping, mappings, number
from bluegreen.traffic import Route, TrafficSplit

__all__ = ["ColorOf", "color_in", "route_in"]

ColorOf = Callable[[str], Color | None]
"""Tells which color a target group's ARN belongs to."""

_WHOLE = 100
_COLOR_WORD = re.compile(r"(?<![a-z])(blue|green)(?![a-z])")
_ACTIVE = "bluegreen.dev/active-color"


def color_in(text: object) -> Color | None:
    """The one color that a name names: `web-blue`, `blue_v2`; None for none, or for both."""
    found = set(_COLOR_WORD.findall(text.lower())) if isinstance(text, str) else set()
    return Color(found.pop()) if len(found) == 1 else None


def route_in(type_token: str, properties: Properties, color_of: ColorOf) -> Route | None:
    """The route that a router's properties say; None when they do not name both places or one."""
    reader = _READERS.get(short_type(type_token))
    return reader(properties, color_of) if reader else None


def _haproxy(properties: Properties, _: ColorOf) -> Route | None:
    shares = {color: number(properties.get(f"{color}_percent")) or 0 for color in Color}
    route = _of_weights(shares)
    active = color_in(properties.get("active_color"))
    return Route(active, route.split) if route and active else route


def _service(properties: Properties, _: ColorOf) -> Route | None:
    selector = mapping(mapping(properties.get("spec")).get("selector"))
    colors = {color for value in selector.values() if (color := color_in(value))}
    if len(colors) != 1:
        return None
    active = colors.pop()
    return Route(active, TrafficSplit.all_to(active))


def _http_route(properties: Properties, _: ColorOf) -> Route | None:
    rules = mappings(mapping(properties.get("spec")).get("rules"))
    # The library's own last rule is production's; rules before it pin a color by a header.
    backends = mappings(rules[-1].get("backendRefs")) if rules else []
    route = _of_names((each.get("name"), each.get("weight", 1)) for each in backends)
    annotations = mapping(mapping(properties.get("metadata")).get("annotations"))
    active = color_in(annotations.get(_ACTIVE))
    return Route(active, route.split) if route and active else route


def _virtual_service(properties: Properties, _: ColorOf) -> Route | None:
    for rule in mappings(mapping(properties.get("spec")).get("http")):
        if any("headers" in match for match in mappings(rule.get("match"))):
            continue
        found = []
        for each in mappings(rule.get("route")):
            place = mapping(each.get("destination"))
            found.append((place.get("subset") or place.get("host"), each.get("weight", _WHOLE)))
        return _of_names(found)
    return None


def _traefik_service(properties: Properties, _: ColorOf) -> Route | None:
    weighted = mapping(mapping(properties.get("spec")).get("weighted"))
    services = mappings(weighted.get("services"))
    return _of_names((each.get("name"), each.get("weight", 1)) for each in services)


def _ingress(properties: Properties, _: ColorOf) -> Route | None:
    spec = mapping(properties.get("spec"))
    backends = [mapping(spec.get("defaultBackend"))]
    for rule in mappings(spec.get("rules")):
        paths = mappings(mapping(rule.get("http")).get("paths"))
        backends += [mapping(path.get("backend")) for path in paths]
    names = {mapping(each.get("service")).get("name") for each in backends if each}
    return _of_names((name, 1) for name in names) if len(names) == 1 else None


def _listener(properties: Properties, color_of: ColorOf) -> Route | None:
    actions = mappings(properties.get("defaultActions") or properties.get("actions"))
    if len(actions) != 1 or actions[0].get("type") != "forward":
        return None
    groups = mappings(mapping(actions[0].get("forward")).get("targetGroups"))
    if not groups:
        return _of_weights({color_of(str(actions[0].get("targetGroupArn"))): 1})
    colors = [color_of(str(each.get("arn"))) for each in groups]
    if len(groups) == len(Color) and set(colors) != set(Color):
        colors = _completed(colors)
    weights = [number(each.get("weight", 1)) or 0 for each in groups]
    if len(set(colors)) != len(colors):
        return None
    return _of_weights(dict(zip(colors, weights, strict=True)))


def _completed(colors: list[Color | None]) -> list[Color | None]:
    """Both colors, where one or none is known yet: the library writes blue first."""
    first, second = colors
    if first is None and second is None:
        return list(Color)
    return [first or (second.other if second else None), second or (first.other if first else None)]


_READERS: Mapping[str, Callable[[Properties, ColorOf], Route | None]] = {
    "HaproxyRoute": _haproxy,
    "Service": _service,
    "HTTPRoute": _http_route,
    "VirtualService": _virtual_service,
    "TraefikService": _traefik_service,
    "Ingress": _ingress,
    "Listener": _listener,
    "ListenerRule": _listener,
}


def _of_names(weighted: Iterable[tuple[object, object]]) -> Route | None:
    weights: dict[Color | None, int] = {}
    for name, weight in weighted:
        color = color_in(name)
        weights[color] = weights.get(color, 0) + (number(weight) or 0)
    return _of_weights(weights)


def _of_weights(weights: Mapping[Color | None, int] | Mapping[Color, int]) -> Route | None:
    """The route that weights say; None when somebody else has one, or nobody any."""
    known = {color: weight for color, weight in weights.items() if color is not None}
    total = sum(known.values())
    if len(known) != len(weights) or total <= 0 or min(known.values()) < 0:
        return None
    blue, green = known.get(Color.BLUE, 0), known.get(Color.GREEN, 0)
    share = round(_WHOLE * blue / total)
    if blue and green:
        # However little it is, it is a share.
        share = min(max(share, 1), _WHOLE - 1)
    heavier = Color.BLUE if blue >= green else Color.GREEN
    # On AWS the active color is said by doubling both where the other one has the larger share.
    is_doubled = bool(blue and green) and total == 2 * _WHOLE
    return Route(
        heavier.other if is_doubled else heavier, TrafficSplit(blue=share, green=_WHOLE - share)
    )
