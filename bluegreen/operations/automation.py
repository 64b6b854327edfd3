"""The only module that talks to Pulumi's Automation API."""

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulumi import automation
from pulumi.automation import errors as automation_errors
from pulumi.automation import events as automation_events

from bluegreen.operations.engine_process import EngineResult, Interruption, run_engine
from bluegreen.operations.outcome import RefusedError, UncertainError, UsageError
from bluegreen.operations.project import Project, find_project

__all__ = ["EngineMessage", "PastUpdate", "Stack", "StackLockedError", "UpdateFailedError"]

_OLDEST_ENGINE = "3.238.0"
_NOT_BEGUN = 0
"""Status of a step that failed before its provider was asked: a hook has refused it."""

_COLORS = re.compile(r"<\{%.*?%\}>")


class StackLockedError(RefusedError):
    """Another update of the stack is under way, or a killed one left its lock."""


class UpdateFailedError(UncertainError):
    """`pulumi up` or `preview` ended with an error; whether something moved is not said here."""

    def __init__(self, message: str, *, was_killed: bool) -> None:
        super().__init__(message)
        self.was_killed = was_killed
        """True when the engine did not end by itself; its lock is still there."""


@dataclass(frozen=True, slots=True)
class EngineMessage:
    """What the engine tells while it works."""

    text: str
    severity: str
    """`info`, `info#err`, `warning` or `error`; `step` for what happens to a resource."""

    is_ephemeral: bool = False
    """True for what is only of interest while one waits for it."""


@dataclass(frozen=True, slots=True)
class PastUpdate:
    """One update of the stack's history."""

    kind: str
    """`update`, `refresh`, `destroy`, ..."""

    result: str
    """`succeeded`, `failed`, ..."""

    started: str
    """UTC, ISO 8601."""

    ended: str | None
    message: str
    by: str | None
    """Who ran it, as far as the history knows."""

    commit: str | None
    config: Mapping[str, Any]
    """The config it ran with, by its full keys; secrets are left out."""


class Stack:
    """A stack of a project; each question and each update is one run of `pulumi`."""

    def __init__(
        self, project: Project, name: str, interruption: Interruption | None = None
    ) -> None:
        self.project = project
        self.name = name
        self.interruption = interruption or Interruption()
        self._command = _Command(self.interruption)

    @classmethod
    def open(
        cls, cwd: Path, name: str | None = None, interruption: Interruption | None = None
    ) -> "Stack":
        """The named stack of the project in `cwd`, or the one that is selected there.

        Raises:
            UsageError: There is no project, or no stack was named and none is selected.
        """
        project = find_project(cwd)
        chosen = name or os.environ.get("PULUMI_STACK") or _selected(project)
        return cls(project, chosen, interruption)

    @property
    def config_file(self) -> Path:
        """The file with the config of this stack."""
        return self.project.config_file(self.name)

    def outputs(self) -> dict[str, Any]:
        """The outputs that the last update left.

        Raises:
            UsageError: There is no such stack.
            RefusedError: The engine or its backend does not answer.
        """
        said = self._asked("stack", "output", "--json", "--stack", self.name)
        return dict(json.loads(said or "{}"))

    def history(self, count: int) -> tuple[PastUpdate, ...]:
        """The last updates, newest first; raises like `outputs`."""
        said = self._asked(
            *("stack", "history", "--json", "--stack", self.name),
            *("--page-size", str(count), "--page", "1"),
        )
        return tuple(map(_past_update, json.loads(said or "[]")))

    def up(
        self,
        *,
        message: str,
        environment: Mapping[str, str] | None = None,
        continue_on_error: bool = False,
        refresh: bool = False,
        tell: Callable[[EngineMessage], None] = lambda _: None,
    ) -> None:
        """`pulumi up` without its preview: what a preview refuses is refused in the update too.

        Args:
            message: Kept in the stack's history.
            environment: Of this update, on top of our own.
            continue_on_error: True to do what can be done when something fails.
            refresh: True to read every resource first.
            tell: Is told what happens, in another thread.

        Raises:
            StackLockedError: Another update is under way; nothing was changed.
            UpdateFailedError: It failed, was stopped or was killed.
        """
        stack, heard = self._automated(environment or {}), _Heard(tell)
        try:
            stack.up(
                message=message,
                color="never",
                continue_on_error=continue_on_error or None,
                refresh=refresh or None,
                suppress_progress=True,
                show_secrets=False,
                on_event=heard,
            )
        except automation_errors.CommandError as error:
            raise self._translated(error, heard.errors) from error

    def preview(
        self,
        *,
        environment: Mapping[str, str] | None = None,
        tell: Callable[[EngineMessage], None] = lambda _: None,
    ) -> None:
        """`pulumi preview`; raises like `up`."""
        stack, heard = self._automated(environment or {}), _Heard(tell)
        try:
            stack.preview(
                color="never",
                suppress_progress=True,
                on_event=heard,
            )
        except automation_errors.CommandError as error:
            raise self._translated(error, heard.errors) from error

    def preview_document(self) -> tuple[str, bool]:
        """What `pulumi preview --json` prints, and whether it succeeded; raises like `outputs`.

        Resources that stay the same are in it: a change is understood by what is beside it.
        """
        try:
            return self._asked("preview", "--json", "--show-sames", "--stack", self.name), True
        except RefusedError as error:
            said = self._command.last
            if isinstance(error, StackLockedError) or said is None:
                raise
            if not said.stdout.lstrip().startswith("{"):
                raise
            return said.stdout, False

    def _automated(self, environment: Mapping[str, str]) -> automation.Stack:
        workspace = _Workspace(
            work_dir=str(self.project.directory),
            pulumi_command=self._command,
            env_vars=environment,
        )
        return automation.Stack.select(self.name, workspace)

    def _asked(self, *words: str) -> str:
        try:
            return self._command.run(list(words), str(self.project.directory), {}).stdout
        except automation_errors.CommandError as error:
            translated = self._translated(error)
            if isinstance(translated, UpdateFailedError):
                msg = f"{translated}; nothing was changed"
                raise RefusedError(msg) from error
            raise translated from error

    def _translated(
        self, error: automation_errors.CommandError, heard: Sequence[str] = ()
    ) -> UsageError | StackLockedError | UpdateFailedError:
        result = self._command.last
        said = "\n".join(heard) or (_errors_in(result) if result else str(error))
        if isinstance(error, automation_errors.StackNotFoundError):
            return UsageError(
                f"there is no stack {self.name!r} in project {self.project.name!r}; nothing was "
                "done; `pulumi stack ls` shows those that are there"
            )
        if isinstance(error, automation_errors.ConcurrentUpdateError):
            # With the lines below the first one: they say whose lock it is.
            return StackLockedError(f"{result.stdout}\n{result.stderr}" if result else said)
        was_killed = result is not None and result.exit_code < 0
        if was_killed and result is not None:
            said = f"the engine was killed by signal {-result.exit_code}; {said}".rstrip("; ")
        return UpdateFailedError(said, was_killed=was_killed)


class _Command(automation.PulumiCommand):
    """Runs `pulumi` in a session of its own; asks its version only when somebody wants it."""

    def __init__(self, interruption: Interruption) -> None:
        # Not the base's: it starts a process to ask the version, which most commands do not need.
        self.command = "pulumi"
        self.version = None
        self.last: EngineResult | None = None
        self._interruption = interruption

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], Any] | None = None,
        on_error: Callable[[str], Any] | None = None,
    ) -> automation.CommandResult:
        """Runs a command; raises `CommandError` when it fails."""
        environment = {
            **additional_env,
            "PULUMI_AUTOMATION_API": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        try:
            self.last = run_engine(
                [self.command, "--non-interactive", *args],
                cwd=cwd,
                environment=environment,
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
        last = self.last
        result = automation.CommandResult(
            stdout=last.stdout, stderr=last.stderr, code=last.exit_code
        )
        if last.exit_code != 0:
            raise automation_errors.create_command_error(result)
        return result


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


def _selected(project: Project) -> str:
    command = _Command(Interruption())
    try:
        said = command.run(["stack", "--show-name"], str(project.directory), {}).stdout
    except automation_errors.CommandError as error:
        msg = (
            f"no stack of project {project.name!r} is selected; nothing was done; name one: "
            "--stack NAME (`pulumi stack ls` shows those that are there)"
        )
        raise UsageError(msg) from error
    return said.strip()


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


def _errors_in(result: EngineResult) -> str:
    """What went wrong, in the engine's words and without its progress."""
    errors = [
        line.strip().removeprefix("error: ")
        for line in (*result.stdout.splitlines(), *result.stderr.splitlines())
        if line.strip().startswith("error: ")
    ]
    said = "\n".join(dict.fromkeys(errors))
    return said or result.stderr.strip() or f"pulumi ended with exit status {result.exit_code}"


def _past_update(entry: Mapping[str, Any]) -> PastUpdate:
    environment = entry.get("environment") or {}
    return PastUpdate(
        kind=entry["kind"],
        result=entry["result"],
        started=entry["startTime"],
        ended=entry.get("endTime"),
        message=entry.get("message") or "",
        by=environment.get("git.author") or None,
        commit=environment.get("git.head") or None,
        config={
            key: value.get("objectValue", value.get("value"))
            for key, value in (entry.get("config") or {}).items()
            if not value.get("secret")
        },
    )
