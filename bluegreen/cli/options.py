"""The options that every command has."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["AsJson", "Cwd", "StackName"]

Cwd = Annotated[
    Path,
    typer.Option("--cwd", "-C", help="Directory of the Pulumi project.", show_default="here"),
]
StackName = Annotated[
    str | None,
    typer.Option("--stack", "-s", help="Name of the stack.", show_default="the selected one"),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print the result as one JSON document.", show_default=False)
]
