"""Writes docs/commands.md from the command itself.

python tools/command_docs.py           write it
python tools/command_docs.py --check   fail when it is not what the command says
"""

import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import typer.main

from bluegreen.cli.__main__ import VERBS, app_of, verb_named
from bluegreen.operations.outcome import ExitCode

PAGE = Path(__file__).resolve().parents[1] / "docs" / "commands.md"
HEAD = """\
# Commands

Written by `tools/command_docs.py` from the command's own help; `make check` fails when they
differ. What to type when is in [operations.md](operations.md).

`pip install 'bluegreen-pulumi[cli]'` brings the command `bluegreen`. It works in every Pulumi
project whose program exports `service.stack_outputs()`, on every platform: it knows config keys
and outputs, and nothing of what is behind them. `bluegreen --install-completion` completes verbs
and options in the shell.

Results are on stdout, progress and problems on stderr; with `--json` stdout is one JSON document,
also when the command was refused. No command asks a question.

| exit status | meaning |
|---|---|
"""


def main(arguments: list[str]) -> int:
    """Writes or checks the page; 1 when the check fails."""
    wanted = HEAD + "\n".join([*_codes(), "", *_verbs()])
    if "--check" not in arguments:
        PAGE.write_text(wanted, encoding="utf-8")
        return 0
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != wanted:
        print(f"{PAGE.name} is not what the command says; run: python {sys.argv[0]}")
        return 1
    return 0


def _codes() -> Iterator[str]:
    meanings = {
        ExitCode.DONE: "done, or so already",
        ExitCode.REFUSED: "refused or rolled back: production traffic is where it was",
        ExitCode.USAGE: "wrong usage; nothing was done",
        ExitCode.UNCERTAIN: "failed on the way: the message says what is known and what to do",
    }
    for code in ExitCode:
        yield f"| {code.value} | {meanings[code]} |"


def _verbs() -> Iterator[str]:
    group = typer.main.get_command(app_of(VERBS))
    for name in VERBS:
        yield from _verb(verb_named(name), group.commands[name].params)


def _verb(verb: Callable[..., None], options: list) -> Iterator[str]:
    text, _, examples = (inspect.getdoc(verb) or "").partition("\n\nExamples:\n")
    yield f"## bluegreen {verb.__name__}\n"
    yield f"{text}\n"
    yield "```text"
    yield from (line.strip() for line in examples.splitlines() if line.strip())
    yield "```\n"
    yield "| option | default | meaning |"
    yield "|---|---|---|"
    for option in options:
        yield f"| `{', '.join(option.opts)}` | {_default(option)} | {option.help} |"
    yield ""


def _default(option: object) -> str:
    if option.required:
        return "required"
    if isinstance(option.show_default, str):
        return option.show_default
    return "none" if option.default in (None, "", False) else f"`{option.default}`"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
