"""One entry of the audit trail."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Protocol

from bluegreen.colors import Color
from bluegreen.events.triggers import Trigger

__all__ = ["VERSION", "Event", "EventKind", "EventResult", "Journal", "RecordedVerdict", "Trail"]

VERSION = 1
"""Of the schema; raised when a reader of the former one would misread an entry."""


class EventKind(StrEnum):
    """What happened."""

    SWITCH = "switch"
    """Production traffic moved and was seen to follow."""

    NOT_FOLLOWED = "not_followed"
    """The router was written, and traffic was not seen to follow; the next update asks again."""

    REFUSAL = "refusal"
    """A gate or a guard stopped an update."""

    LIVE_CHANGE = "live_change"
    """Somebody allowed the release of a color with traffic to change."""

    EARLY_RETIREMENT = "early_retirement"
    """Somebody allowed a color to shrink before its retention was over."""

    @property
    def result(self) -> "EventResult":
        """How an entry of this kind ended."""
        return _RESULTS[self]


class EventResult(StrEnum):
    """How it ended."""

    DONE = "done"
    """What was wanted is so."""

    REFUSED = "refused"
    """Nothing was changed by the step that was stopped."""

    FAILED = "failed"
    """Something was changed, and what was wanted is not seen to be so."""


_RESULTS = {
    EventKind.SWITCH: EventResult.DONE,
    EventKind.NOT_FOLLOWED: EventResult.FAILED,
    EventKind.REFUSAL: EventResult.REFUSED,
    EventKind.LIVE_CHANGE: EventResult.DONE,
    EventKind.EARLY_RETIREMENT: EventResult.DONE,
}


@dataclass(frozen=True, slots=True)
class RecordedVerdict:
    """What one gate said, kept with what it measured."""

    gate: str
    """Its name."""

    passed: bool
    """False when it stopped the update."""

    reason: str
    """One line with the values, for people."""

    value: str | None = None
    """What was measured; null when nothing could be."""

    limit: str | None = None
    """What was demanded."""

    duration_seconds: float | None = None
    """How long the gate took; null in entries of version 0."""

    result: str = ""
    """How it ended in words: passed, warning, refused, would refuse (a dry run), not asked."""

    def __str__(self) -> str:
        result = self.result or ("passed" if self.passed else "refused")
        return f"{self.gate}: {result}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One entry of the audit trail; every value is plain and none is a secret."""

    kind: EventKind
    """What happened."""

    at: str
    """When it was written down: UTC, ISO 8601."""

    by: str
    """Who ran the update: `BLUEGREEN_BY`, else `user@host`."""

    service: str
    """The service's name in the program."""

    from_split: str
    """What was live before, for people."""

    to_split: str
    """What was wanted, for people."""

    releases: Mapping[str, str]
    """The release of each color in the config of this update."""

    verdicts: tuple[RecordedVerdict, ...] = ()
    """What each gate said that this update asked."""

    reason: str = ""
    """Why: of a refusal its text, of a permission or a rollback what somebody gave."""

    commit: str = ""
    """The commit that the update was made from, where the environment says it."""

    details: Mapping[str, str] = field(default_factory=dict)
    """What else one kind has to say."""

    stack: str = ""
    """Project and stack, `shop/prod`; empty in entries of version 0."""

    from_color: Color | None = None
    """The active color before; null where there was none, or the kind has none."""

    to_color: Color | None = None
    """The active color that was wanted; null in entries of version 0."""

    rollback: bool = False
    """True when somebody asked for a rollback, and it was one."""

    trigger: Trigger | None = None
    """The class of incident that a rollback's reason begins with."""

    permissions: Mapping[str, str] = field(default_factory=dict)
    """One-shot permissions that lifted something in this update, each with its reason."""

    durations_seconds: Mapping[str, float] = field(default_factory=dict)
    """How long parts of the update took: `update` since its program started, `gates`, `write` of
    the router, `follow` until traffic was seen to, `cutover` both of these."""

    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    """Unique: the same entry in another place has the same."""

    result: EventResult = EventResult.DONE
    """How it ended; goes with the kind."""

    version: int = VERSION
    """Of the schema that this entry has; 0 is written by nobody any more."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "result", self.kind.result)

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self), sort_keys=True)


class Journal(Protocol):
    """Where events are kept."""

    def record(self, event: Event) -> None:
        """Appends an event; raises `DataPlaneError` when it could not be kept."""


class Trail(Journal, Protocol):
    """Events that can be read again."""

    def recent(self) -> Sequence[Event]:
        """The latest entries, as many as can be read at once; those nobody can read are left out.

        Raises `DataPlaneError` when the place cannot be read.
        """
