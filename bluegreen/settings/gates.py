"""What stands under `service.gates`: which checks can stop a switch, and how patient they are."""

import shlex
from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from bluegreen.settings.base import MisfitError, SettingsModel

__all__ = [
    "CapacityGateSettings",
    "CommandGateSettings",
    "GateName",
    "GatesSettings",
    "HttpGateSettings",
    "ProbeSettings",
    "ReleaseGateSettings",
    "Seconds",
]

_OWN_NAMES = ("capacity", "release")
_READY = "ready"

Seconds = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]
"""More than 0, at most an hour: every gate holds up a running `pulumi up`."""

GateName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,30}$")]
"""A lower-case letter, then letters, digits, `-` or `_`; at most 31 characters."""


class CapacityGateSettings(SettingsModel):
    """The gate `capacity`, always on: enough members of the rising color are ready."""

    fraction: float = Field(default=1.0, gt=0, le=1)
    """Share of the live color's size that must be ready; default 1.0, because the rising color is
    about to get all of its traffic. Rounded up, and never less than one member."""

    timeout_seconds: Seconds = 60
    """How long to wait for members to become ready; default 60."""


class ProbeSettings(SettingsModel):
    """A gate that asks one address again and again."""

    path: str = Field(pattern=r"^/\S*$")
    """Path on the color-pinned address, query included, for example `/health/ready`."""

    json_field: str | None = Field(default=None, pattern=r"^[^.]+(\.[^.]+)*$")
    """Field of the JSON answer, levels parted by dots, for example `database.status`; a number
    counts into a list from 0. Alone, it must be there and not be null."""

    consecutive: int = Field(default=3, ge=1, le=1000)
    """How many good answers in a row pass; default 3, so that one lucky member is not enough. Every
    answer comes over a connection of its own."""

    interval_seconds: Seconds = 0.5
    """Pause between two requests; default 0.5."""

    timeout_seconds: Seconds = 30
    """How long to go on asking; default 30."""

    request_timeout_seconds: Seconds = 5
    """How long one answer may take; default 5."""

    slow: bool = False
    """True when a rollback skips this gate; default false."""

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


class HttpGateSettings(ProbeSettings):
    """One gate under `http`: the rising color answers a request as it should."""

    method: Literal["GET", "HEAD"] = "GET"
    """Default GET; a gate looks and changes nothing, so nothing else is offered."""

    status: int = Field(default=200, ge=200, le=599)
    """The status that passes; default 200. Redirects are not followed."""

    json_equals: str | int | float | bool | None = None
    """What `json_field` must be; a text, a number and true or false never equal each other."""

    @model_validator(mode="after")
    def _a_wanted_value_has_a_field(self) -> Self:
        if self.json_equals is not None and self.json_field is None:
            msg = "json_equals says what a field must be, but json_field does not say which one"
            raise MisfitError(msg, "json_field")
        if self.method == "HEAD" and self.json_field is not None:
            msg = "an answer to HEAD has no body to find json_field in"
            raise MisfitError(msg, "method", value="GET")
        return self


class ReleaseGateSettings(ProbeSettings):
    """The gate `release`: the rising color itself says that it runs the wanted release."""

    path: str = Field(default="/version", pattern=r"^/\S*$")
    """Path on the color-pinned address; default `/version`."""

    json_field: str = Field(default="version", pattern=r"^[^.]+(\.[^.]+)*$")
    """Field of the JSON answer that holds the release, levels parted by dots; default `version`."""


class CommandGateSettings(SettingsModel):
    """One gate under `command`: a program, for example a smoke test, ends with status 0."""

    command: str | tuple[str, ...]
    """Program and arguments, as one line or as a list. No shell reads it: `~`, `$NAME`, `|` and `>`
    stay as they are; for those write `[bash, -c, "…"]`."""

    env: dict[str, str] = Field(default_factory=dict, repr=False)
    """Environment variables on top of those of `pulumi up`; `BLUEGREEN_COLOR`, `BLUEGREEN_RELEASE`,
    `BLUEGREEN_TEST_URL` and `BLUEGREEN_TEST_HEADERS` (JSON) are added."""

    secret_env: tuple[str, ...] = ()
    """Names of environment variables whose values are masked in what is kept of the output."""

    timeout_seconds: Seconds = 60
    """When the program and its children are killed; default 60."""

    slow: bool = False
    """True when a rollback skips this gate; default false."""

    @property
    def arguments(self) -> tuple[str, ...]:
        """The program and its arguments, one by one."""
        return tuple(shlex.split(self.command)) if isinstance(self.command, str) else self.command

    @model_validator(mode="after")
    def _command_names_a_program(self) -> Self:
        try:
            arguments = self.arguments
        except ValueError as error:
            msg = f"the command cannot be split into words: {str(error).lower()}"
            raise MisfitError(msg, "command") from error
        if not arguments or not arguments[0]:
            msg = "the command names no program"
            raise MisfitError(msg, "command")
        return self


class GatesSettings(SettingsModel):
    """All checks of a service; nothing written means `capacity`, and readiness over HTTP."""

    timeout_seconds: Seconds = 120
    """Time for all gates together, which run at the same time; default 120. Whichever ends first,
    this or a gate's own limit, counts."""

    capacity: CapacityGateSettings = Field(default_factory=CapacityGateSettings)
    """Enough ready members; always on."""

    http: dict[GateName, HttpGateSettings] = Field(default_factory=dict)
    """Requests by gate name. One called `ready` replaces the built-in request to the path of the
    service's health check."""

    release: ReleaseGateSettings | None = None
    """Asks the application which release it is; default off, because not every one can say."""

    command: dict[GateName, CommandGateSettings] = Field(default_factory=dict)
    """Programs by gate name, for example a smoke test."""

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        counts = Counter([*_OWN_NAMES, _READY, *self.http, *self.command])
        if _READY in self.http:
            counts[_READY] -= 1
        twice = [name for name, count in counts.items() if count > 1]
        if twice:
            msg = (
                f"more than one gate is called {', '.join(twice)}; {', '.join(_OWN_NAMES)} and"
                f" {_READY} are built in, and every other name is free once"
            )
            kind = "http" if twice[0] in self.http else "command"
            raise MisfitError(msg, kind, twice[0], value=None)
        return self

    @model_validator(mode="after")
    def _a_rollback_keeps_readiness(self) -> Self:
        ready = self.http.get(_READY)
        if ready is not None and ready.slow:
            msg = f"the gate http.{_READY} cannot be slow: a rollback never skips readiness"
            raise MisfitError(msg, "http", _READY, "slow", value="false")
        return self
