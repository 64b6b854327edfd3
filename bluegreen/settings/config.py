"""The whole of a stack's config: read, checked, and every problem told at once."""

import json
from collections.abc import Iterator
from typing import Any, Protocol

from pydantic import ConfigDict, ValidationError

from bluegreen.colors import Color
from bluegreen.contract import ConfigKey
from bluegreen.errors import ConfigError
from bluegreen.settings.base import SettingsModel
from bluegreen.settings.color import ColorSettings
from bluegreen.settings.problems import problem_lines
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

    # Below `env` there may be passwords, and a traceback would show what was written there.
    model_config = ConfigDict(hide_input_in_errors=True)

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

    retired: RetiredSettings | None = None
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
            raise ConfigError(problem_lines(source.name, cls, error)) from error
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
