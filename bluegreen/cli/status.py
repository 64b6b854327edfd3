"""`bluegreen status`."""

import time
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bluegreen.cli.options import AsJson, Cwd, StackName
from bluegreen.cli.output import Output, ending
from bluegreen.operations import Stack
from bluegreen.operations.live import HttpAnswers
from bluegreen.operations.status import Status, problems_of, read_status

__all__ = ["status"]


def status(
    cwd: Cwd = Path(),
    stack: StackName = None,
    live: Annotated[
        bool,
        typer.Option("--live", help="Let the program ask the data plane: a preview, some seconds."),
    ] = False,  # typer's way to declare a switch
    watch: Annotated[
        float | None,
        typer.Option(help="Show it again every so many seconds, until Ctrl-C.", min=0.5),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show both colors: what the last update left, and what is live now.

    What is recorded comes from the stack and costs nothing. What is live comes from a few requests
    to production and to the test address; with --live, from the data plane itself: members that
    are ready, exact shares, requests under way.

    Examples:
        bluegreen status
        bluegreen status --live --json | jq .report.colors
        bluegreen status --watch 5
    """
    output = Output(as_json=as_json)
    with ending(output):
        opened = Stack.open(cwd, stack)
        while True:
            found = read_status(opened, from_program=live)
            output.result(found, partial(_page, found))
            for problem in problems_of(found):
                output.problem(problem)
            if watch is None:
                return
            try:
                time.sleep(watch)
            except KeyboardInterrupt:
                return


def _page(status: Status) -> RenderableType:
    table = Table(box=None, pad_edge=False)
    for heading in ("color", "role", "release", "members", "share", "under way"):
        table.add_column(heading)
    for color in ("blue", "green"):
        table.add_row(*_row(status, color))
    lines = [_headline(status), *_live_lines(status), *_switch_lines(status)]
    return Group(Text(lines[0]), table, *map(Text, lines[1:]))


def _headline(status: Status) -> str:
    active = status.active_color or "nothing"
    return f"{status.stack}: {active} is active (recorded: {status.last_update})"


def _row(status: Status, color: str) -> tuple[str, ...]:
    release = status.releases.get(color)
    told = status.report.colors.get(color) if status.report else None
    if release is None and told is None:
        return color, "", "none", "", "", ""
    role = "active" if color == status.active_color else "idle"
    if told is None:
        return color, role, release or "none", f"{status.replicas.get(color)} wanted", "", ""
    members = "?" if told.ready is None else f"{told.ready} of {told.desired} ready"
    share = "?" if told.share is None else f"{told.share} %"
    return (
        color,
        f"{role}, retired" if told.is_retired else role,
        told.release or f"none (config: {told.wanted_release})",
        members,
        share,
        "" if told.sessions is None else str(told.sessions),
    )


def _live_lines(status: Status) -> list[str]:
    lines = []
    if status.report is not None:
        lines.append(f"live, asked by the program at {status.report.at}")
    for name, answers in (("production", status.production), ("test", status.test)):
        if answers is not None:
            lines.append(f"{name:<10} {answers.url}: {_answers(answers)}")
    return lines


def _answers(answers: HttpAnswers) -> str:
    if not answers.count - answers.failed:
        return f"no answer at {answers.at}: {answers.problem}"
    by = ", ".join(f"{count} by {color}" for color, count in answers.colors.items())
    told = by or "which color is not said (service.color_from)"
    failed = f", {answers.failed} failed" if answers.failed else ""
    return f"{answers.count} asked at {answers.at}: {told}{failed}, median {answers.median_ms} ms"


def _switch_lines(status: Status) -> list[str]:
    switch = status.last_switch
    if switch is None:
        return ["last switch: none in the last updates"]
    by = f" by {switch.by}" if switch.by else ""
    said = f" ({switch.message})" if switch.message else ""
    lines = [f"last switch: {switch.from_color} → {switch.to_color} at {switch.at}{by}{said}"]
    if status.retention_until is not None:
        lines.append(f"rollback without a deployment until {status.retention_until} at least")
    return lines
