"""How much of everything is measured."""

from dataclasses import dataclass

__all__ = ["FULL", "QUICK", "Pace"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Amounts; what is even stays even, so that traffic ends where it began."""

    rate: float
    """Requests per second of every load that is compared."""

    updates: int
    """`pulumi up` with a switch, and as many without a change; even."""

    switches: int
    """Of each way to switch, side by side; even."""

    interval_seconds: float
    """Between two of those; more than what counts as near a switch."""

    calm_seconds: float
    """Load before the first of them."""

    drain_rounds: int
    canary_requests: int
    """For each percentage; each is another client."""

    canary_percents: tuple[int, ...]
    cohort_clients: int
    cohort_rate: float


FULL = Pace(
    rate=2000,
    updates=20,
    switches=20,
    interval_seconds=1.0,
    calm_seconds=2.0,
    drain_rounds=3,
    canary_requests=10_000,
    canary_percents=(1, 5, 10, 50),
    cohort_clients=500,
    cohort_rate=500,
)
"""About eight minutes on a quiet machine with two cores, and 130,000 requests or more."""

QUICK = Pace(
    rate=500,
    updates=2,
    switches=4,
    interval_seconds=1.0,
    calm_seconds=1.0,
    drain_rounds=1,
    canary_requests=1_000,
    canary_percents=(10, 50),
    cohort_clients=100,
    cohort_rate=200,
)
"""About two minutes: shows that everything works; its figures say little."""
