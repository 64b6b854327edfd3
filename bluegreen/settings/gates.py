"""What stands under `service.gates`: which checks can stop a switch, and how patient they are."""

from collections import Counter
from collections.abc import Iterator
from typing import Literal, Self

from pydantic import Field, model_validator

from bluegreen.settings.base import MisfitError, SettingsModel
from bluegreen.settings.command import CommandGateSettings, WarmUpGateSettings
from bluegreen.settings.gate import (
    GateName,
    JsonFieldPath,
    JsonScalar,
    ProbeSettings,
    RequestPath,
    Seconds,
)
from bluegreen.settings.looking_gates import (
    DependenciesGateSettings,
    FeatureFlagsGateSettings,
    JsonSchemaGateSettings,
)
from bluegreen.settings.suite import SuiteGateSettings

__all__ = [
    "CapacityGateSettings",
    "GatesSettings",
    "HttpGateSettings",
    "ReleaseGateSettings",
]

_OWN_NAMES = ("capacity", "release", "approval")
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

    json_field: JsonFieldPath | None = None
    """Field of the JSON answer, levels parted by dots, for example `database.status`; a number
    counts into a list from 0. Alone, it must be there and not be null."""

    json_equals: JsonScalar | None = None
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

    suite: dict[GateName, SuiteGateSettings] = Field(default_factory=dict)
    """Requests that build on each other, by gate name: log in, read, place an order."""

    dependencies: dict[GateName, DependenciesGateSettings] = Field(default_factory=dict)
    """What the application says about what it depends on, by gate name."""

    feature_flags: dict[GateName, FeatureFlagsGateSettings] = Field(default_factory=dict)
    """Feature flags, recorded and compared with the live color's, by gate name."""

    json_schema: dict[GateName, JsonSchemaGateSettings] = Field(default_factory=dict)
    """Answers that fit a JSON schema, by gate name."""

    warm_up: dict[GateName, WarmUpGateSettings] = Field(default_factory=dict)
    """What is done to the rising color before the other gates are asked, by gate name."""

    approve: bool = False
    """True when somebody has to approve each color and release first, with `bluegreen approve`;
    default false. The gate is called `approval`; a rollback needs none."""

    approval_hours: float = Field(default=24.0, gt=0, le=8760)
    """How long an approval counts; default 24."""

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
    def _readiness_is_a_guard(self) -> Self:
        ready = self.http.get(_READY)
        if ready is not None and ready.slow:
            msg = f"the gate http.{_READY} cannot be slow: a rollback never skips readiness"
            raise MisfitError(msg, "http", _READY, "slow", value="false")
        if ready is not None and ready.dry_run:
            msg = f"the gate http.{_READY} cannot be a dry run: no traffic without readiness"
            raise MisfitError(msg, "http", _READY, "dry_run", value="false")
        return self
