"""What stands under `service.gates.command` and `warm_up`: programs, or requests that prepare."""

import shlex
from typing import Self

from pydantic import Field, model_validator

from bluegreen.settings.base import MisfitError
from bluegreen.settings.gate import GateSettings, RequestPath, Seconds

__all__ = ["CommandGateSettings", "WarmUpGateSettings"]


class CommandGateSettings(GateSettings):
    """One gate under `command`: a program, for example a smoke test, ends with status 0."""

    command: str | tuple[str, ...]
    """Program and arguments, as one line or as a list. No shell reads it: `~`, `$NAME`, `|` and `>`
    stay as they are; for those write `[bash, -c, "…"]`."""

    env: dict[str, str] = Field(default_factory=dict, repr=False)
    """Environment variables on top of those of `pulumi up`; `BLUEGREEN_COLOR`, `BLUEGREEN_RELEASE`,
    `BLUEGREEN_TEST_URL` and `BLUEGREEN_TEST_HEADERS` (JSON) are added."""

    secret_env: tuple[str, ...] = ()
    """Names of environment variables whose values are masked in what is kept of the output."""

    timeout_seconds: Seconds = 60
    """When the program and its children are killed; default 60."""

    @property
    def arguments(self) -> tuple[str, ...]:
        """The program and its arguments, one by one."""
        return _words(self.command)

    @model_validator(mode="after")
    def _command_names_a_program(self) -> Self:
        _check(self.command)
        return self


class WarmUpGateSettings(GateSettings):
    """One gate under `warm_up`: a program, or requests, before the other gates measure.

    It refuses when the program fails, or when not enough good answers come in time; the other gates
    are not asked then.
    """

    command: str | tuple[str, ...] | None = None
    """Program and arguments, as in a gate under `command`; instead of `paths`."""

    env: dict[str, str] = Field(default_factory=dict, repr=False)
    """Environment variables of the program, as in a gate under `command`."""

    secret_env: tuple[str, ...] = ()
    """Names of variables of the program whose values are masked in what is kept of its output."""

    paths: tuple[RequestPath, ...] = ()
    """Paths on the color-pinned address that are asked with GET, in turn; instead of `command`."""

    requests: int = Field(default=100, ge=1, le=1_000_000)
    """How many good answers, 2xx, pass; default 100. Bad ones are counted, and asked again."""

    concurrency: int = Field(default=4, ge=1, le=64)
    """How many requests are under way at the same time; default 4."""

    timeout_seconds: Seconds = 60
    """How long it may take; default 60. The other gates have what is left of
    `service.gates.timeout_seconds`."""

    request_timeout_seconds: Seconds = 10
    """How long one answer may take; default 10: the first ones of a cold member are slow."""

    @property
    def arguments(self) -> tuple[str, ...]:
        """The program and its arguments, one by one; empty when there is none."""
        return () if self.command is None else _words(self.command)

    @model_validator(mode="after")
    def _it_does_one_thing(self) -> Self:
        if self.command is None and not self.paths:
            msg = "names neither paths nor a command"
            raise MisfitError(msg, "paths", 0, value="/")
        if self.command is not None and self.paths:
            msg = "names both paths and a command; write two gates for both"
            raise MisfitError(msg, "paths", value=None)
        if self.command is not None:
            _check(self.command)
        return self


def _words(command: str | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(shlex.split(command)) if isinstance(command, str) else command


def _check(command: str | tuple[str, ...]) -> None:
    try:
        arguments = _words(command)
    except ValueError as error:
        msg = f"the command cannot be split into words: {str(error).lower()}"
        raise MisfitError(msg, "command") from error
    if not arguments or not arguments[0]:
        msg = "the command names no program"
        raise MisfitError(msg, "command")
