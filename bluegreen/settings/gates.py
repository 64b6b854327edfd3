"""What stands under `service.gates`: which checks can stop a switch, and how patient they are."""

import shlex
from collections import Counter
from collections.abc import Iterator
from typing import Literal, Self

from pydantic import Field, model_validator

from bluegreen.settings.base import MisfitError, SettingsModel
from bluegreen.settings.gate import (
    GateName,
    GateSettings,
    JsonFieldPath,
    ProbeSettings,
    RequestPath,
    Seconds,
)
from bluegreen.settings.measuring_gates import (
    ErrorsGateSettings,
    LatencyGateSettings,
    LoadGateSettings,
    PrometheusSettings,
    PromqlGateSettings,
    Source,
)

__all__ = [
    "CapacityGateSettings",
    "CommandGateSettings",
    "GatesSettings",
    "HttpGateSettings",
    "ReleaseGateSettings",
]

_OWN_NAMES = ("capacity", "release")
_READY = "ready"


class CapacityGateSettings(SettingsModel):
    """The gate `capacity`, always on: enough members of the rising color are ready."""

    fraction: float = Field(default=1.0, gt=0, le=1)
    """Share of the live color's size that must be ready; default 1.0, because the rising color is
    about to get all of its traffic. Rounded up, and never less than one member."""

    timeout_seconds: Seconds = 60
    """How long to wait for members to become ready; default 60."""


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

    path: RequestPath = "/version"
    """Path on the color-pinned address; default `/version`."""

    json_field: JsonFieldPath = "version"
    """Field of the JSON answer that holds the release, levels parted by dots; default `version`."""


class CommandGateSettings(GateSettings):
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

    prometheus: PrometheusSettings | None = None
    """The server that gates ask which take their figures from Prometheus; default none."""

    latency: LatencyGateSettings | None = None
    """A quantile of the rising color's own histogram keeps to a limit; default off. Needs the extra
    `gates`."""

    errors: ErrorsGateSettings | None = None
    """The rising color's share of 5xx answers is small, and no larger than the live color's;
    default off. Needs the extra `gates`."""

    promql: dict[GateName, PromqlGateSettings] = Field(default_factory=dict)
    """Queries by gate name, whose value keeps to a limit."""

    load: LoadGateSettings | None = None
    """The rising color bears a steady load; default off."""

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        counts = Counter([*_OWN_NAMES, _READY, *(name for _, name in self._written())])
        if _READY in self.http:
            counts[_READY] -= 1
        for kind, name in self._written():
            if counts[name] > 1:
                msg = (
                    f"more than one gate is called {name}; {', '.join(_OWN_NAMES)} and {_READY}"
                    " are built in, and every other name is free once"
                )
                raise MisfitError(msg, kind, name, value=None)
        return self

    def _written(self) -> Iterator[tuple[str, str]]:
        """Kind and name of every gate that somebody named."""
        for kind, value in self:
            if isinstance(value, dict):
                yield from ((kind, name) for name in value)

    @model_validator(mode="after")
    def _what_is_asked_of_prometheus_has_a_server(self) -> Self:
        asking = [f"promql.{name}" for name in self.promql]
        asking += [
            f"{name}.source"
            for name, gate in (("latency", self.latency), ("errors", self.errors))
            if gate is not None and gate.source is Source.PROMETHEUS
        ]
        if asking and self.prometheus is None:
            msg = f"{', '.join(asking)} ask a Prometheus server, and prometheus does not name one"
            raise MisfitError(msg, "prometheus", "url")
        return self

    @model_validator(mode="after")
    def _readiness_is_a_guard(self) -> Self:
        ready = self.http.get(_READY)
        if ready is not None and ready.slow:
            msg = f"the gate http.{_READY} cannot be slow: a rollback never skips readiness"
            raise MisfitError(msg, "http", _READY, "slow", value="false")
        if ready is not None and ready.dry_run:
            msg = f"the gate http.{_READY} cannot be a dry run: no traffic without readiness"
            raise MisfitError(msg, "http", _READY, "dry_run", value="false")
        return self
