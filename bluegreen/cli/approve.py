"""`bluegreen approve`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from bluegreen.cli.options import AsJson, Cwd, StackName
from bluegreen.cli.output import Output, ending
from bluegreen.colors import Color
from bluegreen.operations import Stack
from bluegreen.operations.approve import Approved
from bluegreen.operations.approve import approve as do_approve

__all__ = ["approve"]


def approve(
    *,
    color: Annotated[
        Color | None, typer.Option(help="The color.", show_default="the idle one")
    ] = None,
    release: Annotated[
        str | None,
        typer.Option(help="The release that you have looked at.", show_default="what it holds"),
    ] = None,
    cwd: Cwd = Path(),
    stack: StackName = None,
    as_json: AsJson = False,
) -> None:
    """Say that a color with its release may get traffic; nothing is switched.

    It is written into the stack's config, with who and when, and counts for that color and release
    alone. The gate that asks for it is switched on with `approve: true` under `service.gates`.

    Examples:
        bluegreen approve --release 1.1
        BLUEGREEN_BY="ann, ticket 7" bluegreen approve --color green --release 1.1
    """
    output = Output(as_json=as_json)
    with ending(output):
        done = do_approve(Stack.open(cwd, stack), color, release)
        output.result(done, lambda: Text(_page(done)))
        if not done.is_asked_for:
            output.problem("no gate asks for it: service.gates.approve is not true")


def _page(done: Approved) -> str:
    return f"{done.color} {done.release} is approved by {done.by} at {done.at}"
