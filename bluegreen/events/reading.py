"""Entries of the audit trail as they were written: this version's, and those before it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bluegreen.events.event import VERSION, Event, RecordedVerdict

__all__ = ["UnreadableEventError", "read_event"]

_LONGEST_SHOWN = 60


class UnreadableEventError(ValueError):
    """A line is no entry of an audit trail, or one of a later version."""


def read_event(line: str) -> Event:
    """The entry that a line of JSON holds; keys that nobody knows are left alone.

    Raises:
        UnreadableEventError: It holds none, or one of a version that is not known yet.
    """
    try:
        entry = json.loads(line)
    except ValueError as error:
        msg = f"is no JSON: {_shown(line)}"
        raise UnreadableEventError(msg) from error
    if not isinstance(entry, dict):
        msg = f"is no JSON object: {_shown(line)}"
        raise UnreadableEventError(msg)
    version = entry.get("version", 0)
    if not isinstance(version, int) or version > VERSION:
        msg = f"has version {version}, this program reads up to {VERSION}; take a newer one"
        raise UnreadableEventError(msg)
    try:
        event = _adapter().validate_python(_version_0(entry) if version == 0 else entry)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(each) for each in first["loc"])
        msg = f"is no entry of an audit trail: {place}: {first['msg'].lower()}"
        raise UnreadableEventError(msg) from None
    if not _is_moment(event.at):
        msg = f"is no entry of an audit trail: at: {_shown(event.at)} is no moment with its zone"
        raise UnreadableEventError(msg)
    return event


def _is_moment(text: str) -> bool:
    """Whether entries can be put in order by it."""
    try:
        moment = datetime.fromisoformat(text)
        moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return False
    return moment.tzinfo is not None


@cache
def _adapter() -> TypeAdapter[Event]:
    return TypeAdapter(Event)


def _version_0(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Verdicts were lines of text, and entries had no name."""
    at, kind = entry.get("at", ""), entry.get("kind", "")
    verdicts = [_verdict(each) for each in entry.get("verdicts", ()) if isinstance(each, str)]
    return {**entry, "version": 0, "id": f"{at} {kind}", "verdicts": verdicts}


def _verdict(text: str) -> RecordedVerdict:
    gate, _, rest = text.partition(": ")
    mark, _, reason = rest.partition(": ")
    return RecordedVerdict(gate, passed=mark != "refused", reason=reason, result=mark)


def _shown(line: str) -> str:
    return repr(line if len(line) <= _LONGEST_SHOWN else f"{line[:_LONGEST_SHOWN]}…")
