"""How fast the clocks of this cloud run."""

import time
from dataclasses import dataclass

__all__ = ["Pace"]


@dataclass(frozen=True)
class Pace:
    """AWS waits in seconds and minutes; tests have less time."""

    seconds_per_second: float
    """Real seconds that one second of AWS's clocks (checks, drains, grace periods) takes here."""

    def real(self, seconds: float) -> float:
        """How long that takes here."""
        return seconds * self.seconds_per_second

    def now(self) -> float:
        """Seconds of this machine's steady clock."""
        return time.monotonic()
