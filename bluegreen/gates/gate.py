"""What a gate is, what it looks at and what it says."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from bluegreen.colors import Color

__all__ = ["Deadline", "Endpoint", "Gate", "Readiness", "Subject", "Verdict", "WrittenGate"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address that reaches one color whatever the roles are."""

    url: str
    """Base address without a trailing slash, for example `http://127.0.0.1:18443`."""

    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent with every request; pins the color where the address alone does not."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """How many members of a color could take traffic at this moment."""

    ready: int
    desired: int
    """How many members that color is meant to have at this moment."""

    note: str = ""
    """Why some are not ready, as far as the platform says it; empty when it says nothing."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What the gates judge: one color that is about to get more production traffic."""

    color: Color
    release: str
    """The release that the color is expected to run."""

    replicas: int
    """The color's configured full capacity; under an autoscaler the fewest members."""

    endpoint: Endpoint
    """The color-pinned address."""

    readiness: Callable[[Color], Readiness]
    """Asks the data plane; raises `DataPlaneError` when it cannot be asked."""

    live_color: Color | None
    """The active color of what is live now; None before the first switch, or when unreadable."""

    is_rollback: bool = False
    capacity_key: str | None = None
    """The key of the config that `replicas` comes from; None for the color's own `replicas`."""

    service: str = ""
    """Name of the service."""

    live_endpoint: Endpoint | None = None
    """The live color's pinned address; None when no other color is live, or it has no address."""

    live_release: str | None = None
    """The release that the live color runs; None when no other color is live, or nobody can say."""

    @property
    def names(self) -> Mapping[str, str]:
        """What `{color}`, `{release}` and `{service}` stand for in what a person wrote."""
        return {"color": self.color.value, "release": self.release, "service": self.service}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a gate says, ready to be shown and recorded."""

    gate: str
    passed: bool
    reason: str
    """One line with the values; for a refusal also what would make it pass."""

    value: str | None = None
    """What was measured; None when nothing could be."""

    limit: str | None = None
    """What was demanded; with the unit that `value` has."""

    duration_seconds: float = 0.0
    """How long the gate took; set by whoever asked it."""

    is_warning: bool = False
    """Passed, but somebody should read the reason."""

    detail: str | None = None
    """Lines behind the reason: the end of a command's output, or a traceback."""

    would_refuse: bool = False
    """A dry run whose gate refused: it passed all the same, and is a warning."""

    was_asked: bool = True
    """False when a rollback skipped the gate, or one that goes first has refused already."""

    @property
    def mark(self) -> str:
        """How it ended, in a word or two."""
        if not self.was_asked:
            return "not asked"
        if not self.passed:
            return "refused"
        if self.would_refuse:
            return "would refuse"
        return "warning" if self.is_warning else "passed"

    def __str__(self) -> str:
        return f"{self.gate}: {self.mark}: {self.reason}"


class Deadline:
    """How long a gate may go on trying; a gate that waits must wait through `sleep`."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + seconds
        self._stopped = threading.Event()
        self.met = ""
        """What the gate would have refused for so far; empty when it has not said."""

    @property
    def remaining_seconds(self) -> float:
        """Time left, 0 when none is."""
        return 0.0 if self._stopped.is_set() else max(0.0, self._end - self._clock())

    def sleep(self, seconds: float, *, met: str = "") -> bool:
        """Waits, at most until the deadline; False when there is no time for another try.

        Args:
            seconds: How long.
            met: Why another try is needed; told when that one says nothing in time.
        """
        self.met = met or self.met
        left = self.remaining_seconds
        if left <= 0:
            return False
        self._stopped.wait(min(seconds, left))
        return self.remaining_seconds > 0

    def stop(self) -> None:
        """Ends every present and future `sleep` at once."""
        self._stopped.set()


class Gate(Protocol):
    """A check that can stop a switch. It looks and creates nothing."""

    @property
    def name(self) -> str:
        """Short and unique among the gates of one service, for example `capacity`."""

    @property
    def timeout_seconds(self) -> float:
        """The gate's own time limit; without a verdict by then it counts as a refusal."""

    @property
    def is_slow(self) -> bool:
        """True when a rollback skips this gate."""

    @property
    def is_dry_run(self) -> bool:
        """True when a refusal is reported and not acted on."""

    @property
    def runs_first(self) -> bool:
        """True when the gate prepares the color: the others are asked once it has passed."""

    @property
    def lacks(self) -> str:
        """What has to be put right before it can be asked at all; empty when nothing.

        For example a package or a variable that is missing. Told in previews, also of gates that
        are not asked there; in an update a refusal.
        """

    @property
    def runs_in_preview(self) -> bool:
        """True when the gate only looks, and quickly.

        So a preview may ask it and report the answer, and an update may ask it a second time.
        """

    def check(self, subject: Subject, deadline: Deadline) -> Verdict:
        """Judges the subject; may try again until the deadline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenGate:
    """What every gate has that somebody wrote into the config; see `Gate` for the meaning."""

    name: str
    timeout_seconds: float = 30
    is_slow: bool = False
    is_dry_run: bool = False

    @property
    def runs_first(self) -> bool:
        """Judges what is there, unless a gate says something else."""
        return False

    @property
    def lacks(self) -> str:
        """Nothing, unless a gate says something else."""
        return ""

    @property
    def runs_in_preview(self) -> bool:
        """Only looks, and quickly, unless a gate says something else."""
        return True
