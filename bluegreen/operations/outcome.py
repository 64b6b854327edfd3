"""How an operation can end, and what each end means for whoever runs it next."""

from enum import IntEnum

__all__ = ["ExitCode", "OperationError", "RefusedError", "UncertainError", "UsageError"]


class ExitCode(IntEnum):
    """What a command's exit status says; scripts may rely on it."""

    DONE = 0
    """What was asked for is so."""

    REFUSED = 1
    """It was not done: production traffic is where it was."""

    USAGE = 2
    """The command itself cannot be carried out as it was typed."""

    UNCERTAIN = 3
    """It failed on the way; the message says what is known and what to do next."""


class OperationError(Exception):
    """An operation that did not do what was asked; the message says what did not happen.

    Not one of `bluegreen.errors`, which are for programs: nobody who only asks imports Pulumi.
    """

    exit_code = ExitCode.REFUSED


class RefusedError(OperationError):
    """Nothing moved: the moment is wrong, or a gate or a guard said no."""


class UsageError(OperationError):
    """The command names what is not there, or contradicts itself; nothing was looked at."""

    exit_code = ExitCode.USAGE


class UncertainError(OperationError):
    """Something moved, or nobody can tell; the message says what is known."""

    exit_code = ExitCode.UNCERTAIN
