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


def rollback(stack: Stack, *, reason: str, tell: Tell) -> RolledBack:
    """Moves production traffic to the color that does not have it.

    Only readiness is asked, a smaller fleet is accepted, and a resource that fails and has nothing
    to do with it holds nothing up.

    Raises:
        UsageError: There is no reason.
        RefusedError: There is nothing to go back to, or it is not ready; nothing moved.
        UncertainError: It failed on the way.
    """
    if not reason.strip():
        msg = "a rollback needs a reason, which is recorded; nothing was changed; --reason WHY"
        raise UsageError(msg)
    with alone_on(stack.config_file):
        return roll_back(stack, reason=reason.strip(), tell=tell)


def roll_back(stack: Stack, *, reason: str, tell: Tell) -> RolledBack:
    """The same for who is alone on the stack already."""
    config = StackConfig.read(stack.config_file, stack.project.name)
    outputs = stack.outputs()
    recorded = recorded_color(outputs)
    live = _live_color(stack, config, outputs, recorded, tell)
    target = live.other
    if not config.color(target):
        msg = (
            f"there is nothing to go back to: {target} is not in {stack.config_file.name}; "
            "nothing was changed"
        )
        raise RefusedError(msg)
    move = Move(
        "rollback",
        target,
        live,
        reason=reason,
        environment={str(OverrideVariable.ROLLBACK): f"{target}:{reason}"},
        continue_on_error=True,
        # What is live is not what was recorded: the engine has to look, or it sees no change.
        refresh=live is not recorded,
    )
    moved = move_production(stack, config, move, tell)
    return RolledBack(
        stack=stack.name,
        from_color=str(live),
        to_color=str(target),
        release=str(config.color(target).get("release")),
        reason=reason,
        seconds=round(moved.seconds, 2),
        problems=moved.problems,
    )


def _live_color(
    stack: Stack, config: StackConfig, outputs: dict[str, object], recorded: Color, tell: Tell
) -> Color:
    """Who has production now; asked in milliseconds where production says it, of a preview else."""
    url, color_from = outputs.get(OutputName.PRODUCTION_URL), config.color_from
    is_written = config.values[ConfigKey.ACTIVE_COLOR] == str(recorded)
    # With a canary both of them answer, and not even who is live can be told from that.
    if is_written and isinstance(url, str) and color_from is not None and not config.canary_percent:
        answering = who_answers(url, color_from, count=_ANSWERS)
        if answering == {str(recorded)}:
            return recorded
    # Nobody says it, an update was killed, or somebody moved it: the data plane knows.
    try:
        report = ask_program(stack)
    except RefusedError as error:
        # What cannot be asked holds no rollback up.
        told = f"who has production traffic cannot be told: {error}; the last update left it at"
        tell(EngineMessage(f"{told} {recorded}", "warning"))
        return recorded
    return Color(report.active) if report.active else recorded
