"""What one color holds, as the properties of any kind of fleet say it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bluegreen.colors import Color
from bluegreen.preview.kinds import short_type
from bluegreen.preview.properties import Properties, mapping, mappings, number
from bluegreen.preview.routes import color_in

__all__ = ["Fleet", "fleet_in", "known_release", "what_runs"]

_RELEASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
_RELEASE_MARKS = ("bluegreen.dev/release", "bluegreen:release")
_COLOR_MARKS = ("color", "colour", "bluegreen:color", "bluegreen.dev/color")
_FINGERPRINT_MARKS = ("bluegreen.dev/fingerprint", "bluegreen:fingerprint")
_AUTOSCALED = "bluegreen.dev/autoscaled"
_BOUNDS = re.compile(r"(\d{1,6})\D+(\d{1,6})")
_TAG = re.compile(r"(?:^|/)[^:/@]+:([^:/@]+)(?:@[\w:]+)?$")


@dataclass(frozen=True, slots=True)
class Fleet:
    """What a color holds, or is to hold."""

    color: Color
    release: str | None
    """None when nothing says it."""

    replicas: int | None
    """The fewest members; None when they are somebody else's to count."""

    most: int | None = None
    """The most that an autoscaler makes of it; None where the number is fixed."""

    @property
    def size(self) -> str:
        """How many members, for people."""
        if self.replicas is None:
            return "?"
        return f"{self.replicas} to {self.most}" if self.most else str(self.replicas)


def known_release(text: object) -> str | None:
    """A release as settings allow it; None for everything else, a masked secret too."""
    return text if isinstance(text, str) and _RELEASE.fullmatch(text) else None


def fleet_in(type_token: str, name: str, properties: Properties) -> Fleet | None:
    """What the properties of a fleet say; None when they name no color, or there are none."""
    if not properties:
        return None
    match short_type(type_token):
        case "Members":
            return _members(name, properties)
        case "Deployment" | "StatefulSet":
            return _deployment(name, properties)
        case "Group" | "LaunchTemplate":
            return _group(name, properties)
        case "Service":
            color = color_in(name)
            return Fleet(color, None, number(properties.get("desiredCount"))) if color else None
        case _:
            return None


def what_runs(type_token: str, inputs: Properties) -> object:
    """What makes its members other members when it changes; compared, and never shown."""
    match short_type(type_token):
        case "Members":
            started = ("release", "command", "env", "directory", "ports", "fingerprint")
            return [inputs.get(key) for key in started]
        case "Deployment" | "StatefulSet":
            return mapping(inputs.get("spec")).get("template")
        case "Group":
            prints = [_tags(inputs).get(key) for key in _FINGERPRINT_MARKS]
            return (
                prints
                if any(prints)
                else [inputs.get("launchTemplate"), inputs.get("launchConfiguration")]
            )
        case "LaunchTemplate":
            return [_tags(inputs).get(key) for key in _FINGERPRINT_MARKS]
        case "Service":
            return inputs.get("taskDefinition")
        case _:
            return None


def _members(name: str, properties: Properties) -> Fleet | None:
    color = color_in(properties.get("color")) or color_in(name)
    if color is None:
        return None
    return Fleet(
        color, known_release(properties.get("release")), number(properties.get("replicas"))
    )


def _deployment(name: str, properties: Properties) -> Fleet | None:
    metadata, spec = mapping(properties.get("metadata")), mapping(properties.get("spec"))
    template = mapping(spec.get("template"))
    inner = mapping(template.get("metadata"))
    labels = {**mapping(metadata.get("labels")), **mapping(inner.get("labels"))}
    color = _color(labels, name, metadata.get("name"))
    if color is None:
        return None
    marks = {**mapping(metadata.get("annotations")), **mapping(inner.get("annotations"))}
    release = (
        _marked(marks, _RELEASE_MARKS) or _image_tag(template) or _marked(labels, ("version",))
    )
    bounds = _BOUNDS.search(str(marks.get(_AUTOSCALED, "")))
    if bounds:
        return Fleet(color, release, int(bounds[1]), int(bounds[2]))
    return Fleet(color, release, number(spec.get("replicas", 1)))


def _image_tag(template: Properties) -> str | None:
    containers = mappings(mapping(template.get("spec")).get("containers"))
    found = _TAG.search(str(containers[0].get("image", ""))) if len(containers) == 1 else None
    return known_release(found[1]) if found else None


def _group(name: str, properties: Properties) -> Fleet | None:
    tags = _tags(properties)
    color = _color(tags, name, properties.get("name"))
    if color is None:
        return None
    least, most = number(properties.get("minSize")), number(properties.get("maxSize"))
    return Fleet(
        color,
        _marked(tags, (*_RELEASE_MARKS, "version", "release")),
        least,
        most if least is not None and most is not None and most > least else None,
    )


def _tags(properties: Properties) -> dict[str, Any]:
    found = properties.get("tags")
    if isinstance(found, dict):
        return found
    return {str(each.get("key")): each.get("value") for each in mappings(found)}


def _color(marks: Properties, *names: object) -> Color | None:
    said = (color_in(marks.get(key)) for key in _COLOR_MARKS)
    named = (color_in(name) for name in names)
    return next((color for color in (*said, *named) if color), None)


def _marked(marks: Properties, keys: Sequence[str]) -> str | None:
    return next((found for key in keys if (found := known_release(marks.get(key)))), None)
