"""A stack of the user's project, as the engine's command line knows it."""

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluegreen.operations.engine_message import EngineMessage
from bluegreen.operations.engine_process import Interruption
from bluegreen.operations.outcome import OperationError, RefusedError, UsageError
from bluegreen.operations.project import Project, find_project
from bluegreen.operations.pulumi_command import (
    CommandFailedError,
    PulumiCommand,
    StackLockedError,
    UpdateFailedError,
    why_it_failed,
)

if TYPE_CHECKING:
    from bluegreen.operations.automation import Engine

__all__ = ["PastUpdate", "Stack"]


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

    @property
    def over(self) -> str:
        """When it ended; when it began, where the history does not know that. UTC, ISO 8601."""
        return self.ended or self.started


class Stack:
    """A stack of a project; each question and each update is one run of `pulumi`."""

    def __init__(
        self, project: Project, name: str, interruption: Interruption | None = None
    ) -> None:
        self.project = project
        self.name = name
        self.interruption = interruption or Interruption()
        self._command = PulumiCommand(project.directory, self.interruption)

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
        with self._explaining():
            self._engine(environment).up(
                message=message, continue_on_error=continue_on_error, refresh=refresh, tell=tell
            )

    def preview(
        self,
        *,
        environment: Mapping[str, str] | None = None,
        tell: Callable[[EngineMessage], None] = lambda _: None,
    ) -> None:
        """`pulumi preview`; raises like `up`."""
        with self._explaining():
            self._engine(environment).preview(tell=tell)

    def preview_document(self) -> tuple[str, bool]:
        """What `pulumi preview --json` prints, and whether it succeeded; raises like `outputs`.

        Resources that stay the same are in it: a change is understood by what is beside it.
        """
        words = ("preview", "--json", "--show-sames", "--stack", self.name)
        try:
            return self._command.run(*words).stdout, True
        except CommandFailedError as failed:
            refusal, said = self._refusal(failed), failed.result.stdout
            if isinstance(refusal, StackLockedError) or not said.lstrip().startswith("{"):
                raise refusal from failed
            return said, False

    def _engine(self, environment: Mapping[str, str] | None) -> "Engine":
        # Here and not above: it takes longer to import than most verbs take.
        from bluegreen.operations.automation import Engine  # noqa: PLC0415

        return Engine(self._command, self.name, environment)

    def _asked(self, *words: str) -> str:
        try:
            return self._command.run(*words).stdout
        except CommandFailedError as failed:
            raise self._refusal(failed) from failed

    def _refusal(self, failed: CommandFailedError) -> OperationError:
        """Of a command that only asks."""
        why = self._why(failed)
        return (
            RefusedError(f"{why}; nothing was changed")
            if isinstance(why, UpdateFailedError)
            else why
        )

    @contextlib.contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except CommandFailedError as failed:
            raise self._why(failed) from failed

    def _why(self, failed: CommandFailedError) -> OperationError:
        return why_it_failed(failed, stack=self.name, project=self.project.name)


def _selected(project: Project) -> str:
    try:
        said = PulumiCommand(project.directory, Interruption()).run("stack", "--show-name")
    except CommandFailedError as error:
        msg = (
            f"no stack of project {project.name!r} is selected; nothing was done; name one: "
            "--stack NAME (`pulumi stack ls` shows those that are there)"
        )
        raise UsageError(msg) from error
    return said.stdout.strip()


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
