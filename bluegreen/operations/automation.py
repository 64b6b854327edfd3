"""The only module that talks to Pulumi's Automation API.

It is imported by an update and not before: the API takes longer to import than most verbs take.
"""

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pulumi import automation
from pulumi.automation import events as automation_events

from bluegreen.operations.engine_message import EngineMessage
from bluegreen.operations.pulumi_command import CommandFailedError, PulumiCommand

__all__ = ["Engine"]

_OLDEST_ENGINE = "3.238.0"
_NOT_BEGUN = 0
"""Status of a step that failed before its provider was asked: a hook has refused it."""

_COLORS = re.compile(r"<\{%.*?%\}>")


class Engine:
    """Updates of one stack, with what the engine tells meanwhile."""

    def __init__(
        self, command: PulumiCommand, name: str, environment: Mapping[str, str] | None
    ) -> None:
        workspace = _Workspace(
            work_dir=str(command.directory),
            pulumi_command=_Command(command),
            env_vars=environment or {},
        )
        self._stack = automation.Stack.select(name, workspace)

    def up(
        self,
        *,
        message: str,
        continue_on_error: bool,
        refresh: bool,
        tell: Callable[[EngineMessage], None],
    ) -> None:
        """`pulumi up` without its preview; raises `CommandFailedError`."""
        with _listening(tell) as heard:
            self._stack.up(
                message=message,
                color="never",
                continue_on_error=continue_on_error or None,
                refresh=refresh or None,
                suppress_progress=True,
                show_secrets=False,
                on_event=heard,
            )

    def preview(self, *, tell: Callable[[EngineMessage], None]) -> None:
        """`pulumi preview`; raises `CommandFailedError`."""
        with _listening(tell) as heard:
            self._stack.preview(color="never", suppress_progress=True, on_event=heard)


class _Command(automation.PulumiCommand):
    """Our own way to run `pulumi`; the API's asks its version first, which nobody needs."""

    def __init__(self, command: PulumiCommand) -> None:
        self.command = "pulumi"
        self.version = None
        self._command = command

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], Any] | None = None,
        on_error: Callable[[str], Any] | None = None,
    ) -> automation.CommandResult:
        """Runs a command; raises `CommandFailedError` when it fails."""
        del cwd
        done = self._command.run(
            *args, environment=additional_env, on_output=on_output, on_error=on_error
        )
        return automation.CommandResult(stdout=done.stdout, stderr=done.stderr, code=done.exit_code)


class _Workspace(automation.LocalWorkspace):
    """The user's own project, in which nothing is selected and nothing is written by us."""

    # It decides how events are sent; every engine that knows our hooks can do that.
    pulumi_version = _OLDEST_ENGINE

    def select_stack(self, stack_name: str) -> None:
        """Nothing: every command names its stack, and what is selected is the user's choice."""

    def stack_outputs(self, stack_name: str) -> automation.OutputMap:
        """Nothing: we ask for outputs where we need them, and asking takes two processes."""
        del stack_name
        return {}


@contextlib.contextmanager
def _listening(tell: Callable[[EngineMessage], None]) -> Iterator["_Heard"]:
    """Adds to a failure what the engine told before."""
    heard = _Heard(tell)
    try:
        yield heard
    except CommandFailedError as failed:
        raise CommandFailedError(failed.result, heard.errors) from failed


class _Heard:
    """Passes on what the engine tells, and keeps what went wrong."""

    _ENDINGS = ("update failed", "preview failed", "an unhandled error occurred: program exited")
    """Said last, and nothing that nobody knows."""

    def __init__(self, tell: Callable[[EngineMessage], None]) -> None:
        self._tell = tell
        self.errors: list[str] = []

    def __call__(self, event: automation_events.EngineEvent) -> None:
        """Takes one event, in a thread of the connection to the engine."""
        message = _message(event)
        if message is None:
            return
        if message.severity == "error" and not message.text.startswith(self._ENDINGS):
            self.errors.append(message.text)
        self._tell(message)


def _message(event: automation_events.EngineEvent) -> EngineMessage | None:
    """What is worth telling; None for the rest."""
    said = event.diagnostic_event
    if said is not None:
        text = _COLORS.sub("", f"{said.prefix or ''}{said.message}").strip().removeprefix("error: ")
        if not text or said.severity == "debug":
            return None
        return EngineMessage(text, said.severity, is_ephemeral=bool(said.ephemeral))
    failed = event.res_op_failed_event
    if failed is not None and failed.status != _NOT_BEGUN:
        name, op = failed.metadata.urn.rsplit("::", 1)[-1], failed.metadata.op.value
        return EngineMessage(f"{name}: {op} begun and not finished", "step")
    done = event.res_outputs_event
    if done is None or done.metadata.op in {"same", "refresh", "read"}:
        return None
    kind, name = done.metadata.type, done.metadata.urn.rsplit("::", 1)[-1]
    if kind.startswith("pulumi:"):
        return None
    return EngineMessage(f"{name}: {done.metadata.op.value} done", "step")
