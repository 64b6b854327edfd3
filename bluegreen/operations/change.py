"""Changes of a stack that move no production traffic to another color as a whole.

Each writes a few keys of the config and runs one `up`; what was refused leaves the config as it
was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bluegreen.colors import Color
from bluegreen.contract import ConfigKey
from bluegreen.operations.config_file import Value, edit_config, restore_config
from bluegreen.operations.engine_message import EngineMessage
from bluegreen.operations.live import ask_program
from bluegreen.operations.locks import lock_advice
from bluegreen.operations.move import Tell
from bluegreen.operations.one_at_a_time import alone_on
from bluegreen.operations.outcome import OperationError, RefusedError, UncertainError, UsageError
from bluegreen.operations.pulumi_command import StackLockedError, UpdateFailedError
from bluegreen.operations.recorded import is_finished, recorded_color, retained_until
from bluegreen.operations.stack import PastUpdate, Stack
from bluegreen.operations.stack_file import StackConfig
from bluegreen.operations.status import last_switch_in

__all__ = ["Changed", "canary", "deploy", "retire"]

_HISTORY = 100
_WITH_IMAGES = ("kubernetes", "aws")
_ALL = 100


@dataclass(frozen=True, slots=True)
class Changed:
    """What a change came to."""

    stack: str
    color: str
    """The color that it was about."""

    was_needed: bool
    """False when it was so already: nothing was done."""

    summary: str
    """What is so now, in words."""

    next: str = ""
    """What to type next."""


def deploy(
    stack: Stack, release: str, *, image: str | None = None, color: Color | None = None, tell: Tell
) -> Changed:
    """Puts a release on the idle color; production is not touched.

    Args:
        stack: Whose.
        release: The release.
        image: Container image or machine image of that color, where the platform has such a thing;
            None leaves what the config says.
        color: Where; None for the idle one. One with production traffic is refused by the program.
        tell: Is told what happens.

    Raises:
        RefusedError: It was refused; the config is as it was.
        UncertainError: It failed on the way; the color may hold some of it.
    """
    with alone_on(stack.config_file):
        config = StackConfig.read(stack.config_file, stack.project.name)
        active = recorded_color(stack.outputs())
        target = color or active.other
        if target is active:
            msg = (
                f"{target} has production traffic; nothing was changed; "
                f"`bluegreen deploy --release {release}` deploys to {active.other}"
            )
            raise RefusedError(msg)
        changes = _deployment(config, target, release, image)
        held = config.color(target).get("release")
        _update(stack, changes, f"deploy {release} to {target}", tell)
        return Changed(
            stack=stack.name,
            color=str(target),
            was_needed=held != release or image is not None,
            summary=f"{target} holds {release}; {active} has production traffic",
            next=f"bluegreen validate, then bluegreen switch --to {target}",
        )


def _deployment(
    config: StackConfig, target: Color, release: str, image: str | None
) -> dict[str, Value]:
    platform = str(config.service.get("platform"))
    if image is not None and platform not in _WITH_IMAGES:
        msg = f"platform {platform} has no image; nothing was changed; leave out --image"
        raise UsageError(msg)
    own: dict[str, Value] = {"release": release}
    if image is not None:
        own["image"] = image
    if config.color(target):
        return {f"{target}.{key}": value for key, value in own.items()}
    # The first time: as many members as the other color, with what it is started with.
    like = {key: value for key, value in config.color(target.other).items() if key not in own}
    return {str(target): {**own, **_plain(like, target)}}


def _plain(written: Mapping[str, object], target: Color) -> dict[str, Value]:
    taken: dict[str, Value] = {}
    for key, value in written.items():
        if not isinstance(value, str | int) or isinstance(value, bool):
            msg = (
                f"{target} is not in the config yet, and {target.other}.{key} cannot be copied "
                f"safely; nothing was changed; write {target} into the config and run `pulumi up`"
            )
            raise RefusedError(msg)
        taken[key] = value
    return taken


def canary(stack: Stack, percent: int, *, tell: Tell) -> Changed:
    """Gives the idle color a share of production traffic; 0 takes it away again.

    Raises:
        UsageError: The share is not from 0 to 99.
        RefusedError: A gate refused; traffic and config are as they were.
        UncertainError: It failed on the way.
    """
    if not 0 <= percent < _ALL:
        msg = f"{percent} % is no canary: 0 to 99; nothing was changed; all of it is a switch"
        raise UsageError(msg)
    with alone_on(stack.config_file):
        config = StackConfig.read(stack.config_file, stack.project.name)
        active = recorded_color(stack.outputs())
        if config.active_color is not active:
            msg = (
                f"the config says {config.active_color}, the last update left {active}; nothing "
                "was changed; finish that first: `bluegreen status`"
            )
            raise RefusedError(msg)
        idle = active.other
        if not config.color(idle):
            msg = f"{idle} is not in {stack.config_file.name}; nothing was changed"
            raise RefusedError(msg)
        changes: dict[str, Value]
        if config.values[ConfigKey.CANARY]:
            changes = {"canary.color": str(idle), "canary.percent": percent}
        else:
            changes = {"canary": {"color": str(idle), "percent": percent}}
        what = f"canary {percent} % to {idle}"
        try:
            _update(stack, changes, what, tell)
        except RefusedError as error:
            _check_that_it_has_still(stack, idle, config.canary_percent, what, error)
            raise
        return Changed(
            stack=stack.name,
            color=str(idle),
            was_needed=percent != config.canary_percent,
            summary=f"{idle} has {percent} % of production traffic, {active} {_ALL - percent} %",
            next=f"bluegreen switch --to {idle}, or bluegreen canary --percent 0",
        )


def _check_that_it_has_still(
    stack: Stack, idle: Color, percent: int, what: str, error: RefusedError
) -> None:
    """A write that was done and then not seen to follow is no step that the engine tells of."""
    try:
        share = ask_program(stack).colors[str(idle)].share
    except RefusedError:
        # The program does not run, so it has moved nothing.
        return
    if share not in {None, percent}:
        msg = (
            f"{error}\n{what}: not finished: {idle} has {share} % now; the next `pulumi up` makes "
            "it what the config file says; look: `bluegreen status --live`"
        )
        raise UncertainError(msg) from error


def retire(stack: Stack, *, is_due_only: bool, tell: Tell) -> Changed:
    """Shrinks the idle color to its retired capacity, once its retention is over.

    Args:
        stack: Whose.
        is_due_only: True to do nothing, and succeed, where there is nothing to retire yet.
        tell: Is told what happens.

    Raises:
        RefusedError: It must stay able to serve, or still has traffic; the config is as it was.
        UncertainError: It failed on the way.
    """
    with alone_on(stack.config_file):
        config = StackConfig.read(stack.config_file, stack.project.name)
        active = recorded_color(stack.outputs())
        idle = active.other
        updates = stack.history(_HISTORY)
        reason = _not_yet(stack, config, active, updates)
        release = config.color(idle).get("release")
        wanted = {"color": str(idle), "release": str(release)}
        # A switch that was refused may have raised a color that is retired.
        is_done = config.values[ConfigKey.RETIRED] == wanted and is_finished(updates)
        if (reason is not None and is_due_only) or (reason is None and is_done):
            told = reason or f"{idle} {release} is retired"
            return Changed(stack.name, str(idle), was_needed=False, summary=told)
        if reason is not None:
            msg = f"{reason}; nothing was changed"
            raise RefusedError(msg)
        changes: dict[str, Value] = (
            {f"retired.{key}": value for key, value in wanted.items()}
            if config.values[ConfigKey.RETIRED]
            else {"retired": wanted}
        )
        _update(stack, changes, f"retire {idle} {release}", tell)
        told = f"{idle} {release} is retired"
        return Changed(stack.name, str(idle), was_needed=True, summary=told)


def _not_yet(
    stack: Stack, config: StackConfig, active: Color, updates: Sequence[PastUpdate]
) -> str | None:
    """Why the idle color cannot be retired now; the program has the last word."""
    idle = active.other
    if not config.color(idle):
        return f"{idle} is not in {stack.config_file.name}: there is nothing to retire"
    if config.active_color is not active:
        return f"the config says {config.active_color}, the last update left {active}"
    if config.canary_percent:
        return f"{idle} has {config.canary_percent} % of production traffic"
    switch = last_switch_in(updates, f"{stack.project.name}:{ConfigKey.ACTIVE_COLOR}")
    if switch is None:
        return None
    since = datetime.fromisoformat(switch.at).astimezone(UTC)
    if datetime.now(UTC) < since + timedelta(hours=config.retention_hours):
        until = retained_until(config, since)
        return f"{idle} must stay able to serve until {until}: it is the rollback target"
    return None


def _update(stack: Stack, changes: Mapping[str, Value], what: str, tell: Tell) -> None:
    edit = edit_config(stack.config_file, stack.project.name, changes)
    steps: list[str] = []

    def counting(message: EngineMessage) -> None:
        if message.severity == "step":
            steps.append(message.text)
        tell(message)

    try:
        stack.up(message=f"bluegreen {what}", tell=counting)
    except StackLockedError as error:
        left = restore_config(edit)
        msg = f"not done: {lock_advice(str(error))}{_tail(left)}"
        raise RefusedError(msg) from error
    except UpdateFailedError as error:
        left = restore_config(edit)
        if not steps and not error.was_killed:
            # Members of a color without traffic may have been stopped on the way.
            msg = (
                f"{error}\n{what}: not done; production traffic has not moved, and the config file "
                f"says what it said before{_tail(left)}"
            )
            raise RefusedError(msg) from error
        msg = (
            f"{error}\n{what}: not finished; the config file says what it said before, and the "
            f"next `pulumi up` makes it so, or the same command again finishes it{_tail(left)}; "
            "look: `bluegreen status --live`"
        )
        raise UncertainError(msg) from error
    except OperationError:
        restore_config(edit)
        raise


def _tail(left: str | None) -> str:
    return f"; {left}" if left else ""
