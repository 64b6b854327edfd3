"""What the config of a past update said. Pure."""

from collections.abc import Mapping

from bluegreen.colors import Color
from bluegreen.contract import ConfigKey
from bluegreen.operations.stack import PastUpdate

__all__ = ["active_color_of", "canary_percent_of", "release_of"]

_PERCENT = range(101)


def active_color_of(update: PastUpdate, namespace: str) -> Color | None:
    """The color that was to have production; None when that is not written, or is no color."""
    return Color.read(update.config.get(f"{namespace}:{ConfigKey.ACTIVE_COLOR}"))


def release_of(update: PastUpdate, color: str, namespace: str) -> str | None:
    """What a color was to hold; None when it was not to be there."""
    release = _mapping(update, f"{namespace}:{color}").get("release")
    return str(release) if release is not None else None


def canary_percent_of(update: PastUpdate, idle: Color, namespace: str) -> int:
    """The share that the idle color was to have; 0 without a canary of that color."""
    canary = _mapping(update, f"{namespace}:{ConfigKey.CANARY}")
    percent = canary.get("percent")
    if canary.get("color") != idle or not isinstance(percent, int):
        return 0
    return percent if percent in _PERCENT else 0


def _mapping(update: PastUpdate, key: str) -> Mapping[str, object]:
    written = update.config.get(key)
    return written if isinstance(written, Mapping) else {}
