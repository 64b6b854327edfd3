"""How long an idle color must stay able to serve."""

from datetime import UTC, datetime

from bluegreen.colors import Color
from bluegreen.contract import OverrideVariable
from bluegreen.errors import DataPlaneError, RolloutError
from bluegreen.events import EventKind
from bluegreen.gate_hooks.hook import HookCall
from bluegreen.gate_hooks.update import Update
from bluegreen.transition import judge_retention

__all__ = ["EarlyEnds", "Retention", "check_removed_colors"]


class Retention:
    """The clock starts when the active flag last went from one color to the other."""

    def __init__(self, update: Update) -> None:
        self._update = update

    def idle_since(self) -> datetime | None:
        """When the idle color became idle; None when it never was anything else."""
        try:
            return self._update.data_plane.last_switch()
        except DataPlaneError as error:
            msg = f"{self._update.name}: cannot tell since when a color is idle: {error}"
            raise RolloutError(msg) from error

    def of(self, color: Color, release: str) -> str | None:
        """Why an idle color must not lose members yet; None when it may."""
        return judge_retention(
            color,
            release,
            idle_since=self.idle_since(),
            now=datetime.now(UTC),
            retention_hours=self._update.settings.retention_hours,
        )

    def asked_by(
        self, call: HookCall, color: Color, release: str, *, before: str, remedy: str = ""
    ) -> str | None:
        """The same; a clock that cannot be read stops an update, as what was `before`.

        A preview only tells: the update may write a damaged flag again before it asks. What helps
        beside what the flag's own problem says is the `remedy`.
        """
        try:
            return self.of(color, release)
        except RolloutError as problem:
            error = RolloutError(f"{problem}{remedy}")
            if not call.is_preview:
                self._update.refuse(call, error, before=before)
            call.warn(f"{error}; the same in an update would be a refusal")
            return None

    def of_what_is_left_now(self, color: Color, release: str) -> str | None:
        """The same for a color that this very update takes the traffic from."""
        hours = self._update.settings.retention_hours
        if hours == 0:
            return None
        return (
            f"{color} {release} is live until this update switches, and must stay able to serve "
            f"for {hours:g} hours after that; nothing was changed; switch first, with {color} as "
            "it is, and take it down later, or say BLUEGREEN_RETIRE_EARLY='why'"
        )

    def record_early_end(self, before: str, after: str) -> None:
        """Writes down that somebody ended a retention."""
        self._update.record(
            EventKind.EARLY_RETIREMENT,
            before=before,
            after=after,
            reason=self._update.overrides.retire_early or "",
        )


class EarlyEnds:
    """The colors that somebody lets go before their time; recorded once nothing refused that."""

    def __init__(self, retention: Retention) -> None:
        self._retention = retention
        self._ended: list[str] = []

    def add(self, what: str) -> None:
        """Keeps it in mind."""
        self._ended.append(what)

    def record(self) -> None:
        """Writes the entries of the audit trail."""
        for what in self._ended:
            self._retention.record_early_end(what, "removed")


def check_removed_colors(update: Update, *, is_preview: bool) -> EarlyEnds:
    """Refuses to remove a color that is still needed; asked while the program is built.

    A resource that is not in the program any more has no hook that could stop its end.

    Returns:
        What is to be recorded after the last step that could still be refused.

    Raises:
        RolloutError: A color that has members is not in the config, and has traffic or is within
            its retention.
    """
    call = HookCall(is_preview=is_preview, old=None, new={})
    ends = EarlyEnds(Retention(update))
    for color in Color:
        if color in update.plan.fleets:
            continue
        try:
            release = update.data_plane.release(color)
        except DataPlaneError:
            # Nothing that could be asked serves traffic; what is left of it may go.
            continue
        refusal = _removal_problem(update, call, color, release) if release else None
        if refusal is None:
            continue
        if update.overrides.retire_early is None:
            msg = (
                f"{update.name}: {color} is not in the config any more, but {refusal}; until then "
                f"`pulumi config set --path {color}.release {release} --type string` keeps it"
            )
            update.refuse(call, RolloutError(msg), before=f"{color} {release}")
        update.used.add(OverrideVariable.RETIRE_EARLY)
        if not is_preview:
            ends.add(f"{color} {release}")
    return ends


def _removal_problem(update: Update, call: HookCall, color: Color, release: str) -> str | None:
    retention = Retention(update)
    if _may_have_a_share(update, color):
        return retention.of_what_is_left_now(color, release)
    remedy = (
        f"; {color} is not in the config any more: "
        f"`pulumi config set --path {color}.release {release} --type string` puts it back"
    )
    return retention.asked_by(call, color, release, before=f"{color} {release}", remedy=remedy)


def _may_have_a_share(update: Update, color: Color) -> bool:
    """Whether a color has traffic; a router that is down or cannot be read may send it some."""
    try:
        live = update.data_plane.live_route()
    except DataPlaneError:
        return True
    return live is not None and live.split.share_of(color) > 0
