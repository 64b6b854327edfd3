"""When a member counts as ready."""

from typing import Self

from pydantic import Field, model_validator

from bluegreen.settings.base import MisfitError, SettingsModel

__all__ = ["HealthCheckSettings"]


class HealthCheckSettings(SettingsModel):
    """The HTTP check that decides whether a member may get traffic."""

    # What a proxy's config can hold without quotes.
    path: str = Field(default="/health/ready", pattern=r"^/[A-Za-z0-9_./@+=:~,;&?%!*-]*$")
    """Path that answers 200 once a member can do its work; a bare "process is up" is not enough."""

    interval_seconds: float = Field(default=2.0, gt=0, le=300)
    """Seconds between two checks of one member."""

    timeout_seconds: float = Field(default=1.0, gt=0, le=120)
    """Seconds to wait for an answer; at most the interval."""

    healthy_threshold: int = Field(default=2, ge=1, le=10)
    """Passed checks in a row before a member gets traffic."""

    unhealthy_threshold: int = Field(default=3, ge=1, le=10)
    """Failed checks in a row before a member loses its traffic."""

    @model_validator(mode="after")
    def _timeout_fits_interval(self) -> Self:
        if self.timeout_seconds > self.interval_seconds:
            msg = (
                f"timeout_seconds {self.timeout_seconds:g} is longer than interval_seconds "
                f"{self.interval_seconds:g}; a check would overlap the next one"
            )
            raise MisfitError(msg, "timeout_seconds", value=f"{self.interval_seconds:g}")
        return self
