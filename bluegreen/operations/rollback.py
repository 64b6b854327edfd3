"""Moves production traffic back, in seconds: readiness is asked, slow gates are not."""

from dataclasses import dataclass

from bluegreen.colors import Color
from bluegreen.contract import ConfigKey, OutputName, OverrideVariable
from bluegreen.operations.engine_message import EngineMessage
from bluegreen.operations.live import ask_program, who_answers
from bluegreen.operations.move import Move, Tell, move_production
from bluegreen.operations.one_at_a_time import alone_on
from bluegreen.operations.outcome import RefusedError, UsageError
from bluegreen.operations.recorded import recorded_color
from bluegreen.operations.stack import Stack
from bluegreen.operations.stack_file import StackConfig

__all__ = ["RolledBack", "roll_back", "rollback"]

_ANSWERS = 3


@dataclass(frozen=True, slots=True)
class RolledBack:
    """What a rollback came to."""

    stack: str
    from_color: str
    to_color: str
    release: str
    reason: str
    seconds: float
    problems: tuple[str, ...]
    """What failed beside it; production has moved all the same."""


def rollback(stack: Stack, *, reason: str, tell: Tell, to: Color | None = None) -> RolledBack:
    """Moves production traffic to the color that does not have it; a canary is taken back.

    Only readiness is asked, a smaller fleet is accepted, and a resource that fails and has nothing
    to do with it holds nothing up.

    Args:
        stack: Whose.
        reason: Why; it is recorded.
        tell: Is told what happens.
        to: The color, where it is not clear which one is meant.

    Raises:
        UsageError: There is no reason.
        RefusedError: There is nothing to go back to, it is not clear, or it is not ready; nothing
            moved.
        UncertainError: It failed on the way.
    """
    if not reason.strip():
        msg = "a rollback needs a reason, which is recorded; nothing was changed; --reason WHY"
        raise UsageError(msg)
    with alone_on(stack.config_file):
        return roll_back(stack, reason=reason.strip(), tell=tell, to=to)


def roll_back(stack: Stack, *, reason: str, tell: Tell, to: Color | None = None) -> RolledBack:
    """The same for who is alone on the stack already."""
    config = StackConfig.read(stack.config_file, stack.project.name)
    outputs = stack.outputs()
    recorded = recorded_color(outputs)
    production = _production(stack, config, outputs, recorded, tell)
    target = to or _target(config, production, recorded)
    if not config.color(target):
        msg = (
            f"there is nothing to go back to: {target} is not in {stack.config_file.name}; "
            "nothing was changed"
        )
        raise RefusedError(msg)
    move = Move(
        "rollback",
        target,
        target.other,
        reason=reason,
        environment={str(OverrideVariable.ROLLBACK): f"{target}:{reason}"},
        continue_on_error=True,
        # What is live is not what was recorded: the engine has to look, or it sees no change.
        refresh=production.color is not recorded,
    )
    moved = move_production(stack, config, move, tell)
    return RolledBack(
        stack=stack.name,
        from_color=str(target.other),
        to_color=str(target),
        release=str(config.color(target).get("release")),
        reason=reason,
        seconds=round(moved.seconds, 2),
        problems=moved.problems,
    )


@dataclass(frozen=True, slots=True)
class _Production:
    """Who has production now."""

    color: Color
    is_shared: bool = False
    """True when the other color has a part of it: a canary."""


def _target(config: StackConfig, production: _Production, recorded: Color) -> Color:
    live = production.color
    if production.is_shared:
        # What there is to be taken back is the canary: its color does not get the rest as well.
        return live
    if live is not recorded and config.values[ConfigKey.ACTIVE_COLOR] == str(live):
        msg = (
            f"an update to {live} was not finished, and {live} has production traffic; if that "
            "was a rollback, another one would undo it; nothing was changed; say which color is "
            f"meant: --to {live} or --to {live.other}"
        )
        raise RefusedError(msg)
    return live.other


def _production(
    stack: Stack, config: StackConfig, outputs: dict[str, object], recorded: Color, tell: Tell
) -> _Production:
    """Who has production now; asked in milliseconds where production says it, of a preview else."""
    url, color_from = outputs.get(OutputName.PRODUCTION_URL), config.color_from
    is_written = config.values[ConfigKey.ACTIVE_COLOR] == str(recorded)
    has_canary = bool(config.canary_percent)
    # With a canary both of them answer, and not even who is live can be told from that.
    if is_written and isinstance(url, str) and color_from is not None and not has_canary:
        answering = who_answers(url, color_from, count=_ANSWERS)
        if answering == {str(recorded)}:
            return _Production(recorded)
    # Nobody says it, an update was killed, or somebody moved it: the data plane knows.
    try:
        report = ask_program(stack)
    except RefusedError as error:
        # What cannot be asked holds no rollback up.
        told = f"who has production traffic cannot be told: {error}; the last update left it at"
        tell(EngineMessage(f"{told} {recorded}", "warning"))
        return _Production(recorded, is_shared=has_canary)
    if report.active is None:
        return _Production(recorded, is_shared=has_canary)
    is_shared = all(color.share for color in report.colors.values())
    return _Production(Color(report.active), is_shared=has_canary and is_shared)
