"""`bluegreen validate`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from bluegreen.cli.options import AsJson, Cwd, StackName
from bluegreen.cli.output import Output, ending
from bluegreen.colors import Color
from bluegreen.operations import ExitCode, Stack
from bluegreen.operations.validate import Validated
from bluegreen.operations.validate import validate as do_validate

__all__ = ["validate"]


def validate(
    color: Annotated[
        Color | None, typer.Option(help="The color.", show_default="the idle one")
    ] = None,
    cwd: Cwd = Path(),
    stack: StackName = None,
    as_json: AsJson = False,
) -> None:
    """Ask the gates of a color now, as a switch to it would; change nothing.

    Gates with effects of their own, such as a command that places an order, have them here too.
    Exit status 1 when a gate refuses.

    Examples:
        bluegreen validate
        bluegreen validate --color green --json | jq '.verdicts[] | select(.passed | not)'
    """
    output = Output(as_json=as_json)
    with ending(output):
        with output.at_work() as (_, asked):
            opened = Stack.open(cwd, stack, asked)
            found = do_validate(opened, color, tell=lambda _: None)
        output.result(found, lambda: _page(found))
    if not found.passed:
        raise typer.Exit(ExitCode.REFUSED)


def _page(found: Validated) -> RenderableType:
    lines = [f"{found.color} {found.release or 'without members'}, asked at {found.at}"]
    for verdict in found.verdicts:
        mark = ("warning" if verdict.is_warning else "passed") if verdict.passed else "refused"
        lines.append(f"  {mark:<8}{verdict.gate}: {verdict.reason} ({verdict.duration_seconds} s)")
        if verdict.detail and not verdict.passed:
            lines += [f"      {line}" for line in verdict.detail.splitlines()]
    passed = sum(verdict.passed for verdict in found.verdicts)
    lines.append(f"{passed} of {len(found.verdicts)} passed; nothing was changed")
    return Text("\n".join(lines))
