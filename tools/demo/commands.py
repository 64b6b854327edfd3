"""Runs the commands a person would type, and keeps what they print."""

import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.demo.errors import DemoError

__all__ = ["Command", "Commands", "Done", "commands_in"]

_LONGEST_SECONDS = 120.0
# What an interrupted `pulumi` may take to write its state down.
_END_SECONDS = 30.0
_ASSIGNMENT = re.compile(r"[A-Z_][A-Z0-9_]*=.*")
# How far the engine indents what the program and its gates have said.
_INDENT = "    "
_NOTHING_NEW = "error: update failed"


@dataclass(frozen=True, slots=True)
class Command:
    """One line of a shell."""

    words: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables set for this command only."""

    def __str__(self) -> str:
        assignments = (f"{name}={shlex.quote(value)}" for name, value in self.environment.items())
        return " ".join([*assignments, shlex.join(self.words)])


@dataclass(frozen=True, slots=True)
class Done:
    """What one command did; times are `time.monotonic()`."""

    command: Command
    exit_code: int
    started: float
    returned: float
    output: str
    """What it printed, errors included."""

    log: Path

    @property
    def seconds(self) -> float:
        """From start to return."""
        return self.returned - self.started

    @property
    def said(self) -> list[str]:
        """What the program, its gates and the engine had to say in the end, line by line."""
        _, _, diagnostics = self.output.rpartition("\nDiagnostics:\n")
        block = re.split(r"\n(?:Outputs|Resources|Policies):", diagnostics)[0]
        lines = (line for line in block.splitlines() if line.startswith(_INDENT))
        return [line.removeprefix(_INDENT) for line in lines if line.strip() != _NOTHING_NEW]

    @property
    def last_error(self) -> str:
        """The line that most likely says why it failed."""
        lines = [line.strip() for line in self.output.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("error: ")]
        return (errors or lines or ["it said nothing"])[0].removeprefix("error: ")


class Commands:
    """Runs commands in one folder, one at a time."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = dict(environment)

    def run(self, command: Command, log: Path) -> Done:
        """Runs the command to its end and appends what it prints to the log.

        Interrupted or after two minutes it is asked to end, and gets time to do so: it may be in
        the middle of writing its state down.
        """
        started = time.monotonic()
        with log.open("ab") as file:
            file.write(f"$ {command}\n".encode())
            file.flush()
            before = file.tell()
            process = self._start(command, file.fileno())
            try:
                exit_code = process.wait(_LONGEST_SECONDS)
            except subprocess.TimeoutExpired as error:
                _end(process)
                msg = f"`{command}` did not end within {_LONGEST_SECONDS:g} s; see {log}"
                raise DemoError(msg) from error
            except BaseException:
                _end(process)
                raise
            returned = time.monotonic()
            file.write(f"[exit {exit_code} after {returned - started:.1f} s]\n\n".encode())
        output = log.read_bytes()[before:].decode(errors="replace")
        output, _, _ = output.rpartition("[exit ")
        return Done(command, exit_code, started, returned, output, log)

    def read(self, command: Command) -> str:
        """The output of a command that only looks, without what it warns of."""
        try:
            done = subprocess.run(
                command.words,
                cwd=self._folder,
                env={**self._environment, **command.environment},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_LONGEST_SECONDS,
                start_new_session=True,
                check=False,
            )
        except OSError as error:
            raise _not_there(command, error) from error
        except subprocess.TimeoutExpired as error:
            msg = f"`{command}` did not end within {_LONGEST_SECONDS:g} s"
            raise DemoError(msg) from error
        if done.returncode:
            msg = f"`{command}` ended with exit code {done.returncode}: {done.stderr.strip()}"
            raise DemoError(msg)
        return done.stdout

    def _start(self, command: Command, output: int) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                command.words,
                cwd=self._folder,
                env={**self._environment, **command.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # Ctrl-C is for the demo, which tells its commands itself.
                start_new_session=True,
            )
        except OSError as error:
            raise _not_there(command, error) from error


def commands_in(line: str, *, also: Sequence[str] = ()) -> Iterator[Command]:
    """The commands of a line like `a && NAME='value' b`; `also` are words added to each."""
    for part in line.split("&&"):
        words = shlex.split(part)
        count = next(
            (number for number, word in enumerate(words) if not _ASSIGNMENT.fullmatch(word)),
            len(words),
        )
        assignments = (word.partition("=") for word in words[:count])
        yield Command((*words[count:], *also), {name: value for name, _, value in assignments})


def _not_there(command: Command, error: OSError) -> DemoError:
    return DemoError(
        f"cannot run {command.words[0]}: {error.strerror}; `make setup` installs what is needed"
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Presses Ctrl-C for the command and all it started, then makes it end."""
    for number, seconds in ((signal.SIGINT, _END_SECONDS), (signal.SIGKILL, None)):
        if process.poll() is not None:
            return
        os.killpg(process.pid, number)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
