"""Runs `pulumi`, and says in our words why a command failed."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bluegreen.operations.engine_process import EngineResult, Interruption, run_engine
from bluegreen.operations.outcome import RefusedError, UncertainError, UsageError

__all__ = [
    "CommandFailedError",
    "PulumiCommand",
    "StackLockedError",
    "UpdateFailedError",
    "errors_in",
    "why_it_failed",
]

_PROGRAM = "pulumi"
# What the engine and its backends say, as Pulumi's own Automation API reads it.
_UNKNOWN_STACK = re.compile("no stack named.*found")
_LOCKED = (
    "[409] Conflict: Another update is currently in progress.",
    "the stack is currently locked by",
)


class StackLockedError(RefusedError):
    """Another update of the stack is under way, or a killed one left its lock."""


class UpdateFailedError(UncertainError):
    """`pulumi up` or `preview` ended with an error; whether something moved is not said here."""

    def __init__(self, message: str, *, was_killed: bool) -> None:
        super().__init__(message)
        self.was_killed = was_killed
        """True when the engine did not end by itself; its lock is still there."""


class CommandFailedError(Exception):
    """A command failed; `why_it_failed` says it in our words."""

    def __init__(self, result: EngineResult, heard: Sequence[str] = ()) -> None:
        super().__init__(f"pulumi ended with exit status {result.exit_code}")
        self.result = result
        self.heard = tuple(heard)
        """The errors that the engine told while it worked."""


class PulumiCommand:
    """The engine's command line, in the folder of a project."""

    def __init__(self, directory: Path, interruption: Interruption) -> None:
        self.directory = directory
        self._interruption = interruption

    def run(
        self,
        *words: str,
        environment: Mapping[str, str] | None = None,
        on_output: Callable[[str], object] | None = None,
        on_error: Callable[[str], object] | None = None,
    ) -> EngineResult:
        """Runs a command to its end.

        Raises:
            UsageError: There is no engine.
            CommandFailedError: The command failed.
        """
        given = {
            **(environment or {}),
            "PULUMI_AUTOMATION_API": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        try:
            result = run_engine(
                [_PROGRAM, "--non-interactive", *words],
                cwd=str(self.directory),
                environment=given,
                interruption=self._interruption,
                on_output=on_output,
                on_error=on_error,
            )
        except FileNotFoundError as error:
            msg = (
                "the program `pulumi` is not on PATH; nothing was done; "
                "install the Pulumi command line, 3.238 or newer"
            )
            raise UsageError(msg) from error
        if result.exit_code != 0:
            raise CommandFailedError(result)
        return result


def why_it_failed(
    failed: CommandFailedError, *, stack: str, project: str
) -> UsageError | StackLockedError | UpdateFailedError:
    """What to tell the user about a command that failed, by the stack that it was about."""
    result = failed.result
    if _UNKNOWN_STACK.search(result.stderr):
        return UsageError(
            f"there is no stack {stack!r} in project {project!r}; nothing was "
            "done; `pulumi stack ls` shows those that are there"
        )
    if any(each in result.stderr for each in _LOCKED):
        # With the lines below the first one: they say whose lock it is.
        return StackLockedError(f"{result.stdout}\n{result.stderr}")
    said = "\n".join(failed.heard) or errors_in(result)
    was_killed = result.exit_code < 0
    if was_killed:
        said = f"the engine was killed by signal {-result.exit_code}; {said}".rstrip("; ")
    return UpdateFailedError(said, was_killed=was_killed)


def errors_in(result: EngineResult) -> str:
    """What went wrong, in the engine's words and without its progress."""
    errors = [
        line.strip().removeprefix("error: ")
        for line in (*result.stdout.splitlines(), *result.stderr.splitlines())
        if line.strip().startswith("error: ")
    ]
    said = "\n".join(dict.fromkeys(errors))
    return said or result.stderr.strip() or f"pulumi ended with exit status {result.exit_code}"
