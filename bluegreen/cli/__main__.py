"""`bluegreen` on the command line."""

import inspect
import sys
from collections.abc import Callable

try:
    import typer
except ModuleNotFoundError as error:
    print(  # noqa: T201
        f"bluegreen: {error.name} is not installed; pip install 'bluegreen-pulumi[cli]'",
        file=sys.stderr,
    )
    raise SystemExit(2) from error

from bluegreen.cli.approve import approve
from bluegreen.cli.change import canary, deploy, retire
from bluegreen.cli.doctor import doctor
from bluegreen.cli.drill import drill
from bluegreen.cli.history import history
from bluegreen.cli.preview import preview
from bluegreen.cli.rollback import rollback
from bluegreen.cli.status import status
from bluegreen.cli.switch import switch
from bluegreen.cli.validate import validate

__all__ = ["VERBS", "app", "main"]

app = typer.Typer(
    name="bluegreen",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

VERBS = (
    status,
    validate,
    switch,
    rollback,
    deploy,
    canary,
    retire,
    preview,
    approve,
    history,
    drill,
    doctor,
)
"""In the order in which they are shown."""


def _help(verb: Callable[..., None]) -> str:
    """Its docstring, with the examples as they stand: a backspace keeps their lines."""
    return (inspect.getdoc(verb) or "").replace("\n\nExamples:\n", "\n\n\b\nExamples:\n")


for _verb in VERBS:
    app.command(_verb.__name__, help=_help(_verb))(_verb)


@app.callback()
def _of_all() -> None:
    """Switch production traffic between two colors, and back.

    Exit status: 0 done, 1 refused and nothing moved, 2 wrong usage, 3 failed on the way: the
    message says what is known. Results are on stdout, problems on stderr.
    """


def main() -> None:
    """Runs the command."""
    app()


if __name__ == "__main__":
    main()
