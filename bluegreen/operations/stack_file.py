"""What the config file of a stack says, read as a person would: leniently, and never changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bluegreen.colors import Color
from bluegreen.contract import ConfigKey
from bluegreen.operations.outcome import RefusedError, UsageError
from bluegreen.settings.following import ColorFromSettings

__all__ = ["StackConfig"]

_RETENTION_HOURS = 24.0


@dataclass(frozen=True, slots=True)
class StackConfig:
    """The library's keys in a stack's config file; what is wrong in it, the program will say."""

    values: Mapping[str, Any]
    """By the keys of `ConfigKey`."""

    everything: Mapping[str, Any] = field(default_factory=dict)
    """All that the file has, also for providers, by its full keys."""

    @classmethod
    def read(cls, path: Path, namespace: str) -> "StackConfig":
        """Reads the file.

        Raises:
            UsageError: It is not there.
            RefusedError: It cannot be read, or is no YAML.
        """
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except FileNotFoundError as error:
            msg = f"there is no {path}; nothing was done; is the stack's name right?"
            raise UsageError(msg) from error
        except OSError as error:
            msg = f"{path} cannot be read: {error.strerror}; nothing was done"
            raise RefusedError(msg) from error
        except (ValueError, yaml.YAMLError) as error:
            msg = f"{path} is no YAML: {error}; nothing was done"
            raise RefusedError(msg) from error
        config = content.get("config") if isinstance(content, dict) else None
        written = config if isinstance(config, dict) else {}
        return cls({key: written.get(f"{namespace}:{key}") for key in ConfigKey}, written)

    @property
    def active_color(self) -> Color | None:
        """The color that is wanted; None when it is not written, or is no color."""
        return Color.read(self.values[ConfigKey.ACTIVE_COLOR])

    @property
    def canary_percent(self) -> int:
        """What the canary gets; 0 without one."""
        percent = self._mapping(ConfigKey.CANARY).get("percent", 0)
        return percent if isinstance(percent, int) else 0

    @property
    def retired_color(self) -> Color | None:
        """The color that is to shrink while it is idle; None without such an entry."""
        return Color.read(self._mapping(ConfigKey.RETIRED).get("color"))

    @property
    def retention_hours(self) -> float:
        """How long the rollback target must stay able to serve."""
        written = self.service.get("retention_hours", _RETENTION_HOURS)
        return float(written) if isinstance(written, int | float) else _RETENTION_HOURS

    @property
    def service(self) -> Mapping[str, Any]:
        """What stands under `service`."""
        return self._mapping(ConfigKey.SERVICE)

    def color(self, color: Color) -> Mapping[str, Any]:
        """What stands under a color; empty when it is not there."""
        return self._mapping(ConfigKey(str(color)))

    @property
    def color_from(self) -> ColorFromSettings | None:
        """Where an answer says which color gave it; None when it is not written, or wrongly."""
        written = self.service.get("color_from")
        try:
            return ColorFromSettings.model_validate(written) if written else None
        except ValueError:
            return None

    def _mapping(self, key: ConfigKey) -> Mapping[str, Any]:
        written = self.values[key]
        return written if isinstance(written, dict) else {}
