"""What every gate that a person asks for can be told."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from bluegreen.settings.base import MisfitError, SettingsModel

__all__ = [
    "GateName",
    "GateSettings",
    "HeaderName",
    "JsonFieldPath",
    "JsonScalar",
    "ProbeSettings",
    "RequestPath",
    "Seconds",
    "VariableName",
]

Seconds = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]
"""More than 0, at most an hour: every gate holds up a running `pulumi up`."""

GateName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,30}$")]
"""A lower-case letter, then letters, digits, `-` or `_`; at most 31 characters."""

RequestPath = Annotated[str, StringConstraints(pattern=r"^/\S*$")]
"""Path on the color-pinned address, query included."""

JsonFieldPath = Annotated[str, StringConstraints(pattern=r"^[^.]+(\.[^.]+)*$")]
"""Field of a JSON answer, levels parted by dots; a number counts into a list from 0."""


JsonScalar = str | int | float | bool
"""What a JSON field must be; a text, a number and true or false never equal each other."""

HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")]
"""Name of an HTTP header."""

VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Z_][A-Z0-9_]*$")]
"""Name of an environment variable, in capitals: a password in its place is noticed."""


class GateSettings(SettingsModel):
    """Base of every gate but `capacity`, which can be neither skipped nor tried out."""

    timeout_seconds: Seconds = 30
    """How long the gate may take; default 30."""

    slow: bool = False
    """True when a rollback skips this gate; default false."""

    dry_run: bool = False
    """True to measure and report what the gate would refuse, and to let it pass; default false."""


class ProbeSettings(GateSettings):
    """A gate that asks one address again and again."""

    path: RequestPath
    """Path on the color-pinned address, query included, for example `/health/ready`."""

    consecutive: int = Field(default=3, ge=1, le=1000)
    """How many good answers in a row pass; default 3, so that one lucky member is not enough. Every
    answer comes over a connection of its own."""

    interval_seconds: Seconds = 0.5
    """Pause between two requests; default 0.5."""

    timeout_seconds: Seconds = 30
    """How long to go on asking; default 30."""

    request_timeout_seconds: Seconds = 5
    """How long one answer may take; default 5."""

    @model_validator(mode="after")
    def _tries_fit_into_the_time(self) -> Self:
        needed = (self.consecutive - 1) * self.interval_seconds
        if needed >= self.timeout_seconds:
            msg = (
                f"{self.consecutive} answers in a row, {self.interval_seconds:g} s apart, never fit"
                f" into timeout_seconds {self.timeout_seconds:g}; it must be above {needed:g}"
            )
            raise MisfitError(msg, "timeout_seconds")
        return self
