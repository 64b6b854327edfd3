"""Has somebody approved this color and release?"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from bluegreen.gates.gate import Deadline, Subject, Verdict, WrittenGate
from bluegreen.settings.approval import ApprovalSettings

__all__ = ["ApprovalGate"]


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalGate(WrittenGate):
    """Passes when the stack's config has an approval of the color and the release it is to run."""

    name: str = "approval"
    approval: ApprovalSettings | None = None
    hours: float = 24.0
    """How long an approval counts."""

    is_slow: bool = True
    """Always: nobody waits for a signature to undo something."""

    now: Callable[[], datetime] = _now

    def check(self, subject: Subject, deadline: Deadline) -> Verdict:  # noqa: ARG002
        """Compares."""
        color, release = subject.color, subject.release
        problem = "nobody has approved anything"
        if self.approval is not None:
            problem = self.approval.problem(
                subject.service, color, release, hours=self.hours, now=self.now()
            )
        told = None if self.approval is None else f"{self.approval.by} at {self.approval.at}"
        return Verdict(
            gate=self.name,
            passed=not problem,
            reason=f"{color} {release} is not approved: {problem}; run"
            f" `bluegreen approve --color {color} --release {release}`"
            if problem
            else f"approved by {told}",
            value=told or "none",
            limit=f"{color} {release}, at most {self.hours:g} hours ago",
        )
