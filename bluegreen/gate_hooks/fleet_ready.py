"""Says whether what was deployed becomes ready, and why it does not."""

from bluegreen.colors import Color
from bluegreen.errors import DataPlaneError, RolloutError
from bluegreen.gate_hooks.hook import HookCall
from bluegreen.gate_hooks.update import Update
from bluegreen.gates.gate import Deadline, Readiness

__all__ = ["FleetReady"]

_POLL_SECONDS = 0.5
_PROGRESS_SECONDS = 5.0
"""Between two words about it: a pipeline's log keeps every one of them."""


class FleetReady:
    """Asked after the members of one color were created or changed.

    A failure fails the update and stops what comes after the members. The next `pulumi up` does
    not ask it again, because nothing changes then; the gates of a switch do.
    """

    def __init__(self, update: Update, color: Color, *, timeout_seconds: float) -> None:
        self._update = update
        self._color = color
        self._timeout_seconds = timeout_seconds

    def __call__(self, call: HookCall) -> None:
        """Returns once all members are ready; raises when they are not in time."""
        wanted = self._update.plan.fleets[self._color].replicas
        deadline = Deadline(self._timeout_seconds)
        next_word = self._timeout_seconds - _PROGRESS_SECONDS
        while wanted > 0:
            found, why = self._look()
            if found is not None and found.ready >= wanted:
                return
            if deadline.remaining_seconds < next_word:
                next_word = deadline.remaining_seconds - _PROGRESS_SECONDS
                call.progress(f"{self._update.name}: {self._count(found, wanted)}{why}")
            if not deadline.sleep(_POLL_SECONDS):
                self._fail(found, wanted, why)

    def _look(self) -> tuple[Readiness | None, str]:
        """What is there, and what is said about the rest."""
        try:
            found = self._update.data_plane.readiness(self._color)
        except DataPlaneError as error:
            return None, f" ({error})"
        return found, f" ({found.note})" if found.note else ""

    def _count(self, found: Readiness | None, wanted: int) -> str:
        release = self._update.release_of(self._color)
        ready = "an unknown number" if found is None else found.ready
        return f"{ready} of {wanted} members of {self._color} {release} are ready"

    def _fail(self, found: Readiness | None, wanted: int, why: str) -> None:
        msg = (
            f"{self._update.name}: {self._count(found, wanted)} after "
            f"{self._timeout_seconds:g} seconds{why}; {self._color} has been deployed, production "
            "traffic has not been moved by this update; deploy a release that starts, or switch "
            "once it is ready: the gates ask again"
        )
        raise RolloutError(msg)
