"""Is the rising color large enough for the traffic it is about to get?"""

import math
from dataclasses import dataclass
from fractions import Fraction

from bluegreen.errors import DataPlaneError
from bluegreen.gates.gate import Deadline, Readiness, Subject, Verdict
from bluegreen.gates.wording import one_line

__all__ = ["CapacityGate", "members_needed"]


def members_needed(*, fraction: float, live_desired: int, replicas: int) -> int:
    """How many members have to be ready: the fraction of the larger color, rounded up, at least 1.

    Args:
        fraction: More than 0, at most 1.
        live_desired: How many members the live color is meant to have now; 0 when none is live.
        replicas: The rising color's configured full capacity.
    """
    # As written, not as stored: in binary, 0.55 of 100 is a little more than 55.
    exact = Fraction(str(fraction)) * max(live_desired, replicas)
    return max(1, math.ceil(exact))


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityGate:
    """Passes when as many members of the rising color are ready as the live color's size demands.

    A rollback goes ahead with one ready member, and warns about the shortage.
    """

    name: str = "capacity"
    fraction: float = 1.0
    timeout_seconds: float = 60
    interval_seconds: float = 0.5

    @property
    def is_slow(self) -> bool:
        """Never: a rollback wants to know, too."""
        return False

    @property
    def is_dry_run(self) -> bool:
        """Never: it is the guard."""
        return False

    @property
    def runs_first(self) -> bool:
        """Never: it changes nothing."""
        return False

    @property
    def lacks(self) -> str:
        """Nothing: it asks what is there anyway."""
        return ""

    @property
    def runs_in_preview(self) -> bool:
        """Always: it only looks."""
        return True

    def check(self, subject: Subject, deadline: Deadline) -> Verdict:
        """Looks until enough members are ready, until no waiting can help, or the deadline."""
        while True:
            verdict, is_final = self._look(subject)
            if verdict.passed or is_final:
                return verdict
            if not deadline.sleep(self.interval_seconds, met=verdict.reason):
                return verdict

    def _look(self, subject: Subject) -> tuple[Verdict, bool]:
        """The verdict now, and whether it is the last word."""
        try:
            rising = subject.readiness(subject.color)
        except DataPlaneError as error:
            return self._unknown(f"{subject.color} could not be asked", error), False
        try:
            live_desired = _live_desired(subject, rising)
        except DataPlaneError as error:
            if not (subject.is_rollback and rising.ready):
                return self._unknown(f"{subject.live_color} could not be asked", error), False
            live_desired = 0
        needed = members_needed(
            fraction=self.fraction, live_desired=live_desired, replicas=subject.replicas
        )
        if rising.ready >= needed or (subject.is_rollback and rising.ready):
            return self._pass(subject, rising, needed), True
        out_of_reach = needed > max(subject.replicas, rising.desired) and not subject.is_rollback
        return self._refusal(subject, rising, needed, live_desired), out_of_reach

    def _pass(self, subject: Subject, rising: Readiness, needed: int) -> Verdict:
        is_short = rising.ready < needed
        reason = f"{rising.ready} of {needed} needed members of {subject.color} are ready"
        return Verdict(
            gate=self.name,
            passed=True,
            reason=f"only {reason}; a rollback goes ahead with one" if is_short else reason,
            value=str(rising.ready),
            limit=str(needed),
            is_warning=is_short,
        )

    def _refusal(
        self, subject: Subject, rising: Readiness, needed: int, live_desired: int
    ) -> Verdict:
        reason = (
            f"{rising.ready} of {needed} needed members of {subject.color} are ready"
            f" ({rising.desired} desired{_behind(rising)})"
        )
        if subject.is_rollback:
            needed = 1
            reason = f"no member of {subject.color} is ready, and a rollback needs one"
        elif needed > subject.replicas and subject.live_color is not subject.color:
            key = subject.capacity_key or f"{subject.color}.replicas"
            reason += (
                f"; {subject.live_color} has {live_desired}, {subject.color} is configured for"
                f" {subject.replicas}: run `pulumi config set --path {key} {needed}`"
            )
        return Verdict(
            gate=self.name,
            passed=False,
            reason=reason,
            value=str(rising.ready),
            limit=str(needed),
        )

    def _unknown(self, what: str, error: DataPlaneError) -> Verdict:
        reason = f"{what}: {one_line(str(error), 500)}"
        limit = f"{self.fraction:g} of the live color's members"
        return Verdict(gate=self.name, passed=False, reason=reason, limit=limit)


def _behind(rising: Readiness) -> str:
    return f"; {rising.note}" if rising.note else ""


def _live_desired(subject: Subject, rising: Readiness) -> int:
    if subject.live_color is None:
        return 0
    if subject.live_color is subject.color:
        return rising.desired
    return subject.readiness(subject.live_color).desired
