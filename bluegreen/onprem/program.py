"""One program under supervisord: what it is, and how supervisord is told about it."""

import hashlib
import json
import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path

from bluegreen.errors import ConfigError

__all__ = ["Program", "ProgramState", "ProgramStatus", "conf_of", "process_name", "quoted"]

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_DIGEST_CHARACTERS = 16
_LOG_BYTES = "10MB"
_LOG_BACKUPS = 3
# The pause before each try is a second longer than the last one: 60 tries are half an hour, so a
# program outlives a database that is away for a while and does not spin meanwhile.
_START_TRIES = 60


@dataclass(frozen=True, kw_only=True)
class Program:
    """A command that supervisord keeps running. Every value reaches it exactly as given."""

    name: str
    """Lower-case letters, digits and dashes; unique within one supervisord."""

    command: tuple[str, ...]
    """The program and its arguments; no shell reads them."""

    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Added to the short environment that supervisord itself runs with."""

    directory: str = "/"
    """Where the command runs."""

    stop_seconds: int = 30
    """How long it may take to end after SIGTERM; then its whole process group gets SIGKILL."""

    start_seconds: int = 1
    """How long it must stay up to count as running."""

    def __post_init__(self) -> None:
        problems = list(self._problems())
        if problems:
            raise ConfigError(
                f"program {self.name!r} {each}; nothing was started" for each in problems
            )

    def _problems(self) -> Iterator[str]:
        texts = [*self.command, *self.environment, *self.environment.values(), self.directory]
        names = [name for name in self.environment if not name or "=" in name]
        if not _NAME.fullmatch(self.name):
            yield "is named with other than lower-case letters, digits and dashes"
        if not self.command or not self.command[0]:
            yield "has an empty command"
        if any("\0" in text for text in texts):
            yield "has a NUL character in its command, environment or directory"
        if names:
            yield f"has environment names that are empty or contain =: {names}"
        if self.stop_seconds < 1 or self.start_seconds < 0:
            yield "needs at least 1 second to stop and 0 seconds to start"

    @property
    def digest(self) -> str:
        """Changes with what runs, and not with the version of this library.

        The time to stop is left out: supervisord cannot change it in place, and another limit is
        no reason to restart a member that has traffic. The next one that starts has it.
        """
        values = json.loads(self.to_json())
        del values["stop_seconds"]
        text = json.dumps(values, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_CHARACTERS]

    def to_json(self) -> str:
        """The record that the program is launched by."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return json.dumps({**values, "environment": dict(self.environment)}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Program":
        """Reads a record back."""
        values = json.loads(text)
        return cls(**{**values, "command": tuple(values["command"])})


class ProgramStatus(StrEnum):
    """What supervisord says about a program, in its own words."""

    STOPPED = "STOPPED"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    BACKOFF = "BACKOFF"
    """It ended too soon and waits for its next try."""

    STOPPING = "STOPPING"
    EXITED = "EXITED"
    FATAL = "FATAL"
    """Every try has failed; it stays down until it is put again."""

    UNKNOWN = "UNKNOWN"

    @property
    def is_up(self) -> bool:
        """Whether there is a process that is meant to stay."""
        return self in {ProgramStatus.RUNNING, ProgramStatus.STARTING}

    @property
    def is_down(self) -> bool:
        """Whether there is no process, and the program may be removed."""
        return self in {
            ProgramStatus.STOPPED,
            ProgramStatus.EXITED,
            ProgramStatus.FATAL,
            ProgramStatus.UNKNOWN,
        }


@dataclass(frozen=True, slots=True)
class ProgramState:
    """A program as supervisord holds it at this moment."""

    name: str
    status: ProgramStatus
    pid: int | None
    digest: str
    """The digest of the `Program` that this supervisord was given, whatever the files say now."""

    reason: str
    """Why it does not run, in supervisord's words; may be empty."""

    @property
    def namespec(self) -> str:
        """The name that supervisord's own tools know the process by."""
        return f"{self.name}:{process_name(self.name, self.digest)}"


def process_name(name: str, digest: str) -> str:
    """What supervisord calls the process of a program: what it says is then what it really runs."""
    return f"{name}.{digest}"


def quoted(*words: str) -> str:
    """Words as supervisord's `command=` reads them back."""
    text = shlex.join(words).replace("%", "%%")
    # Its parser takes white space followed by ; or # for a comment, inside quotes, too.
    return re.sub(r"(?<=\s)(?=[;#])", "''", text)


def conf_of(program: Program, launcher: Path, record: Path, journal: Path, log: Path) -> str:
    """The section that makes supervisord run a program."""
    command = quoted(
        sys.executable, "-I", "-S", "-X", "utf8", str(launcher), str(record), str(journal)
    )
    return f"""\
[program:{program.name}]
process_name = {process_name(program.name, program.digest)}
command = {command}
autostart = true
autorestart = true
startsecs = {program.start_seconds}
startretries = {_START_TRIES}
stopsignal = TERM
stopwaitsecs = {program.stop_seconds}
stopasgroup = true
killasgroup = true
redirect_stderr = true
stdout_logfile = {log}
stdout_logfile_maxbytes = {_LOG_BYTES}
stdout_logfile_backups = {_LOG_BACKUPS}
"""
