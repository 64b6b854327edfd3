"""`bluegreen` on the command line."""

import inspect
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module

try:
    import typer
except ModuleNotFoundError as error:
    print(  # noqa: T201
        f"bluegreen: {error.name} is not installed; pip install 'bluegreen-pulumi[cli]'",
        file=sys.stderr,
    )
    raise SystemExit(2) from error

__all__ = ["VERBS", "app_of", "main", "verb_named"]

VERBS = {
    "status": "status",
    "validate": "validate",
    "switch": "switch",
    "rollback": "rollback",
    "deploy": "change",
    "canary": "change",
    "retire": "change",
    "preview": "preview",
    "approve": "approve",
    "history": "history",
    "drill": "drill",
    "doctor": "doctor",
}
"""Each with its module, in the order in which they are shown."""


def verb_named(name: str) -> Callable[..., None]:
    """The function behind a verb; raises `KeyError` when there is none."""
    found: Callable[..., None] = getattr(import_module(f"bluegreen.cli.{VERBS[name]}"), name)
    return found


def _help(verb: Callable[..., None]) -> str:
    """Its docstring, with the examples as they stand: a backspace keeps their lines."""
    return (inspect.getdoc(verb) or "").replace("\n\nExamples:\n", "\n\n\b\nExamples:\n")


def app_of(verbs: Iterable[str]) -> typer.Typer:
    """The command with these verbs."""
    app = typer.Typer(
        name="bluegreen",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    for name in verbs:
        verb = verb_named(name)
        app.command(name, help=_help(verb))(verb)
    app.callback()(_of_all)
    return app


def _of_all() -> None:
    """Switch production traffic between two colors, and back.

    Exit status: 0 done, 1 refused and nothing moved, 2 wrong usage, 3 failed on the way: the
    message says what is known. Results are on stdout, problems on stderr.
    """


def _needed(arguments: Sequence[str]) -> Iterable[str]:
    """Only the verb that was named: what others need may take longer to import than it works."""
    named = arguments[:1]
    return named if named and named[0] in VERBS else VERBS


def main() -> None:
    """Runs the command."""
    app_of(_needed(sys.argv[1:]))()


if __name__ == "__main__":
    main()
