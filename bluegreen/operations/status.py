"""What the last update left, and what is live now; each with its source and its time."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from bluegreen.colors import Color
from bluegreen.contract import ConfigKey, OutputName
from bluegreen.operations.live import HttpAnswers, ask_program, ask_url, differs_from
from bluegreen.operations.stack import PastUpdate, Stack
from bluegreen.operations.stack_file import StackConfig
from bluegreen.report import Report

__all__ = ["LastSwitch", "Status", "last_switch_in", "problems_of", "read_status"]

_HISTORY = 25
_ANSWERS = 10


@dataclass(frozen=True, slots=True)
class LastSwitch:
    """When production last went from one color to the other, as the stack's history has it."""

    at: str
    from_color: str
    to_color: str
    by: str | None
    """Who; None where the history does not know."""

    message: str
    """What was said about it."""


@dataclass(frozen=True, slots=True)
class Status:
    """Both colors of one stack."""

    stack: str
    active_color: str | None
    """Recorded: the color that the last update left with production."""

    wanted_color: str | None
    """The color that the config file names."""

    wanted_canary_percent: int
    releases: Mapping[str, str]
    """Recorded."""

    replicas: Mapping[str, int | None]
    """What the config file gives each color that it has."""

    production_url: str | None
    test_url: str | None
    guarantee: str | None
    last_update: str | None
    """When the last update ended, and how."""

    last_switch: LastSwitch | None
    """None when there is none in the last updates."""

    retention_until: str | None
    """Until when the idle color must stay able to serve; None without a switch."""

    production: HttpAnswers | None
    test: HttpAnswers | None
    report: Report | None
    """What the program says; None when it was not asked."""


def read_status(stack: Stack, *, from_program: bool = False) -> Status:
    """Reads what is recorded and asks what is live.

    Args:
        stack: Whose.
        from_program: True to run the program, which asks the data plane: takes as long as a
            preview. Without it, production and test address are asked over HTTP.

    Raises:
        OperationError: The stack is not there, or cannot be read.
    """
    config = StackConfig.read(stack.config_file, stack.project.name)
    with ThreadPoolExecutor(2) as pool:
        history = pool.submit(stack.history, _HISTORY)
        outputs = stack.outputs()
        urls = [outputs.get(OutputName.PRODUCTION_URL), outputs.get(OutputName.TEST_URL)]
        asked = [
            ask_url(url, config.color_from, count=_ANSWERS) if isinstance(url, str) else None
            for url in urls
        ]
        updates = history.result()
    switch = last_switch_in(updates, f"{stack.project.name}:{ConfigKey.ACTIVE_COLOR}")
    report = ask_program(stack) if from_program else None
    return Status(
        stack=stack.name,
        active_color=outputs.get(OutputName.ACTIVE_COLOR),
        wanted_color=str(config.active_color) if config.active_color else None,
        wanted_canary_percent=config.canary_percent,
        releases=outputs.get(OutputName.RELEASES) or {},
        replicas={
            str(color): config.color(color).get("replicas")
            for color in Color
            if config.color(color)
        },
        production_url=urls[0],
        test_url=urls[1],
        guarantee=outputs.get(OutputName.GUARANTEE),
        last_update=_last_update(updates),
        last_switch=switch,
        retention_until=_retention_until(report, switch, config.retention_hours),
        production=asked[0],
        test=asked[1],
        report=report,
    )


def last_switch_in(updates: Sequence[PastUpdate], key: str) -> LastSwitch | None:
    """The newest update that succeeded with another active color than the one before it."""
    succeeded = [each for each in updates if each.kind == "update" and each.result == "succeeded"]
    for after, before in pairwise(succeeded):
        colors = before.config.get(key), after.config.get(key)
        if colors[0] != colors[1] and set(colors) <= set(map(str, Color)):
            return LastSwitch(
                at=after.over,
                from_color=str(colors[0]),
                to_color=str(colors[1]),
                by=after.by,
                message=after.message,
            )
    return None


def _last_update(updates: Sequence[PastUpdate]) -> str | None:
    return f"{updates[0].kind} {updates[0].result} {updates[0].ended or ''}" if updates else None


def _retention_until(report: Report | None, switch: LastSwitch | None, hours: float) -> str | None:
    at = report.last_switch if report else switch.at if switch else None
    if at is None:
        return None
    until = datetime.fromisoformat(at).astimezone(UTC) + timedelta(hours=hours)
    return until.isoformat(timespec="seconds")


def problems_of(status: Status) -> tuple[str, ...]:
    """What somebody should do something about, in words."""
    found: list[str] = []
    if status.active_color is None:
        found.append("nothing is deployed yet; `pulumi up` does that")
        return tuple(found)
    if status.wanted_color not in {None, status.active_color}:
        found.append(
            f"the config wants {status.wanted_color}, the last update left {status.active_color}: "
            f"`bluegreen switch --to {status.wanted_color}` does it, "
            f"`bluegreen switch --to {status.active_color}` takes it back"
        )
    found += _differences(status, Color(status.active_color))
    if status.report and status.report.problem:
        found.append(status.report.problem)
    if status.production and status.production.failed:
        each = status.production
        found.append(f"production: {each.failed} of {each.count} failed: {each.problem}")
    return tuple(found)


def _differences(status: Status, recorded: Color) -> list[str]:
    """Production that is not where the last update left it."""
    is_applied = status.wanted_color == recorded
    percent = status.wanted_canary_percent if is_applied else 0
    ways = (
        "somebody moved it, or an update was killed; "
        f"`bluegreen switch --to {recorded}` moves it back, `--to {recorded.other}` the other way"
    )
    if status.report is not None:
        difference = differs_from(status.report, recorded, percent)
        return [f"{difference}: {ways}"] if difference and not status.report.problem else []
    answering = set(status.production.colors) if status.production else set()
    if answering <= {str(recorded)} or percent or not is_applied:
        return []
    who = " and ".join(sorted(answering))
    return [f"production answers from {who}, but the last update left {recorded}: {ways}"]
