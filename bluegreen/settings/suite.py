"""What stands under `service.gates.suite`: requests that build on each other."""

from collections import Counter
from collections.abc import Iterator
from typing import Literal, Self

from pydantic import Field, JsonValue, model_validator

from bluegreen.settings.base import MisfitError, SettingsModel
from bluegreen.settings.gate import (
    GateName,
    GateSettings,
    HeaderName,
    JsonFieldPath,
    JsonScalar,
    RequestPath,
    Seconds,
    VariableName,
)
from bluegreen.settings.placeholders import PlaceholderName, names_in, names_in_json

__all__ = ["SuiteGateSettings", "SuiteStepSettings"]

_KNOWN = ("color", "release", "service")
_WITHOUT_BODY = ("GET", "HEAD")


class SuiteStepSettings(SettingsModel):
    """One request, and what its answer must be."""

    name: GateName
    """What the step is called in a verdict, for example `login`."""

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    """Default GET."""

    path: RequestPath
    """Path on the color-pinned address, query included. `{name}` stands for what an earlier step
    took, for a secret, or for `color`, `release` or `service`; `{{name}}` is `{name}` itself."""

    headers: dict[HeaderName, str] = Field(default_factory=dict, repr=False)
    """Sent with the request, with `{name}` as in `path`: `{Authorization: "Bearer {token}"}`."""

    json_body: JsonValue = Field(default=None, repr=False)
    """Sent as JSON, with `{name}` in every text; default no body. A text that is `{name}` alone
    stays a number where it is one."""

    status: int = Field(default=200, ge=200, le=599)
    """The status that passes; default 200. 401 for a step that must be refused. Redirects are not
    followed."""

    json_fields: tuple[JsonFieldPath, ...] = ()
    """Fields of the JSON answer that must be there and not be null, levels parted by dots, for
    example `[orderId]`."""

    json_equals: dict[JsonFieldPath, JsonScalar] = Field(default_factory=dict)
    """What fields of the JSON answer must be, with `{name}` as in `path`."""

    take: dict[PlaceholderName, JsonFieldPath] = Field(default_factory=dict)
    """What later steps may use, by name, and the field of the JSON answer that it is in:
    `{token: access_token}`. Texts of 8 characters or more are masked wherever they would show."""

    @property
    def texts(self) -> Iterator[tuple[tuple[str, ...], Iterator[str]]]:
        """Every place that may have names in braces, and the names."""
        yield ("path",), names_in(self.path)
        for header, text in self.headers.items():
            yield ("headers", header), names_in(text)
        yield ("json_body",), names_in_json(self.json_body)
        for field, wanted in self.json_equals.items():
            yield ("json_equals", field), names_in_json(wanted)

    @model_validator(mode="after")
    def _bodies_are_where_they_can_be(self) -> Self:
        if self.json_body is not None and self.method in _WITHOUT_BODY:
            msg = f"a {self.method} has no body to send json_body in"
            raise MisfitError(msg, "method", value="POST")
        if self.method == "HEAD" and (self.json_fields or self.json_equals or self.take):
            msg = "an answer to HEAD has no body with fields in it"
            raise MisfitError(msg, "method", value="GET")
        return self


class SuiteGateSettings(GateSettings):
    """One gate under `suite`: requests one after the other, each over a connection of its own."""

    steps: tuple[SuiteStepSettings, ...]
    """In this order; the first one that is not answered as it should be ends the suite."""

    secret_env: dict[PlaceholderName, VariableName] = Field(default_factory=dict)
    """Secrets that steps may use, and the environment variables of `pulumi up` that hold them:
    `{password: SMOKE_PASSWORD}`. Masked wherever they would show."""

    timeout_seconds: Seconds = 60
    """How long all steps together may take; default 60."""

    request_timeout_seconds: Seconds = 5
    """How long one answer may take; default 5."""

    @model_validator(mode="after")
    def _steps_have_names_of_their_own(self) -> Self:
        if not self.steps:
            msg = "there are no steps, and a gate that asks nothing always passes"
            raise MisfitError(msg, "steps", 0, "path", value="/health")
        counts = Counter(step.name for step in self.steps)
        for index, step in enumerate(self.steps):
            if counts[step.name] > 1:
                msg = f"more than one step is called {step.name}"
                raise MisfitError(msg, "steps", index, "name")
        return self

    @model_validator(mode="after")
    def _names_in_braces_are_known(self) -> Self:
        unknown = list(self._unknown_names())
        if unknown:
            _, place = unknown[0]
            listed = ", ".join(f"{{{name}}} in step {self._where(at)}" for name, at in unknown)
            msg = f"{listed}: no earlier step takes it, and secret_env does not name it"
            raise MisfitError(msg, *place)
        return self

    def _unknown_names(self) -> Iterator[tuple[str, tuple[int | str, ...]]]:
        known = {*_KNOWN, *self.secret_env}
        for index, step in enumerate(self.steps):
            for place, names in step.texts:
                for name in names:
                    if name not in known:
                        yield name, ("steps", index, *place)
            known |= step.take.keys()

    def _where(self, place: tuple[int | str, ...]) -> str:
        _, index, *rest = place
        return f"{self.steps[int(index)].name}.{'.'.join(map(str, rest))}"

    @model_validator(mode="after")
    def _taken_values_replace_nothing(self) -> Self:
        for name in self.secret_env:
            if name in _KNOWN:
                msg = f"{{{name}}} is known by itself"
                raise MisfitError(msg, "secret_env", name, value=None)
        for index, step in enumerate(self.steps):
            for name in step.take:
                if name in _KNOWN or name in self.secret_env:
                    msg = f"step {step.name} takes {name}, which is known before"
                    raise MisfitError(msg, "steps", index, "take", name, value=None)
        return self
