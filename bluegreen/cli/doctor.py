"""`bluegreen doctor`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.table import Table

from bluegreen.cli.options import AsJson, Cwd, StackName
from bluegreen.cli.output import Output, ending
from bluegreen.operations import ExitCode, Stack
from bluegreen.operations.doctor import Diagnosis, diagnose

__all__ = ["doctor"]


def doctor(
    *,
    quick: Annotated[
        bool, typer.Option("--quick", help="Do not run a preview, which finds permissions.")
    ] = False,
    cwd: Cwd = Path(),
    stack: StackName = None,
    as_json: AsJson = False,
) -> None:
    """Look for what a stack needs: engine, packages, plugins, config, state, permissions.

    Nothing is changed. Unless --quick is given a preview is run, in which the program names the
    permissions that it lacks. The exit status is 1 when something is missing.

    Examples:
        bluegreen doctor
        bluegreen doctor --quick --json | jq '.checks[] | select(.level == "missing")'
    """
    output = Output(as_json=as_json)
    with ending(output):
        with output.at_work() as (_, asked):
            found = diagnose(
                lambda: Stack.open(cwd, stack, asked),
                asks_program=not quick,
                tell=lambda _: None,
            )
        output.result(found, lambda: _page(found))
        if not found.is_fine:
            raise typer.Exit(ExitCode.REFUSED)


def _page(found: Diagnosis) -> RenderableType:
    table = Table(box=None, pad_edge=False)
    for heading in ("", "what", "found", "what to do"):
        table.add_column(heading, overflow="fold")
    for each in found.checks:
        table.add_row(str(each.level), each.name, each.found, each.fix)
    return table
