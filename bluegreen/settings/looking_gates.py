"""What stands under `service.gates` for gates that look at one answer of the rising color."""

from typing import Self

from pydantic import Field, JsonValue, model_validator

from bluegreen.settings.base import MisfitError
from bluegreen.settings.gate import (
    GateSettings,
    JsonFieldPath,
    JsonScalar,
    ProbeSettings,
    RequestPath,
    Seconds,
)

__all__ = ["DependenciesGateSettings", "FeatureFlagsGateSettings", "JsonSchemaGateSettings"]


class DependenciesGateSettings(ProbeSettings):
    """One gate under `dependencies`: databases, queues and other services, as members see them."""

    path: RequestPath = "/health/dependencies"
    """Path on the color-pinned address; default `/health/dependencies`."""

    status: int = Field(default=200, ge=200, le=599)
    """The status that passes; default 200. With another one the fields are told all the same."""

    json_equals: dict[JsonFieldPath, JsonScalar]
    """What each dependency's field must be, for example `{database.status: healthy}`; levels parted
    by dots."""

    @model_validator(mode="after")
    def _there_is_a_dependency(self) -> Self:
        if not self.json_equals:
            msg = "json_equals names no dependency"
            raise MisfitError(msg, "json_equals", "database.status", value="healthy")
        return self


class FeatureFlagsGateSettings(GateSettings):
    """One gate under `feature_flags`: what is switched on in the rising color.

    It is recorded, and refuses nothing unless `must_equal_live` or `json_equals` is written.
    """

    path: RequestPath = "/debug/feature-flags"
    """Path on the color-pinned addresses; default `/debug/feature-flags`."""

    json_field: JsonFieldPath | None = None
    """Field of the JSON answer that holds the flags, levels parted by dots; default the whole
    answer."""

    must_equal_live: bool = False
    """True to refuse when a flag is not what it is in the live color; default false."""

    ignore: tuple[str, ...] = ()
    """Flags that are not compared with the live color, levels parted by dots: a number that counts,
    or the flag that this release is about."""

    json_equals: dict[JsonFieldPath, JsonScalar] = Field(default_factory=dict)
    """Flags that must have a certain value, levels parted by dots."""

    timeout_seconds: Seconds = 10
    """How long to go on asking; default 10."""

    request_timeout_seconds: Seconds = 5
    """How long one answer may take; default 5."""

    @property
    def can_refuse(self) -> bool:
        """Whether something is demanded."""
        return self.must_equal_live or bool(self.json_equals)


class JsonSchemaGateSettings(ProbeSettings):
    """One gate under `json_schema`: answers keep to their contract.

    Needs the package jsonschema: `pip install 'bluegreen-pulumi[gates]'`.
    """

    status: int = Field(default=200, ge=200, le=599)
    """The status that passes; default 200."""

    json_schema: dict[str, JsonValue]
    """The schema itself; draft 2020-12, unless `$schema` says another. A `$ref` leads to places
    inside of it: nothing is fetched."""
