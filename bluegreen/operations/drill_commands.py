"""The commands that make a copy's stack and remove it; a request to stop does not end these."""

from bluegreen.operations.drill_apart import left_resources
from bluegreen.operations.engine_process import EngineResult, Interruption
from bluegreen.operations.outcome import OperationError, RefusedError, UncertainError
from bluegreen.operations.pulumi_command import CommandFailedError, PulumiCommand, errors_in
from bluegreen.operations.stack import Stack

__all__ = ["exported", "init", "remove"]

_MOST_NAMED = 50


def init(copy: Stack, source: str) -> None:
    """Makes a stack with the config of another; secrets are encrypted anew for it.

    Raises:
        RefusedError: It could not be made.
    """
    done = _pulumi(copy, "stack", "init", copy.name, "--no-select", "--copy-config-from", source)
    if done.exit_code != 0:
        msg = f"the copy could not be made: {_said(done)}; nothing was changed"
        raise RefusedError(msg)


def exported(stack: Stack) -> str:
    """The state of a stack, as the engine writes it.

    Raises:
        RefusedError: It cannot be read.
    """
    done = _pulumi(stack, "stack", "export", "--stack", stack.name)
    if done.exit_code != 0:
        msg = f"{stack.name} cannot be read: {_said(done)}; nothing was changed"
        raise RefusedError(msg)
    return done.stdout


def remove(copy: Stack) -> None:
    """Destroys all that the copy has, and the stack itself.

    Raises:
        UncertainError: Something is left; the message names it, and what removes it.
    """
    destroyed = _destroy(copy)
    if destroyed.exit_code != 0:
        # An engine that was killed has left its lock.
        _pulumi(copy, "cancel", "--yes", "--stack", copy.name)
        destroyed = _destroy(copy)
    removed = _pulumi(copy, "stack", "rm", "--yes", copy.name)
    if destroyed.exit_code or removed.exit_code:
        failed = destroyed if destroyed.exit_code else removed
        msg = (
            f"the copy {copy.name} could not be removed: {_said(failed)}; left: {_left(copy)}; the "
            f"stack itself was not touched; `pulumi destroy --stack {copy.name}`, then `pulumi "
            f"stack rm {copy.name}`"
        )
        raise UncertainError(msg)


def _destroy(copy: Stack) -> EngineResult:
    # What one resource that does not go holds up is not the others.
    options = ("--yes", "--skip-preview", "--continue-on-error")
    return _pulumi(copy, "destroy", *options, "--stack", copy.name)


def _left(copy: Stack) -> str:
    try:
        left = left_resources(exported(copy))
    except OperationError as error:
        return f"nobody can tell ({error})"
    named = [f"{kind} {name}" for kind, name in left[:_MOST_NAMED]]
    more = len(left) - len(named)
    return "; ".join([*named, *([f"{more} more"] if more else [])]) or "the stack alone"


def _pulumi(stack: Stack, *words: str) -> EngineResult:
    try:
        return PulumiCommand(stack.project.directory, Interruption()).run(*words)
    except CommandFailedError as failed:
        return failed.result


def _said(done: EngineResult) -> str:
    return errors_in(done).replace("\n", "; ")
