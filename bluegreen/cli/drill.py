"""`bluegreen drill`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bluegreen.cli.options import AsJson, Cwd, StackName
from bluegreen.cli.output import Output, ending
from bluegreen.operations import ExitCode, Stack
from bluegreen.operations.drill import Drilled
from bluegreen.operations.drill import drill as do_drill

__all__ = ["drill"]


def drill(
    *,
    path: Annotated[str, typer.Option(help="What the requests ask for.")] = "/",
    rate: Annotated[float, typer.Option(help="Requests a second.", min=1, max=2000)] = 100.0,
    most_lost: Annotated[
        int, typer.Option(help="Requests without a good answer that are allowed.", min=0)
    ] = 0,
    most_stale: Annotated[
        int, typer.Option(help="Late answers of the old color that are allowed.", min=0)
    ] = 0,
    url: Annotated[
        str | None,
        typer.Option(
            help="Where production of the copy is reached from here; `{service}` and `{port}` are "
            "filled in.",
            show_default="beside that of the stack",
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            help="The first of the copy's ports: production, then the test endpoint.",
            min=1,
            max=65000,
            show_default="free ones",
        ),
    ] = None,
    cwd: Cwd = Path(),
    stack: StackName = None,
    as_json: AsJson = False,
) -> None:
    """Practise a release that goes wrong, on a copy of a stack.

    The copy has names, ports and files of its own: on Kubernetes another service in the same
    namespace, on AWS two more listeners of the same load balancer. It is deployed, gets requests,
    is switched, breaches a limit that nothing can keep, and is rolled back by the same watch that
    `switch --bake` has. Then it is removed. The stack itself is only read. The exit status is 1
    when a limit is missed.

    Examples:
        bluegreen drill --path /version
        bluegreen drill --stack production --rate 500 --json
        bluegreen drill --url 'http://{service}.shop.svc'
    """
    output = Output(as_json=as_json)
    with ending(output):
        with output.at_work() as (progress, asked):
            opened = Stack.open(cwd, stack, asked)
            done = do_drill(
                opened,
                rate=rate,
                path=path,
                most_lost=most_lost,
                most_stale=most_stale,
                tell=progress,
                url=url,
                port=port,
            )
        output.result(done, lambda: _page(done))
        for problem in done.problems:
            output.problem(problem)
        if not done.is_met:
            raise typer.Exit(ExitCode.REFUSED)


def _page(done: Drilled) -> RenderableType:
    table = Table(box=None, pad_edge=False)
    for heading in ("figure", "value", "limit", ""):
        table.add_column(heading)
    for each in done.figures:
        value = "not measured" if each.value is None else f"{each.value:g} {each.unit}".strip()
        limit = f"at most {each.limit:g} {each.unit}".strip()
        table.add_row(each.name, value, limit, "met" if each.is_met else "missed")
    failures = ", ".join(f"{count} {kind}" for kind, count in done.failures.items())
    lines = f"{done.requests} requests{f', failed: {failures}' if failures else ''}"
    return Group(Text(f"a copy of {done.stack}: {lines}"), Text(done.breach), table)
