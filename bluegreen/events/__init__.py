"""The audit trail: what is written down about a switch or a refusal, and where it goes."""

from bluegreen.events.author import author, commit
from bluegreen.events.event import (
    VERSION,
    Event,
    EventKind,
    EventResult,
    Journal,
    RecordedVerdict,
    Trail,
)
from bluegreen.events.message import WebhookFormat
from bluegreen.events.reading import UnreadableEventError, read_event
from bluegreen.events.triggers import Expected, Trigger, trigger_of

__all__ = [
    "VERSION",
    "Event",
    "EventKind",
    "EventResult",
    "Expected",
    "Journal",
    "RecordedVerdict",
    "Trail",
    "Trigger",
    "UnreadableEventError",
    "WebhookFormat",
    "author",
    "commit",
    "read_event",
    "trigger_of",
]
