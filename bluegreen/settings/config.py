"""The whole of a stack's config: read, checked, and every problem told at once."""

import difflib
import json
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import ErrorDetails

from bluegreen.colors import Color
from bluegreen.contract import ConfigKey
from bluegreen.errors import ConfigError
from bluegreen.settings.base import SettingsModel
from bluegreen.settings.color import ColorSettings
from bluegreen.settings.roles import CanarySettings, RetiredSettings
from bluegreen.settings.service import ServiceSettings

__all__ = ["ConfigSource", "ServiceConfig"]


class ConfigSource(Protocol):
    """Where config comes from; `pulumi.Config` is one."""

    @property
    def name(self) -> str:
        """The namespace of the keys, for messages: the project's name."""

    def get(self, key: str) -> str | None:
        """The text of one key; structured values as JSON."""


class ServiceConfig(SettingsModel):
    """One service: what a person writes into the stack config."""

    active_color: Color
    """The color that is to have production traffic. Changing it is the switch."""

    service: ServiceSettings
    """What is the same for both colors."""

    blue: ColorSettings | None = None
    """The blue color; may be absent until something is deployed there."""

    green: ColorSettings | None = None
    """The green color; may be absent until something is deployed there."""

    canary: CanarySettings | None = None
    """A share of production traffic for the idle color."""

    retired: RetiredSettings | None = Field(default=None)
    """An idle color that is to shrink."""

    def color(self, color: Color) -> ColorSettings | None:
        """What is said about one color; None where nothing has been deployed yet."""
        return self.blue if color is Color.BLUE else self.green

    @classmethod
    def load(cls, source: ConfigSource) -> "ServiceConfig":
        """Reads the config of a stack.

        Raises:
            ConfigError: One line per problem, by the key that was written, with the command
                that fixes it. Nothing has been changed then.
        """
        try:
            config = cls.model_validate(_read(source))
        except ValidationError as error:
            lines = [_line(source.name, details) for details in error.errors()]
            raise ConfigError(lines) from error
        problems = [f"{source.name}:{text}" for text in _contradictions(config)]
        if problems:
            raise ConfigError(problems)
        return config


def _read(source: ConfigSource) -> dict[str, Any]:
    texts = {key: text for key in ConfigKey if (text := source.get(key)) is not None}
    return {
        key: text if key is ConfigKey.ACTIVE_COLOR else _structure(text)
        for key, text in texts.items()
    }


def _structure(text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        # Plain text where a mapping is wanted: validation says so, together with all the rest.
        return text


def _contradictions(config: ServiceConfig) -> Iterator[str]:
    """What no single value gets wrong, but the values together do."""
    active = config.active_color
    if config.color(active) is None:
        yield (
            f"{active}: is missing, but active_color is {active}; say what runs there with "
            f"`pulumi config set --path {active}.release VERSION --type string`"
        )
    yield from _canary_contradictions(config)
    for color in Color:
        settings = config.color(color)
        if settings is None:
            continue
        slots = config.service.onprem.slots
        if settings.replicas > slots:
            yield (
                f"{color}.replicas: {settings.replicas} members do not fit into {slots} slots; "
                f"`pulumi config set --path service.onprem.slots {settings.replicas}`"
            )
        if settings.command is None and config.service.onprem.command is None:
            yield (
                f"{color}.command: is missing, and so is service.onprem.command; "
                "`pulumi config set --path service.onprem.command 'PROGRAM --port {port}'`"
            )


def _canary_contradictions(config: ServiceConfig) -> Iterator[str]:
    canary = config.canary
    if canary is None or canary.percent == 0:
        return
    if config.color(canary.color) is None:
        yield (
            f"canary.color: {canary.color} has no release yet, so it cannot get "
            f"{canary.percent} % of the traffic; `pulumi config set --path canary.percent 0`"
        )


def _line(project: str, details: ErrorDetails) -> str:
    path = ".".join(str(part) for part in details["loc"])
    return f"{project}:{path}: {_complaint(details, path)}"


def _complaint(details: ErrorDetails, path: str) -> str:
    kind = details["type"]
    setter = "pulumi config set" if path == ConfigKey.ACTIVE_COLOR else "pulumi config set --path"
    if kind == "missing":
        return f"is missing; `{setter} {path} VALUE`"
    if kind == "extra_forbidden":
        return f"is not a known key{_suggestion(details['loc'])}; `pulumi config rm --path {path}`"
    if kind == "model_type":
        return (
            f"is {_shown(details)}, but a mapping is wanted; `pulumi config rm {path}`, then set "
            f"its parts with `{setter} {path}.KEY VALUE`"
        )
    if kind == "string_type" and isinstance(details["input"], int | float):
        value = "VALUE" if _may_be_secret(details) else json.dumps(details["input"])
        return f"{_shown(details)} is not text; `{setter} {path} {value} --type string`"
    if kind == "enum":
        allowed = details["ctx"]["expected"].replace("'", "")
        return f"{_shown(details)} is not {allowed}; `{setter} {path} VALUE`"
    if kind == "value_error":
        return str(details["ctx"]["error"])
    return f"{_shown(details)}: {_lower_first(details['msg'])}; `{setter} {path} VALUE`"


def _shown(details: ErrorDetails) -> str:
    if _may_be_secret(details):
        return "the value (not shown)"
    text = json.dumps(details["input"], default=str)
    return text if len(text) <= 80 else text[:77] + "..."  # noqa: PLR2004


def _may_be_secret(details: ErrorDetails) -> bool:
    """Environments often carry passwords."""
    return "env" in details["loc"]


def _suggestion(location: Sequence[int | str]) -> str:
    known = _known_keys(ServiceConfig, location[:-1])
    close = difflib.get_close_matches(str(location[-1]), known, n=1)
    if close:
        return f", did you mean {close[0]}?"
    return f" (known: {', '.join(sorted(known))})" if known else ""


def _known_keys(model: type[BaseModel], location: Sequence[int | str]) -> list[str]:
    for part in location:
        field = model.model_fields.get(str(part))
        inner = _model_in(field.annotation) if field else None
        if inner is None:
            return []
        model = inner
    return list(model.model_fields)


def _model_in(annotation: object) -> type[BaseModel] | None:
    candidates = [annotation, *getattr(annotation, "__args__", ())]
    for candidate in candidates:
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
