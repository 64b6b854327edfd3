"""What a program says is live, when it is asked to: the answer to `RequestVariable.REPORT`."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from bluegreen.colors import Color

__all__ = ["REPORT_VERSION", "ColorReport", "Report", "VerdictReport"]

REPORT_VERSION = 1

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class ColorReport:
    """One color as the data plane has it now; None where it cannot be told."""

    release: str | None = None
    """What its members run; None also when it has none."""

    wanted_release: str | None = None
    """What the config says it is to hold; None when it is not in the config."""

    share: int | None = None
    """Percent of production traffic."""

    ready: int | None = None
    desired: int | None = None
    """Members that could take traffic, and how many it is meant to have."""

    sessions: int | None = None
    """Requests it is working on."""

    is_retired: bool = False
    note: str = ""
    """Why something is not as it should be, or cannot be told."""


@dataclass(frozen=True, slots=True)
class VerdictReport:
    """What one gate said of a color that was validated."""

    gate: str
    passed: bool
    reason: str
    value: str | None = None
    limit: str | None = None
    duration_seconds: float = 0.0
    is_warning: bool = False
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What is live, all of it asked of the data plane at one moment."""

    service: str
    at: str
    """When it was asked; UTC, ISO 8601."""

    active: str | None
    """The color that is live; None before the first deployment, or when it cannot be read."""

    wanted: str
    """The color that the config wants to be active."""

    colors: Mapping[str, ColorReport]
    flagged: str | None = None
    """The color that the active flag names."""

    last_switch: str | None = None
    """When the flag last changed; UTC, ISO 8601. None when it never did."""

    retention_hours: float = 0.0
    validated: str | None = None
    """The color whose gates were asked."""

    verdicts: tuple[VerdictReport, ...] = ()
    problem: str = ""
    """Why who is live cannot be told; empty when it can."""

    version: int = field(default=REPORT_VERSION)

    def to_json(self) -> str:
        """One JSON document."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Report":
        """Reads what `to_json` wrote, also by another version: keys nobody knows are left out.

        Raises:
            ValueError: It is no such document.
        """
        try:
            return cls._read(json.loads(text))
        except (KeyError, TypeError, AttributeError) as error:
            msg = f"this is no report of what is live: {type(error).__name__}: {error}"
            raise ValueError(msg) from error

    @classmethod
    def _read(cls, content: Mapping[str, Any]) -> "Report":
        colors = {
            str(Color(name)): _known(ColorReport, each) for name, each in content["colors"].items()
        }
        verdicts = tuple(_known(VerdictReport, each) for each in content.get("verdicts", ()))
        return _known(cls, {**content, "colors": colors, "verdicts": verdicts})


def _known(kind: type[_T], content: Mapping[str, Any]) -> _T:
    names = kind.__dataclass_fields__  # type: ignore[attr-defined]
    return kind(**{name: value for name, value in content.items() if name in names})
