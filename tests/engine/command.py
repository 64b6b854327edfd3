"""The `bluegreen` command, typed as a person or a pipeline would."""

import json
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import Any

from typer.testing import CliRunner

from bluegreen.cli.__main__ import VERBS, app_of
from tests.engine.pulumi_stack import REPOSITORY, PulumiStack
from tools.terminal import screen_after

__all__ = ["Typed", "in_process", "on_terminal", "start", "typed"]

COMMAND = REPOSITORY / ".venv" / "bin" / "bluegreen"
LONGEST_SECONDS = 180


@dataclass(frozen=True, repr=False)
class Typed:
    """How a command ended, and what it said where."""

    exit_code: int
    stdout: str
    stderr: str
    seconds: float = 0.0

    @property
    def text(self) -> str:
        return self.stdout + self.stderr

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)

    def __repr__(self) -> str:
        return f"exit {self.exit_code} after {self.seconds:.1f} s\n{self.text}"


def start(stack: PulumiStack, *words: str, **environment: str) -> subprocess.Popen[str]:
    """Starts it in a session of its own, without a terminal."""
    return subprocess.Popen(
        [str(COMMAND), words[0], "--cwd", str(stack.directory), "-s", stack.name, *words[1:]],
        env=stack.environment | {"BLUEGREEN_BY": "tester"} | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def typed(stack: PulumiStack, *words: str, **environment: str) -> Typed:
    """Runs it to its end."""
    started = time.monotonic()
    return ended(start(stack, *words, **environment), started)


def ended(process: subprocess.Popen[str], started: float | None = None) -> Typed:
    """Waits for it."""
    try:
        stdout, stderr = process.communicate(timeout=LONGEST_SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        raise
    seconds = time.monotonic() - started if started is not None else 0.0
    return Typed(process.returncode, stdout, stderr, seconds)


def on_terminal(stack: PulumiStack, *words: str) -> list[str]:
    """What stands on the lines of a terminal when the command has ended."""
    screen = screen_after(
        [str(COMMAND), *words],
        folder=stack.directory,
        environment=stack.environment | {"PULUMI_STACK": stack.name},
        columns=200,
        lines=100,
    )
    return [line.rstrip() for line in screen.display if line.strip()]


def in_process(*words: str, **environment: str) -> Typed:
    """The command in this process, as a person would have typed it."""
    result = CliRunner().invoke(
        app_of(VERBS), list(words), env={"BLUEGREEN_BY": "tester", **environment}
    )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Typed(result.exit_code, result.stdout, result.stderr)
