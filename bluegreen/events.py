"""What is written down about a switch or a refusal."""

import getpass
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Protocol

__all__ = ["Event", "EventKind", "Journal", "author", "commit"]

_PIPELINE_VARIABLE = "BLUEGREEN_BY"
_COMMIT_VARIABLES = ("BLUEGREEN_COMMIT", "GITHUB_SHA", "CI_COMMIT_SHA", "BUILD_SOURCEVERSION")
"""Ours, and those of the usual pipelines."""

_USER_VARIABLES = ("LOGNAME", "USER", "LNAME", "USERNAME")
"""In the order in which `getpass` looks at them."""


class EventKind(StrEnum):
    """What happened."""

    SWITCH = "switch"
    """Production traffic moved and was seen to follow."""

    REFUSAL = "refusal"
    """A gate or a guard stopped an update."""

    LIVE_CHANGE = "live_change"
    """Somebody allowed the release of a color with traffic to change."""

    EARLY_RETIREMENT = "early_retirement"
    """Somebody allowed a color to shrink before its retention was over."""


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the audit trail; every value is plain and none is a secret."""

    kind: EventKind
    at: str
    """UTC, ISO 8601."""

    by: str
    """Who ran the update."""

    service: str
    from_split: str
    to_split: str
    releases: Mapping[str, str]
    verdicts: tuple[Mapping[str, str | float | None], ...] = ()
    """What every gate said: `gate`, `result` (passed, warning, refused, would refuse, not asked),
    `reason`, what was measured as `value`, what was demanded as `limit`, and the `seconds` it took.
    """

    reason: str = ""
    commit: str = ""
    """The commit that the update was made from, where the environment says it."""

    details: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self), sort_keys=True)


class Journal(Protocol):
    """Where events are kept."""

    def record(self, event: Event) -> None:
        """Appends an event; raises `DataPlaneError` when it could not be kept."""


def author(environment: Mapping[str, str]) -> str:
    """Who runs this: what a pipeline says in `BLUEGREEN_BY`, else `user@host`."""
    pipeline = environment.get(_PIPELINE_VARIABLE)
    return pipeline or f"{_user(environment)}@{socket.gethostname()}"


def commit(environment: Mapping[str, str]) -> str:
    """The commit this is made from: `BLUEGREEN_COMMIT`, else what a pipeline says; or nothing."""
    return next(filter(None, map(environment.get, _COMMIT_VARIABLES)), "")


def _user(environment: Mapping[str, str]) -> str:
    named = next(filter(None, map(environment.get, _USER_VARIABLES)), None)
    if named is not None:
        return named
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run as a user that its password file does not know; OSError from 3.13 on.
        return f"uid {os.getuid()}"
