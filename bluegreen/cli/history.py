"""`bluegreen history`."""

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
from bluegreen.operations.attempts import Attempt
from bluegreen.operations.history import History, read_history
from bluegreen.operations.history_page import as_html
from bluegreen.operations.page_file import write_page
from bluegreen.operations.targets import TargetFigure, TriggerFigure

__all__ = ["history"]

_SHOWN = 20


def history(
    cwd: Cwd = Path(),
    stack: StackName = None,
    count: Annotated[
        int, typer.Option(help="How many of the last updates to look at.", min=1, max=2000)
    ] = 200,
    events: Annotated[
        list[Path] | None,
        typer.Option(help="A file with events that is somewhere else; may be given again."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write it as a page for a browser to this file, too.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the switches of a stack, and five figures about them beside their targets.

    Switches come from the stack's history; what a gate said, and how long traffic took to follow,
    from the events that are in a file of this machine. On Kubernetes and AWS it says where the
    others are: `service.events.file` lets every platform keep them in a file as well.

    Examples:
        bluegreen history
        bluegreen history --json | jq '.targets[] | select(.verdict == "missed")'
        bluegreen history --events from-the-pipeline.jsonl
        bluegreen history --html history.html
    """
    output = Output(as_json=as_json)
    with ending(output):
        found = read_history(Stack.open(cwd, stack), count=count, files=tuple(events or ()))
        output.result(found, partial(_page, found))
        if html is not None:
            write_page(html, as_html(found))


def _page(found: History) -> RenderableType:
    sources = ", ".join(found.sources) or "no file"
    lines = [f"{found.stack}: {found.updates} updates, {found.events} events ({sources})"]
    if found.elsewhere is not None:
        lines.append(
            f"not read: {found.elsewhere}; service.events.file keeps them here too, --events reads "
            "a file"
        )
    left = len(found.attempts) - _SHOWN
    if left > 0:
        lines.append(f"{left} older switches are not shown; --json has them")
    parts: list[RenderableType] = [Text("\n".join(lines))]
    if found.attempts:
        parts += [_attempts(found.attempts[-_SHOWN:]), Text("")]
    return Group(*parts, _targets(found.targets), Text(""), _triggers(found.triggers))


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading)
    return table


def _attempts(attempts: tuple[Attempt, ...]) -> Table:
    table = _table("when (UTC)", "what", "to", "took", "cutover", "by", "why")
    for each in attempts:
        what = "rollback" if each.is_rollback else "switch"
        ending = "" if each.ending == "done" else f", {each.ending}"
        table.add_row(
            each.at[:19].replace("T", " "),
            f"{what}{ending}",
            f"{each.to_color} {each.release or ''}".strip(),
            _seconds(each.seconds),
            _seconds(each.cutover_seconds),
            each.by or "",
            ", ".join(each.refused_by) or each.reason,
        )
    return table


def _targets(targets: tuple[TargetFigure, ...]) -> Table:
    table = _table("figure", "value", "target", "verdict", "of")
    for each in targets:
        value = "" if each.value is None else f"{each.value:.1f} {each.unit}"
        table.add_row(each.name, value, each.target, str(each.verdict), str(each.count))
    return table


def _triggers(triggers: tuple[TriggerFigure, ...]) -> Table:
    table = _table("incident", "usually noticed", "rollbacks", "slowest", "late")
    for each in triggers:
        table.add_row(
            each.trigger.replace("_", " "),
            each.expected,
            str(each.count),
            _seconds(each.slowest_seconds),
            str(each.late) if each.count else "",
        )
    return table


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} s"
