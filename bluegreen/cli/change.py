"""`bluegreen deploy`, `bluegreen canary` and `bluegreen retire`."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from bluegreen.cli.options import AsJson, Cwd, StackName
from bluegreen.cli.output import Output, ending
from bluegreen.operations import Stack
from bluegreen.operations import change as operations
from bluegreen.operations.change import Changed
from bluegreen.operations.move import Tell

__all__ = ["canary", "deploy", "retire"]


def deploy(
    release: Annotated[str, typer.Option(help="The release.")],
    image: Annotated[
        str | None,
        typer.Option(help="Its image, where the platform has one.", show_default="unchanged"),
    ] = None,
    cwd: Cwd = Path(),
    stack: StackName = None,
    as_json: AsJson = False,
) -> None:
    """Put a release on the idle color; production traffic stays where it is.

    Examples:
        bluegreen deploy --release 1.1
        bluegreen deploy --release 1.1 --image registry.example.com/shop:1.1
    """
    _change(
        lambda opened, tell: operations.deploy(opened, release, image=image, tell=tell),
        *(cwd, stack, as_json),
    )


def canary(
    percent: Annotated[int, typer.Option(help="Share of the idle color, 0 to 99.")],
    cwd: Cwd = Path(),
    stack: StackName = None,
    as_json: AsJson = False,
) -> None:
    """Give the idle color a share of production traffic, if its gates pass; 0 takes it away.

    Examples:
        bluegreen canary --percent 10
        bluegreen canary --percent 0
    """
    _change(
        lambda opened, tell: operations.canary(opened, percent, tell=tell), *(cwd, stack, as_json)
    )


def retire(
    due: Annotated[
        bool, typer.Option("--due", help="Do nothing, and succeed, when it is not time yet.")
    ] = False,
    cwd: Cwd = Path(),
    stack: StackName = None,
    as_json: AsJson = False,
) -> None:
    """Shrink the idle color to its retired capacity, once its retention is over.

    Examples:
        bluegreen retire
        bluegreen retire --due --stack production    (from cron)
    """
    _change(
        lambda opened, tell: operations.retire(opened, is_due_only=due, tell=tell),
        *(cwd, stack, as_json),
    )


def _change(
    work: Callable[[Stack, Tell], Changed], cwd: Path, stack: str | None, as_json: bool
) -> None:
    output = Output(as_json=as_json)
    with ending(output):
        with output.at_work() as (progress, asked):
            done = work(Stack.open(cwd, stack, asked), progress)
        output.result(done, lambda: Text(_page(done)))


def _page(done: Changed) -> str:
    changed = "" if done.was_needed else " (nothing was changed)"
    then = f"\nnext: {done.next}" if done.next else ""
    return f"{done.summary}{changed}{then}"
