"""What a person says about a color beside its release: a share of traffic, or retirement."""

from enum import StrEnum

from pydantic import Field

from bluegreen.colors import Color
from bluegreen.settings.base import SettingsModel
from bluegreen.settings.release import Release

__all__ = ["CanarySettings", "RetiredCapacityMode", "RetiredCapacitySettings", "RetiredSettings"]


class CanarySettings(SettingsModel):
    """A share of production traffic for the idle color."""

    color: Color
    """The color that gets the share while it is idle."""

    percent: int = Field(default=0, ge=0, le=99)
    """Share of production traffic in percent; 0 is no canary, a switch is what gives 100."""


class RetiredSettings(SettingsModel):
    """An idle color that is to shrink, named together with the release it holds."""

    color: Color
    """The color that may shrink while it is idle."""

    release: Release
    """The entry counts only while the color holds this release: a new one un-retires it."""


class RetiredCapacityMode(StrEnum):
    """How far a retired color shrinks."""

    ZERO = "zero"
    """No members; only its place in the router stays."""

    MINIMUM = "minimum"
    """A fixed small number of members."""

    PERCENT = "percent"
    """A share of its full capacity, at least one member."""


class RetiredCapacitySettings(SettingsModel):
    """The capacity of a retired color."""

    mode: RetiredCapacityMode = RetiredCapacityMode.ZERO
    """How far it shrinks."""

    replicas: int = Field(default=2, ge=1)
    """Members in mode `minimum`, never more than the full capacity."""

    percent: int = Field(default=20, ge=1, le=100)
    """Share of the full capacity in mode `percent`."""
