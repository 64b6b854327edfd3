"""How it is seen that traffic follows a switch, and how the old color is let go."""

from typing import Self

from pydantic import Field, model_validator

from bluegreen.settings.base import MisfitError, SettingsModel

__all__ = ["ColorFromSettings", "DrainSettings", "FollowSettings"]


class ColorFromSettings(SettingsModel):
    """Where an answer of the application says which color gave it: one of header or JSON field."""

    header: str | None = Field(default=None, pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
    """Response header, for example `X-Bluegreen-Color`."""

    json_field: str | None = Field(default=None, pattern=r"^[^.]+(\.[^.]+)*$")
    """Dotted path in a JSON answer, for example `deployment.color`."""

    path: str = Field(default="/", pattern=r"^/\S*$")
    """Path to ask."""

    @model_validator(mode="after")
    def _exactly_one_source(self) -> Self:
        if self.header is None and self.json_field is None:
            msg = "names neither header nor json_field"
            raise MisfitError(msg, "header")
        if self.header is not None and self.json_field is not None:
            msg = "names both header and json_field"
            raise MisfitError(msg, "json_field", value=None)
        return self


class FollowSettings(SettingsModel):
    """The question after the write: does production traffic follow?"""

    consecutive: int = Field(default=5, ge=1, le=1000)
    """Answers in a row that must come from a color with a share."""

    interval_seconds: float = Field(default=0.05, ge=0, le=60)
    """Seconds between two questions."""

    timeout_seconds: float = Field(default=30.0, gt=0, le=3600)
    """Seconds after which the answer is no."""


class DrainSettings(SettingsModel):
    """How long the old color is given to finish what it has begun."""

    timeout_seconds: float = Field(default=60.0, ge=0, le=3600)
    """Seconds to wait for its sessions to reach 0; then it goes on with a warning that counts."""

    stop_seconds: int = Field(default=30, ge=1, le=3600)
    """Seconds between SIGTERM and SIGKILL of a member that starts from now on."""
