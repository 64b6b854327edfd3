"""Tells what became of the switches of a stack."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bluegreen.errors import DataPlaneError
from bluegreen.events import Event
from bluegreen.events.event_file import EventFile
from bluegreen.operations.attempts import Attempt, attempts_of
from bluegreen.operations.live import now
from bluegreen.operations.outcome import RefusedError, UsageError
from bluegreen.operations.stack import Stack
from bluegreen.operations.stack_file import StackConfig
from bluegreen.operations.standing import Standing, standings_of
from bluegreen.operations.targets import TargetFigure, TriggerFigure, targets_of, triggers_of
from bluegreen.operations.timeline import (
    Canary,
    Deployed,
    Period,
    canaries_of,
    deployed_of,
    periods_of,
)
from bluegreen.settings.service import Platform

__all__ = ["History", "read_history"]


@dataclass(frozen=True, slots=True)
class History:
    """The switches of a stack, and how well they went."""

    project: str
    stack: str
    at: str
    """When it was read; UTC, ISO 8601."""

    standings: tuple[Standing, ...]
    """Both colors as the last update left them; empty where nothing is deployed."""

    periods: tuple[Period, ...]
    """Which of them had production when, oldest first."""

    canaries: tuple[Canary, ...]
    """When the other one had which share, oldest first."""

    deployed: tuple[Deployed, ...]
    """The releases that came to them, oldest first."""

    attempts: tuple[Attempt, ...]
    """Oldest first."""

    targets: tuple[TargetFigure, ...]
    triggers: tuple[TriggerFigure, ...]
    updates: int
    """How many of the stack's updates were looked at."""

    events: int
    """How many entries of the audit trail were."""

    sources: tuple[str, ...]
    """The files that these came from."""

    elsewhere: str | None = None
    """Where the platform's own audit trail is, which is not read; None when it is read."""


def read_history(stack: Stack, *, count: int, files: tuple[Path, ...] = ()) -> History:
    """Reads the stack's history, and the audit trail where it is in a file of this machine.

    Args:
        stack: Whose.
        count: How many of its last updates are looked at.
        files: Entries that are somewhere else, as lines of JSON.

    Raises:
        UsageError: There is no such stack, or no such file.
        RefusedError: The engine, or a file, cannot be read.
    """
    for path in files:
        if not path.is_file():
            msg = f"there is no file {path}; nothing was done"
            raise UsageError(msg)
    config = StackConfig.read(stack.config_file, stack.project.name)
    with ThreadPoolExecutor(1) as pool:
        outputs = pool.submit(stack.outputs)
        updates = stack.history(count)
    sources = [each for each in (*files, *_own_files(stack, config)) if each.is_file()]
    events = [event for path in dict.fromkeys(sources) for event in _read(path)]
    since = updates[-1].started if updates else ""
    project = stack.project.name
    attempts = attempts_of(updates, events, project)
    return History(
        project=project,
        stack=stack.name,
        at=now(),
        standings=standings_of(outputs.result(), updates, project),
        periods=periods_of(attempts, updates, project),
        canaries=canaries_of(updates, project),
        deployed=deployed_of(updates, project),
        attempts=attempts,
        targets=targets_of(attempts),
        triggers=triggers_of(attempts),
        updates=len(updates),
        events=len({event.id for event in events if event.at >= since[:19]}),
        sources=tuple(map(str, dict.fromkeys(sources))),
        elsewhere=_trail_elsewhere(config),
    )


def _read(path: Path) -> list[Event]:
    try:
        return list(EventFile(path).recent())
    except DataPlaneError as error:
        msg = f"{error}; nothing was done"
        raise RefusedError(msg) from error


def _own_files(stack: Stack, config: StackConfig) -> list[Path]:
    """Where the program writes events on this machine, by its config."""
    root = stack.project.directory
    found = []
    events = config.service.get("events")
    if isinstance(events, dict) and isinstance(events.get("file"), str):
        found.append(root / events["file"])
    if config.service.get("platform", Platform.ONPREM) == Platform.ONPREM:
        onprem = config.service.get("onprem")
        written = onprem.get("run_directory") if isinstance(onprem, dict) else None
        name = str(config.service.get("name"))
        own = Path(".bluegreen", "run", stack.project.name, stack.name.rsplit("/", 1)[-1], name)
        found.append(root / (written or own) / "events.jsonl")
    return found


def _trail_elsewhere(config: StackConfig) -> str | None:
    """Where the program keeps events beside files, in words; by its config."""
    service, name = config.service, config.service.get("name")
    platform = service.get("platform", Platform.ONPREM)
    own = service.get(str(platform))
    written = own if isinstance(own, dict) else {}
    if platform == Platform.KUBERNETES:
        where = f"namespace {written['namespace']}" if written.get("namespace") else "its namespace"
        return f"Events of {name} in {where}, which the cluster keeps for an hour by default"
    if platform == Platform.AWS:
        group = written.get("events_log_group") or f"/{name}/deployments"
        return f"the log group {group} of CloudWatch Logs, stream traffic-switches"
    return None
