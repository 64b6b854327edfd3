"""From Pulumi's steps to what happens to each service."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bluegreen.colors import Color
from bluegreen.contract import ConfigKey, OutputName
from bluegreen.preview.change import FleetChange, RouterChange, ServiceChange
from bluegreen.preview.document import Document, Op, Step
from bluegreen.preview.fleets import fleet_in, known_release, what_runs
from bluegreen.preview.kinds import (
    FLEET_TYPES,
    LIBRARY_ROUTERS,
    ROUTER_TYPES,
    STACK_TYPE,
    TARGET_GROUP_TYPES,
    TEMPLATE_TYPES,
    short_type,
)
from bluegreen.preview.messages import Said, listen
from bluegreen.preview.properties import Properties, mapping
from bluegreen.preview.routes import ColorOf, color_in, route_in
from bluegreen.preview.words import Vocabulary

__all__ = ["Reading", "read_changes"]

_BUILT_IN_GATES = ("capacity", "ready", "release", "alarms", "follow")
_PARTS = re.compile(r"[^A-Za-z0-9]+")
_NO_NAME = frozenset(
    [
        "blue",
        "green",
        "route",
        "router",
        "members",
        "member",
        "production",
        "prod",
        "live",
        "svc",
        "service",
        "deployment",
        "deploy",
        "asg",
        "group",
        "listener",
        "rule",
        "lb",
        "alb",
        "target",
        "tg",
        "http",
        "https",
        "ingress",
        "virtualservice",
        "vs",
    ]
)
_POINTERS = frozenset(["test", "preview", "idle", "stage", "staging", "canary"])


@dataclass(frozen=True, slots=True)
class Reading:
    """What a preview does to the services of one stack."""

    services: tuple[ServiceChange, ...]
    said: Said


def read_changes(document: Document) -> Reading:
    """Finds the services of a stack, and what the preview does to each."""
    stack = next((s for s in document.steps.values() if s.urn.type == STACK_TYPE), None)
    outputs = stack.old_outputs if stack else {}
    steps = [step for step in document.steps.values() if step.urn.type != STACK_TYPE]
    color_of = _target_group_colors(steps)
    routers = {_service_of(step): step for step in steps if _is_router(step)}
    routers = _without_idle(routers, color_of)
    fleets = _fleets(steps, routers)
    ours = {_service_of(step) for step in steps if step.urn.is_ours}
    # Something may be called blue without having anything to do with green.
    alone = [name for name, colors in fleets.items() if name in ours or len(colors) == len(Color)]
    names = list(dict.fromkeys([*routers, *alone])) or _told(document, outputs)
    words = _vocabulary(document, names, fleets, outputs)
    said = listen(document.diagnostics, words)
    active = color_in(outputs.get(OutputName.ACTIVE_COLOR))
    services = tuple(
        ServiceChange(
            name=name,
            router=_router_change(routers[name], color_of) if name in routers else None,
            fleets=fleets.get(name, {}),
            said=said.about(name),
            known_active=active if len(names) == 1 else None,
            known_releases=_releases(outputs) if len(names) == 1 else {},
        )
        for name in names
    )
    return Reading(services, said)


def _is_router(step: Step) -> bool:
    if step.urn.type not in ROUTER_TYPES:
        return False
    if step.urn.is_ours:
        return not LIBRARY_ROUTERS.isdisjoint(step.urn.types)
    return color_in(step.urn.name) is None and not _words(step.urn.name) & _POINTERS


def _without_idle(routers: Mapping[str, Step], color_of: ColorOf) -> dict[str, Step]:
    """Only those that name a color, or that route otherwise afterwards."""
    return {
        name: step
        for name, step in routers.items()
        if not LIBRARY_ROUTERS.isdisjoint(step.urn.types)
        or route_in(step.urn.type, step.before, color_of)
        or route_in(step.urn.type, step.after, color_of)
        or _reroutes(step)
    }


_ROUTING = ("selector", "defaultActions", "actions", "rules", "http", "weighted", "backend")


def _reroutes(step: Step) -> bool:
    """Whether what it routes by changes, in a way that names no colors."""
    if step.op is not Op.UPDATE:
        return False
    before, after = step.old_inputs, step.new_inputs
    return _routing(before) != _routing(after)


def _routing(inputs: Properties) -> list[object]:
    spec = mapping(inputs.get("spec"))
    return [inputs.get(key, spec.get(key)) for key in _ROUTING]


def _service_of(step: Step) -> str:
    name = step.urn.name
    if step.urn.is_ours:
        for ending in ("-route", "-members", "-template"):
            name = name.removesuffix(ending)
        for color in Color:
            name = name.removesuffix(f"-{color}")
        return name
    return "-".join(part for part in _PARTS.split(name) if part.lower() not in _NO_NAME) or name


def _words(name: str) -> frozenset[str]:
    return frozenset(part.lower() for part in _PARTS.split(name))


def _target_group_colors(steps: Iterable[Step]) -> ColorOf:
    known: dict[str, Color] = {}
    for step in steps:
        if step.urn.type not in TARGET_GROUP_TYPES:
            continue
        arn, color = step.old_outputs.get("arn"), color_in(step.urn.name)
        if isinstance(arn, str) and color is not None:
            known[arn] = color
    return lambda arn: known.get(arn) or color_in(arn)


def _router_change(step: Step, color_of: ColorOf) -> RouterChange:
    kind = step.urn.type
    before, after = (route_in(kind, each, color_of) for each in (step.before, step.after))
    is_unreadable = after is None and step.op is not Op.DELETE and _reroutes(step)
    return RouterChange(
        op=step.op,
        kind=short_type(kind),
        before=before,
        after=after if after is not None or step.is_change else before,
        is_readable=not is_unreadable,
    )


def _fleets(
    steps: Iterable[Step], routers: Mapping[str, Step]
) -> dict[str, dict[Color, FleetChange]]:
    found: dict[str, dict[Color, FleetChange]] = {}
    only = next(iter(routers)) if len(routers) == 1 else None
    # A template speaks for its members where the preview did not get to them.
    for step in sorted(steps, key=lambda step: step.urn.type in FLEET_TYPES):
        if step.urn.type not in FLEET_TYPES | TEMPLATE_TYPES:
            continue
        change = _fleet_change(step)
        fleet = (change.before or change.after) if change else None
        if change is None or fleet is None:
            continue
        name = _service_of(step)
        if name not in routers and only is not None:
            name = only
        found.setdefault(name, {})[fleet.color] = change
    return found


def _fleet_change(step: Step) -> FleetChange | None:
    kind, name = step.urn.type, step.urn.name
    before, after = fleet_in(kind, name, step.before), fleet_in(kind, name, step.after)
    if before is None and after is None:
        return None
    is_other = _is_other(step)
    return FleetChange(
        step.op,
        before,
        after,
        is_other=is_other,
        is_unclear=step.op is Op.UPDATE and before == after and not is_other,
    )


def _is_other(step: Step) -> bool:
    if step.op is Op.REPLACE:
        return True
    if step.op is not Op.UPDATE:
        return False
    kind = step.urn.type
    return what_runs(kind, step.old_inputs) != what_runs(kind, step.new_inputs)


def _told(document: Document, outputs: Properties) -> list[str]:
    """The service's name where no resource of it was seen: what its config says."""
    place = document.place
    if place is None:
        return []
    name = _settings(document).get("name")
    if isinstance(name, str) and re.fullmatch(r"[a-z][a-z0-9-]{0,30}", name):
        return [name]
    return [place.project] if color_in(outputs.get(OutputName.ACTIVE_COLOR)) else []


def _releases(outputs: Properties) -> dict[Color, str]:
    found = mapping(outputs.get(OutputName.RELEASES))
    return {color: release for color in Color if (release := known_release(found.get(color)))}


def _settings(document: Document) -> Properties:
    return _configured(document, ConfigKey.SERVICE)


def _configured(document: Document, key: ConfigKey) -> Properties:
    """A value of the config, which Pulumi prints as JSON text."""
    found = (text for name, text in document.config.items() if name.endswith(f":{key}"))
    try:
        return mapping(json.loads(next(found, "")))
    except (ValueError, RecursionError):
        return {}


def _vocabulary(
    document: Document,
    names: Iterable[str],
    fleets: Mapping[str, Mapping[Color, FleetChange]],
    outputs: Properties,
) -> Vocabulary:
    changes = [change for colors in fleets.values() for change in colors.values()]
    held = [fleet.release for each in changes for fleet in (each.before, each.after) if fleet]
    wanted = [
        known_release(_configured(document, key).get("release"))
        for key in (ConfigKey.BLUE, ConfigKey.GREEN, ConfigKey.RETIRED)
    ]
    project = [document.place.project] if document.place else []
    return Vocabulary.of(
        services=[*names, *project],
        releases=filter(None, [*held, *wanted, *_releases(outputs).values()]),
        gates=_gate_names(_settings(document)),
    )


def _gate_names(settings: Properties) -> Iterator[str]:
    yield from _BUILT_IN_GATES
    gates = mapping(settings.get("gates"))
    for kind in ("http", "command"):
        for name in mapping(gates.get(kind)):
            if re.fullmatch(r"[A-Za-z][\w.-]{0,39}", name):
                yield name
