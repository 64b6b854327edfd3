"""Looks for what a stack needs, before somebody needs it in a hurry; changes nothing."""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bluegreen.contract import ConfigKey, OutputName
from bluegreen.errors import ConfigError
from bluegreen.operations.access import access_check
from bluegreen.operations.engine_message import EngineMessage
from bluegreen.operations.ground import engine_checks, platform_checks
from bluegreen.operations.health import Check, Level
from bluegreen.operations.outcome import OperationError
from bluegreen.operations.stack import Stack
from bluegreen.operations.stack_file import StackConfig
from bluegreen.settings.config import ServiceConfig

__all__ = ["Diagnosis", "diagnose"]

_PLUGIN_ON_PATH = re.compile(r"using pulumi-resource-\S+ from \$PATH")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found."""

    stack: str | None
    """None when it could not be opened."""

    is_fine: bool
    """True when nothing is missing; warnings may be there."""

    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class _FileSource:
    """A stack's config file, read as its program would; what is secret stays so."""

    name: str
    values: Mapping[str, Any]

    def get(self, key: str) -> str | None:
        value = self.values.get(str(key))
        if value is None or isinstance(value, str):
            return value
        return json.dumps(_without_secrets(value), default=str)


def diagnose(
    open_stack: Callable[[], Stack], *, asks_program: bool, tell: Callable[[EngineMessage], None]
) -> Diagnosis:
    """Checks engine, project, config, platform, state and, in a preview, the program.

    Args:
        open_stack: Opens the stack; its errors are findings.
        asks_program: True to run a preview, which finds missing permissions as well.
        tell: Is told what the engine says in that preview.
    """
    checks = list(engine_checks())
    stack: Stack | None = None
    try:
        stack = open_stack()
        checks.append(Check("project", Level.FINE, f"{stack.project.directory}, {stack.name}"))
    except OperationError as error:
        checks.append(Check("project", Level.MISSING, str(error)))
    if stack is not None:
        checks += _of_stack(stack, asks_program=asks_program, tell=tell)
    return Diagnosis(
        stack=stack.name if stack else None,
        is_fine=all(each.level is not Level.MISSING for each in checks),
        checks=tuple(checks),
    )


def _of_stack(
    stack: Stack, *, asks_program: bool, tell: Callable[[EngineMessage], None]
) -> Iterator[Check]:
    try:
        written = StackConfig.read(stack.config_file, stack.project.name)
    except OperationError as error:
        yield Check("config", Level.MISSING, str(error))
        return
    config: ServiceConfig | None = None
    try:
        config = ServiceConfig.load(_FileSource(stack.project.name, written.values))
        yield Check("config", Level.FINE, f"{config.service.name}, {config.active_color} is wanted")
    except ConfigError as error:
        for problem in error.problems:
            yield Check("config", Level.MISSING, problem)
    if config is not None:
        yield from platform_checks(config.service.platform)
        access = access_check(config.service.platform, written.everything, os.environ)
        if access is not None:
            yield access
        yield from _events(config, stack.project.directory)
        yield from _windows(config)
    state = _state(stack)
    yield state
    if asks_program and config is not None and state.level is not Level.MISSING:
        yield from _program(stack, tell)


def _events(config: ServiceConfig, directory: Path) -> Iterator[Check]:
    events = config.service.events
    if events.file is not None:
        folder = (directory / events.file).parent
        if folder.is_dir() and os.access(folder, os.W_OK):
            yield Check("events", Level.FINE, f"go to {events.file}")
        else:
            yield Check(
                *("events", Level.WARNING, f"there is no writable folder for {events.file}"),
                fix=f"mkdir -p {folder}",
            )
    if events.webhook is not None:
        name = events.webhook.url_env
        if os.environ.get(name):
            yield Check("events", Level.FINE, f"go to the webhook of {name}")
        else:
            yield Check(
                *("events", Level.WARNING, f"the environment variable {name} is not set here"),
                fix=f"export {name}=ADDRESS where `pulumi up` runs",
            )


def _windows(config: ServiceConfig) -> Iterator[Check]:
    windows, now = config.service.windows, datetime.now(UTC)
    if not windows.open and not windows.freeze:
        return
    problem = windows.problem(now)
    if problem is None:
        yield Check("windows", Level.FINE, "a switch is allowed now")
    else:
        opens = windows.next_opening(now) or "not within a year"
        yield Check("windows", Level.WARNING, f"{problem}; the next one opens: {opens}")


def _state(stack: Stack) -> Check:
    try:
        outputs = stack.outputs()
    except OperationError as error:
        return Check(
            *("state", Level.MISSING, str(error)),
            fix="`pulumi login`, `pulumi stack ls`; PULUMI_CONFIG_PASSPHRASE, if it needs one",
        )
    active = outputs.get(OutputName.ACTIVE_COLOR)
    if active is None:
        return Check(
            *("state", Level.WARNING, "nothing is deployed, or the program exports no outputs"),
            fix="`pulumi up`, and `pulumi.export` of what `stack_outputs()` gives",
        )
    return Check("state", Level.FINE, f"{ConfigKey.ACTIVE_COLOR} is {active}")


def _program(stack: Stack, tell: Callable[[EngineMessage], None]) -> Iterator[Check]:
    """What the program itself says in a preview: permissions, reachability, readiness."""
    warnings: list[str] = []

    def listen(message: EngineMessage) -> None:
        # That a plugin is on PATH is what the check `plugin` says.
        if message.severity == "warning" and not _PLUGIN_ON_PATH.search(message.text):
            warnings.append(message.text)
        tell(message)

    try:
        stack.preview(tell=listen)
    except OperationError as error:
        yield Check("program", Level.MISSING, str(error))
    else:
        yield Check("program", Level.FINE, "its preview goes through")
    for text in dict.fromkeys(warnings):
        yield Check("program", Level.WARNING, text)


def _without_secrets(value: Any) -> Any:  # noqa: ANN401  # what YAML has
    """A value in which what is encrypted is some text."""
    if isinstance(value, dict):
        if set(value) == {"secure"}:
            return "secret"
        return {key: _without_secrets(each) for key, each in value.items()}
    return [_without_secrets(each) for each in value] if isinstance(value, list) else value
