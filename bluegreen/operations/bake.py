"""Watches a color after a switch, beside the one that had production before."""

import contextlib
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

from bluegreen.gates.answers import UnusableAnswerError, ask
from bluegreen.gates.gate import Endpoint, Verdict
from bluegreen.operations.bake_queries import BakeQueries, Looked

__all__ = ["BakeLimits", "Baked", "Finding", "Level", "Sample", "judge", "sample_of", "watch"]

_WINDOW_SECONDS = 30.0
_LOOK_SECONDS = 1.0
_WORKERS = 16
"""For each address: one that does not answer takes none of the other's."""


@dataclass(frozen=True, slots=True)
class BakeLimits:
    """How long to watch, and what is too much."""

    seconds: float
    path: str
    """What is asked for on both addresses."""

    rate: float = 5.0
    """Requests a second to each address."""

    timeout_seconds: float = 5.0
    """A request without an answer by then has failed."""

    max_error_rate: float = 0.01
    """More than that share of failed requests, and at least two, is a breach."""

    max_p95_seconds: float | None = None
    """A 95th percentile above it is a breach; None: only the comparison counts."""

    breach_factor: float = 2.0
    """So many times the old color's 95th percentile is a breach."""

    warn_factor: float = 1.2
    """So many times the old color's 95th percentile, or error rate, is a warning."""

    noise_seconds: float = 0.05
    """A difference in the 95th percentile below it is no difference."""

    fewest: int = 20
    """With fewer requests in the window nothing is judged."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one address did within the window."""

    count: int
    failed: int
    p95_seconds: float

    @property
    def error_rate(self) -> float:
        """Share of failed requests, 0 to 1."""
        return self.failed / self.count if self.count else 0.0


class Level(StrEnum):
    """What a look at the two samples means."""

    TOO_FEW = "too_few"
    FINE = "fine"
    WARNING = "warning"
    BREACH = "breach"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found."""

    level: Level
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Baked:
    """How the watch ended."""

    seconds: float
    breach: str | None
    """Why it was ended; None when the color stood the time."""

    warnings: tuple[str, ...]
    new: Sample
    old: Sample | None
    """None when the old color could not be asked from here."""

    is_whole: bool = True
    """False when somebody stopped it."""


def sample_of(requests: Iterable[tuple[float, bool]]) -> Sample:
    """Counts requests, each with its seconds and whether it got a good answer."""
    seen = list(requests)
    # What failed at once is not fast: it counts as an error, not as a time.
    times = sorted(seconds for seconds, is_good in seen if is_good)
    p95 = times[max(0, math.ceil(0.95 * len(times)) - 1)] if times else 0.0
    return Sample(len(seen), sum(not is_good for _, is_good in seen), p95)


def judge(new: Sample, old: Sample | None, limits: BakeLimits) -> Finding:
    """Decides what the figures mean."""
    if new.count < limits.fewest:
        return Finding(Level.TOO_FEW)
    breaches = list(_absolute(new, limits))
    warnings: list[str] = []
    if old is not None and old.count >= limits.fewest and old.failed < old.count:
        _compare(new, old, limits, breaches, warnings)
    if breaches:
        return Finding(Level.BREACH, tuple(breaches))
    return Finding(Level.WARNING, tuple(warnings)) if warnings else Finding(Level.FINE)


def _absolute(new: Sample, limits: BakeLimits) -> Iterable[str]:
    if new.failed > 1 and new.error_rate > limits.max_error_rate:
        yield (
            f"{new.failed} of {new.count} requests failed ({new.error_rate:.1%}, limit "
            f"{limits.max_error_rate:.1%})"
        )
    if limits.max_p95_seconds is not None and new.p95_seconds > limits.max_p95_seconds:
        yield f"p95 is {new.p95_seconds:.3f} s (limit {limits.max_p95_seconds:g} s)"


def _compare(
    new: Sample, old: Sample, limits: BakeLimits, breaches: list[str], warnings: list[str]
) -> None:
    is_slower = new.p95_seconds - old.p95_seconds >= limits.noise_seconds
    said = f"p95 is {new.p95_seconds:.3f} s, the old color's {old.p95_seconds:.3f} s"
    if is_slower and new.p95_seconds >= limits.breach_factor * old.p95_seconds:
        breaches.append(f"{said}: {limits.breach_factor:g} times or more")
    elif is_slower and new.p95_seconds > limits.warn_factor * old.p95_seconds:
        warnings.append(f"{said}: more than {limits.warn_factor - 1:.0%} apart")
    if new.failed > old.failed and new.error_rate > limits.warn_factor * old.error_rate:
        warnings.append(f"error rate is {new.error_rate:.1%}, the old color's {old.error_rate:.1%}")


def _with(finding: Finding, looked: Looked) -> Finding:
    """The same with what the gates say."""
    breaches = (*(finding.reasons if finding.level is Level.BREACH else ()), *looked.breaches)
    if breaches:
        return Finding(Level.BREACH, breaches)
    warnings = (*finding.reasons, *looked.warnings)
    return Finding(Level.WARNING, warnings) if warnings else finding


class _Asked:
    """The last requests to one address."""

    def __init__(self, url: str, limits: BakeLimits, pool: ThreadPoolExecutor) -> None:
        self._endpoint = Endpoint(url.rstrip("/"))
        self._limits = limits
        self._pool = pool
        self._requests: deque[tuple[float, float, bool]] = deque(maxlen=100_000)

    def ask(self) -> None:
        self._pool.submit(self._ask, time.monotonic())

    def _ask(self, due: float) -> None:
        try:
            answer = ask(self._endpoint, "GET", self._limits.path, self._limits.timeout_seconds)
            is_good = answer.is_success
        except UnusableAnswerError:
            is_good = False
        # From when it was due: what waits for a free worker is slow, not left out.
        self._requests.append((due, time.monotonic() - due, is_good))

    def sample(self, since: float) -> Sample:
        seen = list(self._requests)
        return sample_of((seconds, is_good) for due, seconds, is_good in seen if due >= since)


def watch(
    new_url: str,
    old_url: str | None,
    limits: BakeLimits,
    *,
    tell: Callable[[str], None],
    is_stopped: Callable[[], bool],
    queries: Callable[[float], Sequence[Verdict]] = lambda _: (),
) -> Baked:
    """Asks both addresses at an even pace, until a breach, the end of the time, or a stop.

    Two looks in a row, a second apart, have to find a breach.

    Args:
        new_url: Production.
        old_url: Reaches the color that had production before; None: nothing is compared.
        limits: How long, and what is too much.
        tell: Is told what is found.
        is_stopped: True when somebody wants it to end.
        queries: Asks gates of the live color, given the seconds since the watch began.
    """
    started = time.monotonic()
    warnings: dict[str, None] = {}
    breach: tuple[str, ...] = ()
    with _pool(_WORKERS) as for_new, _pool(_WORKERS) as for_old, _pool(1) as for_queries:
        new = _Asked(new_url, limits, for_new)
        old = _Asked(old_url, limits, for_old) if old_url else None
        asked = BakeQueries(queries, for_queries)
        looked = started
        for due in _paced(started, limits):
            new.ask()
            if old is not None:
                old.ask()
            if due - looked < _LOOK_SECONDS:
                continue
            looked = due
            since = max(started, due - _WINDOW_SECONDS)
            finding = judge(new.sample(since), old.sample(since) if old else None, limits)
            finding = _with(finding, asked.look(due - started))
            if finding.level is Level.WARNING:
                warnings |= dict.fromkeys(finding.reasons)
                tell("; ".join(finding.reasons))
            is_second = bool(breach) and finding.level is Level.BREACH
            breach = finding.reasons if finding.level is Level.BREACH else ()
            if is_second or is_stopped():
                break
        else:
            breach = ()
    seconds = time.monotonic() - started
    return Baked(
        seconds=round(seconds, 1),
        breach="; ".join(breach) or None,
        warnings=tuple(warnings)[-5:],
        new=new.sample(started),
        old=old.sample(started) if old else None,
        is_whole=not is_stopped(),
    )


@contextlib.contextmanager
def _pool(workers: int) -> Iterator[ThreadPoolExecutor]:
    pool = ThreadPoolExecutor(workers)
    try:
        yield pool
    finally:
        # Nobody waits for the requests that are left: a color that hangs must not hold up the way
        # back.
        pool.shutdown(wait=False, cancel_futures=True)


def _paced(started: float, limits: BakeLimits) -> Iterable[float]:
    for number in range(math.ceil(limits.seconds * limits.rate)):
        due = started + number / limits.rate
        time.sleep(max(0.0, due - time.monotonic()))
        yield time.monotonic()
