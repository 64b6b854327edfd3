"""What a person or a script reads: results on stdout, progress and problems on stderr."""

import contextlib
import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import IO, Any

import typer
from rich.console import Console, RenderableType

from bluegreen.operations import EngineMessage, Interruption, OperationError

__all__ = ["Output", "Progress", "ending"]


class Output:
    """Where one command says what it has to say; a terminal that is gone stops nothing."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        if isinstance(sys.stdout, io.TextIOWrapper):
            # What people wrote may be more than the terminal has characters for; as on stderr.
            sys.stdout.reconfigure(errors="backslashreplace")
        self._stdout = _Console(highlight=False, soft_wrap=not sys.stdout.isatty())
        self._stderr = _Console(stderr=True, highlight=False, soft_wrap=not sys.stderr.isatty())

    @property
    def is_terminal(self) -> bool:
        """True when a person watches."""
        return self._stderr.is_terminal

    def result(self, content: object, render: Callable[[], RenderableType]) -> None:
        """Prints the result: as JSON when that was asked for, else as `render` makes it."""
        with _even_without_a_terminal():
            if self._as_json:
                print(json.dumps(_plain(content), indent=2, sort_keys=True), flush=True)
            else:
                self._stdout.print(render())

    def say(self, text: str, style: str = "") -> None:
        """Says something about the result, for people only."""
        if not self._as_json:
            with _even_without_a_terminal():
                self._stdout.print(text, style=style, markup=False)

    def problem(self, text: str) -> None:
        """Says what somebody has to look at."""
        with _even_without_a_terminal():
            self._stderr.print(text, style="yellow", markup=False)

    def error(self, error: OperationError) -> None:
        """Says why it was not done; a script that asked for JSON gets it in that form as well."""
        with _even_without_a_terminal():
            self._stderr.print(f"bluegreen: {error}", style="red", markup=False)
            if self._as_json:
                code = error.exit_code
                document = {"outcome": code.name.lower(), "exit_code": code, "message": str(error)}
                print(json.dumps(document, indent=2, sort_keys=True), flush=True)

    @contextlib.contextmanager
    def at_work(self) -> Iterator[tuple["Progress", Interruption]]:
        """Shows what the engine is doing, on stderr, and takes requests to stop."""
        with Progress(self._stderr) as progress:
            interruption = Interruption(
                on_request=lambda number: progress.line(
                    f"{number.name}: the engine finishes the step it is at; once more ends it at "
                    "once",
                    "yellow",
                )
            )
            with interruption.watched():
                yield progress, interruption


class Progress:
    """What is going on: a line that moves on a terminal, plain lines with a time elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = console.status("starting the engine") if console.is_terminal else None

    def __enter__(self) -> "Progress":
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()

    def __call__(self, message: EngineMessage) -> None:
        """Takes what the engine says."""
        with _even_without_a_terminal():
            if self._status is not None:
                self._status.update(message.text.splitlines()[0])
            if not message.is_ephemeral:
                self.line(message.text, _STYLES.get(message.severity, ""))

    def line(self, text: str, style: str = "") -> None:
        """Says one thing."""
        with _even_without_a_terminal():
            self._console.print(f"{datetime.now():%H:%M:%S} {text}", style=style, markup=False)


_STYLES = {"warning": "yellow", "error": "red", "info#err": "yellow"}


@contextlib.contextmanager
def ending(output: Output) -> Iterator[None]:
    """Turns an operation that was not done into its message and its exit status."""
    try:
        yield
    except OperationError as error:
        output.error(error)
        raise typer.Exit(error.exit_code) from error


class _Console(Console):
    """One that goes on when nobody reads it any more, where rich would end the program."""

    def on_broken_pipe(self) -> None:
        """Lets what is written from now on go nowhere."""
        _silence(self.file)


@contextlib.contextmanager
def _even_without_a_terminal() -> Iterator[None]:
    """What is written to a terminal that has gone away is lost; the operation is not."""
    try:
        yield
    except OSError:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:
                _silence(stream)


def _silence(stream: IO[str]) -> None:
    """Points a stream to nowhere: what it still holds would fail the end of the program."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _plain(content: object) -> Any:  # noqa: ANN401  # what JSON has
    if is_dataclass(content) and not isinstance(content, type):
        return asdict(content)
    if isinstance(content, Mapping):
        return dict(content)
    return content
