"""One-shot permissions, given in the environment of a single `pulumi up`."""

from collections.abc import Mapping
from dataclasses import dataclass

from bluegreen.colors import Color
from bluegreen.contract import OverrideVariable
from bluegreen.errors import ConfigError

__all__ = ["ColorPermission", "Overrides", "ReleasePermission"]


@dataclass(frozen=True, slots=True)
class ColorPermission:
    """A permission that somebody gave for one color, with the reason that is recorded."""

    color: Color
    reason: str


@dataclass(frozen=True, slots=True)
class ReleasePermission:
    """A permission that somebody gave for one release, with the reason that is recorded."""

    release: str
    reason: str


@dataclass(frozen=True, slots=True)
class Overrides:
    """What this one update may do that it normally may not."""

    rollback: ColorPermission | None = None
    allow_live_change: ColorPermission | None = None
    retire_early: str | None = None
    override_window: str | None = None
    acknowledge: ReleasePermission | None = None

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Overrides":
        """Reads the variables of `OverrideVariable`.

        Raises:
            ConfigError: A variable does not have the form `<color>:<reason>`, or has no reason.
        """
        return cls(
            rollback=_color_permission(environment, OverrideVariable.ROLLBACK),
            allow_live_change=_color_permission(environment, OverrideVariable.ALLOW_LIVE_CHANGE),
            retire_early=_reason(environment, OverrideVariable.RETIRE_EARLY),
            override_window=_reason(environment, OverrideVariable.OVERRIDE_WINDOW),
            acknowledge=_release_permission(environment, OverrideVariable.ACKNOWLEDGE),
        )

    @property
    def given(self) -> tuple[OverrideVariable, ...]:
        """The variables that were set."""
        return tuple(self._reasons())

    def reason(self, variable: OverrideVariable) -> str:
        """Why somebody set a variable; empty when nobody did."""
        return self._reasons().get(variable, "")

    def _reasons(self) -> dict[OverrideVariable, str]:
        permissions = {
            OverrideVariable.ROLLBACK: self.rollback,
            OverrideVariable.ALLOW_LIVE_CHANGE: self.allow_live_change,
            OverrideVariable.ACKNOWLEDGE: self.acknowledge,
        }
        reasons = {name: each.reason for name, each in permissions.items() if each is not None}
        texts = {
            OverrideVariable.RETIRE_EARLY: self.retire_early,
            OverrideVariable.OVERRIDE_WINDOW: self.override_window,
        }
        return reasons | {name: text for name, text in texts.items() if text is not None}


def _color_permission(
    environment: Mapping[str, str], variable: OverrideVariable
) -> ColorPermission | None:
    text = environment.get(variable)
    if text is None:
        return None
    color, _, reason = text.partition(":")
    if color not in set(Color) or not reason.strip():
        raise ConfigError(
            [
                f"{variable}: {text!r} does not name a color and a reason; nothing was changed; "
                f"write {variable}='blue:why' or {variable}='green:why'"
            ]
        )
    return ColorPermission(Color(color), reason.strip())


def _release_permission(
    environment: Mapping[str, str], variable: OverrideVariable
) -> ReleasePermission | None:
    text = environment.get(variable)
    if text is None:
        return None
    release, _, reason = text.partition(":")
    if not release.strip() or not reason.strip():
        raise ConfigError(
            [
                f"{variable}: {text!r} does not name a release and a reason; nothing was changed; "
                f"write {variable}='1.1:why'"
            ]
        )
    return ReleasePermission(release.strip(), reason.strip())


def _reason(environment: Mapping[str, str], variable: OverrideVariable) -> str | None:
    text = environment.get(variable)
    if text is None:
        return None
    if not text.strip():
        raise ConfigError([f"{variable} is empty; nothing was changed; write {variable}='why'"])
    return text.strip()
