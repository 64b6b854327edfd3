"""`bluegreen rollback`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from bluegreen.cli.options import AsJson, Cwd, StackName
from bluegreen.cli.output import Output, ending
from bluegreen.colors import Color
from bluegreen.operations import Stack
from bluegreen.operations.rollback import RolledBack
from bluegreen.operations.rollback import rollback as do_rollback

__all__ = ["rollback"]


def rollback(
    reason: Annotated[str, typer.Option(help="Why; recorded in the history and the audit trail.")],
    to: Annotated[
        Color | None,
        typer.Option(
            help="The color, where an update that was not finished leaves it unclear.",
            show_default="the one without production traffic",
        ),
    ] = None,
    cwd: Cwd = Path(),
    stack: StackName = None,
    as_json: AsJson = False,
) -> None:
    """Move production traffic back to the other color, in seconds.

    Only readiness is asked; slow gates are skipped, and one ready member is enough. Under a canary
    it is the canary that is taken back. What fails beside it is told, and holds nothing up.

    Examples:
        bluegreen rollback --reason "orders fail since 1.1"
        bluegreen rollback --stack production --reason "p95 doubled" --json
    """
    output = Output(as_json=as_json)
    with ending(output):
        with output.at_work() as (progress, asked):
            done = do_rollback(Stack.open(cwd, stack, asked), reason=reason, tell=progress, to=to)
        output.result(done, lambda: _page(done))
        for problem in done.problems:
            output.problem(f"production has moved; something else failed: {problem}")


def _page(done: RolledBack) -> RenderableType:
    return Text(
        f"{done.to_color} {done.release} has production traffic again "
        f"(after {done.seconds:.1f} s)\n"
        f"{done.from_color} goes on running; reason recorded: {done.reason}"
    )
