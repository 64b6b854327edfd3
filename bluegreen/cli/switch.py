"""`bluegreen switch`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from bluegreen.cli.options import AsJson, Cwd, StackName
from bluegreen.cli.output import Output, ending
from bluegreen.colors import Color
from bluegreen.operations import Stack
from bluegreen.operations.bake import Baked, BakeLimits
from bluegreen.operations.switch import Lifted, Switched
from bluegreen.operations.switch import switch as do_switch

__all__ = ["switch"]


def switch(
    *,
    to: Annotated[
        Color | None, typer.Option(help="The color.", show_default="the idle one")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; kept in the stack's history.")] = "",
    override: Annotated[
        bool, typer.Option("--override", help="Outside of the windows too; needs --reason.")
    ] = False,
    acknowledge: Annotated[
        bool,
        typer.Option("--acknowledge", help="A release that was rolled back too; needs --reason."),
    ] = False,
    bake: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            min=5,
            help="Watch production for so long, and roll back by itself on a breach.",
        ),
    ] = None,
    bake_path: Annotated[str, typer.Option(help="What the watch asks for, of both colors.")] = "/",
    bake_rate: Annotated[
        float, typer.Option(min=1, max=100, help="Requests a second to each color.")
    ] = 5.0,
    bake_errors: Annotated[
        float, typer.Option(min=0, max=1, help="Share of failed requests that is a breach.")
    ] = 0.01,
    bake_p95: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="95th percentile that is a breach.",
            show_default="only the comparison counts",
        ),
    ] = None,
    cwd: Cwd = Path(),
    stack: StackName = None,
    as_json: AsJson = False,
) -> None:
    """Move production traffic to a color, if every gate of it passes.

    The gates run inside the update. When one refuses, nothing has moved and the config file says
    what it said before. The old color goes on running.

    With --bake, production and the old color (at the test address) are asked beside each other:
    a share of failed requests above the limit, or twice the old color's 95th percentile, is a
    breach; 20 % apart is a warning. The service's promql gates are asked as well, of the new color;
    one that fails twice in a row is a breach. A breach moves production back, and the exit status
    is 1.

    Ctrl-C lets the engine finish the step it is at, and says where production is then.

    Examples:
        bluegreen switch
        bluegreen switch --to green --reason "release 1.1"
        bluegreen switch --bake 300 --bake-path /api/orders
        bluegreen switch --json | jq -r .rollback_command
    """
    output = Output(as_json=as_json)
    with ending(output):
        with output.at_work() as (progress, asked):
            opened = Stack.open(cwd, stack, asked)
            limits = BakeLimits(
                seconds=bake or 0,
                path=bake_path,
                rate=bake_rate,
                max_error_rate=bake_errors,
                max_p95_seconds=bake_p95,
            )
            done = do_switch(
                opened,
                to,
                tell=progress,
                reason=reason,
                lifted=Lifted(windows=override, rolled_back=acknowledge),
                bake=limits if bake else None,
            )
        output.result(done, lambda: _page(done))


def _page(done: Switched) -> RenderableType:
    if not done.was_needed:
        return Text(f"{done.to_color} is active already; nothing was changed")
    release = done.releases.get(done.to_color, "")
    lines = [f"{done.to_color} {release} has production traffic (after {done.seconds:.1f} s)"]
    if done.bake is not None:
        lines += _bake_lines(done.bake)
    if done.rollback_command is not None:
        old = f"{done.from_color} {done.releases.get(done.from_color, '')}".strip()
        lines += [
            f"{old} goes on running, {_kept(done.old_color_until)}",
            f"to go back: {done.rollback_command}",
        ]
    return Text("\n".join(lines))


def _kept(until: str | None) -> str:
    return f"until {until} at least" if until else "as long as you let it"


def _bake_lines(bake: Baked) -> list[str]:
    new, old = bake.new, bake.old
    beside = f", the old color {old.p95_seconds:.3f} s" if old else ", nothing to compare with"
    watched = (
        f"watched for {bake.seconds:g} s: {new.failed} of {new.count} requests failed, p95 "
        f"{new.p95_seconds:.3f} s{beside}"
    )
    return [watched, *(f"warning: {each}" for each in bake.warnings)]
