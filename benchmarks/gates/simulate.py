"""Pairs of colors with known rates and latencies, given to the gates' own tests."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy import stats

from bluegreen.gates.histogram import Histogram
from bluegreen.gates.statistics import Shares, compare_errors, compare_latencies
from bluegreen.settings.measuring_gates import ComparisonSettings

__all__ = ["Cell", "Table", "simulated"]

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, math.inf)
"""Those of the usual client libraries."""

MEDIAN_SECONDS = 0.08
SIGMA = 0.6
SLOW_SHARE = 0.05

_SIZES = ((300, 300), (1_000, 1_000), (3_000, 3_000), (10_000, 10_000), (1_000, 50_000))
_SEED = 20_261_129
_SETTINGS = ComparisonSettings()


@dataclass(frozen=True, slots=True)
class Cell:
    """What the default settings did to all pairs of one kind."""

    row: str
    rising: int
    live: int
    pairs: int
    stopped: int

    @property
    def percent(self) -> float:
        """Of the pairs, how many were stopped."""
        return 100 * self.stopped / self.pairs


@dataclass(frozen=True, slots=True)
class Table:
    """Several kinds of pairs, in sizes."""

    title: str
    cells: tuple[Cell, ...]


def simulated(pairs: int) -> Iterator[Table]:
    """The tables; each cell starts from the same random numbers."""
    yield Table("errors", tuple(_errors(pairs)))
    yield Table("latency", tuple(_latencies(pairs)))


def _errors(pairs: int) -> Iterator[Cell]:
    for factor in (1, 2):
        for share in (0.001, 0.01, 0.03):
            row = f"{share * 100:g} % of both" if factor == 1 else f"{share * 100:g} %, and 2 x"
            for rising, live in _SIZES:
                chance = np.random.default_rng(_SEED)
                ours = chance.binomial(rising, share * factor, pairs)
                theirs = chance.binomial(live, share, pairs)
                stopped = sum(
                    compare_errors(
                        Shares(int(mine), rising),
                        Shares(int(other), live),
                        alpha=_SETTINGS.alpha,
                        max_ratio=_SETTINGS.max_ratio,
                    ).is_worse
                    for mine, other in zip(ours, theirs, strict=True)
                )
                yield Cell(row, rising, live, pairs, stopped)


def _latencies(pairs: int) -> Iterator[Cell]:
    equal = _in_buckets(_below)
    rows: dict[str, np.ndarray] = {
        "equal": equal,
        "all 10 % slower": _in_buckets(lambda bound: _below(bound / 1.1)),
        "all 2 x": _in_buckets(lambda bound: _below(bound / 2)),
        "slowest 5 % take 2 x": _in_buckets(_below_with_a_tail),
    }
    for row, slower in rows.items():
        for rising, live in _SIZES:
            chance = np.random.default_rng(_SEED)
            stopped = sum(
                compare_latencies(
                    Histogram(BOUNDS, tuple(map(float, chance.multinomial(rising, slower)))),
                    Histogram(BOUNDS, tuple(map(float, chance.multinomial(live, equal)))),
                    quantile=0.99,
                    alpha=_SETTINGS.alpha,
                    max_ratio=_SETTINGS.max_ratio,
                ).is_worse
                for _ in range(pairs)
            )
            yield Cell(row, rising, live, pairs, stopped)


def _below(bound: float) -> float:
    """Share of the requests that take at most that long."""
    return float(stats.lognorm.cdf(bound, s=SIGMA, scale=MEDIAN_SECONDS))


def _below_with_a_tail(bound: float) -> float:
    cut = float(stats.lognorm.ppf(1 - SLOW_SHARE, s=SIGMA, scale=MEDIAN_SECONDS))
    fast = min(_below(bound), 1 - SLOW_SHARE)
    slow = max(0.0, _below(bound / 2) - (1 - SLOW_SHARE)) if bound / 2 > cut else 0.0
    return fast + slow


def _in_buckets(below: Callable[[float], float]) -> np.ndarray:
    upto = [below(bound) for bound in BOUNDS[:-1]]
    return np.diff([0.0, *upto, 1.0])
