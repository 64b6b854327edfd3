"""Who else is told of an event than the platform's own audit trail."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bluegreen.events import Journal
from bluegreen.events.event_file import EventFile
from bluegreen.events.webhook import Webhook
from bluegreen.settings.events import EventsSettings

__all__ = ["deliveries", "delivery_problems"]


def deliveries(
    settings: EventsSettings, environment: Mapping[str, str], directory: Path
) -> Sequence[Journal]:
    """What each event goes to as well.

    Args:
        settings: What stands under `service.events`.
        environment: Has the webhook's address.
        directory: What a relative path of the file is below of.
    """
    found: list[Journal] = []
    if settings.file is not None:
        found.append(EventFile(directory / settings.file))
    if (webhook := _webhook(settings, environment)) is not None:
        found.append(webhook)
    return found


def delivery_problems(
    settings: EventsSettings, environment: Mapping[str, str], directory: Path
) -> list[str]:
    """What will keep an event from being delivered, as far as that can be told without trying."""
    problems = []
    if settings.file is not None and not (directory / settings.file).parent.is_dir():
        problems.append(f"service.events.file: there is no folder for {settings.file}")
    webhook = _webhook(settings, environment)
    if webhook is not None and webhook.problem is not None:
        problems.append(f"service.events.webhook: {webhook.problem}")
    return [f"{each}; events will not get there" for each in problems]


def _webhook(settings: EventsSettings, environment: Mapping[str, str]) -> Webhook | None:
    written = settings.webhook
    if written is None:
        return None
    return Webhook(
        written.url_env,
        environment.get(written.url_env),
        body=written.format,
        timeout_seconds=written.timeout_seconds,
    )
