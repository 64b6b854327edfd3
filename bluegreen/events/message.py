"""An event in a few lines for a chat."""

from enum import StrEnum

from bluegreen.events.event import Event, EventKind

__all__ = ["WebhookFormat", "message"]

_LONGEST = 3000
_HEADLINES = {
    EventKind.SWITCH: "switched",
    EventKind.NOT_FOLLOWED: "switched, but traffic does not follow",
    EventKind.REFUSAL: "refused",
    EventKind.LIVE_CHANGE: "live members change, allowed",
    EventKind.EARLY_RETIREMENT: "retired before its time, allowed",
}


class WebhookFormat(StrEnum):
    """What is posted."""

    JSON = "json"
    """The event as it is in the audit trail."""

    SLACK = "slack"
    """`{"text": …}`, which Slack and those that take what Slack takes show."""


def message(event: Event) -> str:
    """The event as Slack's `text`, its special signs escaped; at most 3,000 characters."""
    headline = "rolled back" if event.rollback else _HEADLINES[event.kind]
    stack = f" ({event.stack})" if event.stack else ""
    commit = f", commit {event.commit}" if event.commit else ""
    lines = [
        f"*{_escaped(event.service)}*{_escaped(stack)}: {headline}: "
        f"{_escaped(event.from_split)} → {_escaped(event.to_split)}",
        f"by {_escaped(event.by)}{_escaped(commit)}",
    ]
    if event.reason:
        lines.append(_escaped(event.reason))
    lines += [f"{name}: {_escaped(why)}" for name, why in sorted(event.permissions.items())]
    if (seconds := event.durations_seconds.get("cutover")) is not None:
        lines.append(f"cutover {seconds:.1f} s")
    return "\n".join(lines)[:_LONGEST]


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
