"""When a target counts as healthy: plain values, no network."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum

__all__ = ["CheckSettings", "Finding", "HealthState", "TargetHealth", "matches"]


class HealthState(StrEnum):
    """What DescribeTargetHealth says about a target that is registered and in use."""

    INITIAL = "initial"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True)
class CheckSettings:
    """The health check of a target group; seconds are those of AWS's clock."""

    path: str
    port: str
    """`traffic-port`, or a number."""

    interval_seconds: float
    timeout_seconds: float
    healthy_threshold: int
    unhealthy_threshold: int
    matcher: str


@dataclass(frozen=True)
class Finding:
    """What one check found wrong, in the words of AWS."""

    reason: str
    description: str


@dataclass(frozen=True)
class TargetHealth:
    """What is known about one target."""

    state: HealthState = HealthState.INITIAL
    passed: int = 0
    """Checks that passed since the last that failed."""

    failed: int = 0
    finding: Finding | None = Finding(
        "Elb.RegistrationInProgress", "Target registration is in progress"
    )

    def after(self, problem: Finding | None, settings: CheckSettings) -> "TargetHealth":
        """What is known after one more check; a new target needs one that passes, no more."""
        if problem is None:
            return self._after_pass(settings)
        failed = self.failed + 1
        if self.state is HealthState.UNHEALTHY or failed >= settings.unhealthy_threshold:
            return TargetHealth(HealthState.UNHEALTHY, 0, failed, problem)
        if self.state is HealthState.INITIAL:
            checking = Finding("Elb.InitialHealthChecking", "Initial health checks in progress")
            return TargetHealth(HealthState.INITIAL, 0, failed, checking)
        return replace(self, passed=0, failed=failed)

    def _after_pass(self, settings: CheckSettings) -> "TargetHealth":
        passed = self.passed + 1
        if self.state is HealthState.UNHEALTHY and passed < settings.healthy_threshold:
            return replace(self, passed=passed, failed=0)
        return TargetHealth(HealthState.HEALTHY, passed, 0, None)


def matches(status: int, matcher: str) -> bool:
    """Whether a status is one of `200`, `200,202` or `200-299`."""
    for part in matcher.split(","):
        first, last = re.fullmatch(r"(\d+)(?:-(\d+))?", part.strip()).groups()  # type: ignore[union-attr]
        if int(first) <= status <= int(last or first):
            return True
    return False
