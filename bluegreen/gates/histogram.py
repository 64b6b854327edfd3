"""A histogram as Prometheus keeps it, and what can be said of its quantiles."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = ["Histogram", "Quantile", "UnusableHistogramError"]


class UnusableHistogramError(ValueError):
    """The numbers are no histogram, or two that have no sum or difference; the text says why."""


@dataclass(frozen=True, slots=True)
class Quantile:
    """Where a quantile lies, as well as buckets can tell."""

    value: float
    """By linear interpolation in its bucket, as `histogram_quantile` does it."""

    above: float
    """The bucket's lower bound; 0 for the first one of a histogram of positive values."""

    up_to: float
    """The bucket's upper bound; infinite when the quantile is beyond the last finite bound, and
    `value` is then that bound and only the least that it can be."""

    @property
    def is_only_a_lower_bound(self) -> bool:
        """True when nobody knows how large the quantile is."""
        return math.isinf(self.up_to)


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of observations by upper bound; each count is of that bucket alone."""

    bounds: tuple[float, ...]
    """Ascending upper bounds; the last one is infinite."""

    counts: tuple[float, ...]
    """As many, none below zero. Not whole where Prometheus has extrapolated them."""

    @classmethod
    def of(cls, cumulative: Mapping[float, float]) -> "Histogram":
        """From counts of all observations up to each bound, as they are exported.

        Raises:
            UnusableHistogramError: No `+Inf` bucket, a count that is no number, or one that falls.
        """
        bounds = tuple(sorted(cumulative))
        if not bounds or not math.isinf(bounds[-1]) or bounds[-1] < 0:
            msg = "it has no +Inf bucket"
            raise UnusableHistogramError(msg)
        counts, before = [], 0.0
        for bound in bounds:
            total = cumulative[bound]
            if not math.isfinite(total) or total < 0:
                msg = f"the count of its bucket {bound:g} is {total:g}"
                raise UnusableHistogramError(msg)
            # Rates are sums of floating point numbers: a hair below the bucket before is equal.
            if total < before and not math.isclose(total, before, rel_tol=1e-9):
                msg = f"its bucket {bound:g} holds less than the bucket before it"
                raise UnusableHistogramError(msg)
            counts.append(max(0.0, total - before))
            before = max(before, total)
        return cls(bounds, tuple(counts))

    @classmethod
    def sum_of(cls, histograms: Iterable["Histogram"]) -> "Histogram":
        """All observations of at least one histogram.

        Raises:
            UnusableHistogramError: Their buckets differ.
        """
        first, *others = histograms
        for other in others:
            if other.bounds != first.bounds:
                msg = "series of it have different buckets"
                raise UnusableHistogramError(msg)
        columns = zip(first.counts, *(other.counts for other in others), strict=True)
        return cls(first.bounds, tuple(map(sum, columns)))

    @property
    def total(self) -> float:
        """How many observations there are."""
        return math.fsum(self.counts)

    def since(self, earlier: "Histogram") -> "Histogram":
        """What came after an earlier look at the same counters.

        Raises:
            UnusableHistogramError: Other buckets, or a count fell: the counters were reset.
        """
        if earlier.bounds != self.bounds:
            msg = "its buckets changed"
            raise UnusableHistogramError(msg)
        gained = tuple(now - then for now, then in zip(self.counts, earlier.counts, strict=True))
        if min(gained) < 0:
            msg = "its counters were reset"
            raise UnusableHistogramError(msg)
        return Histogram(self.bounds, gained)

    def quantile(self, share: float) -> Quantile | None:
        """Where this share of the observations ends; None without observations.

        As `histogram_quantile` in Prometheus, which has the same answer to every case but one: it
        gives the last finite bound for what lies beyond it, and here that is told apart.
        """
        if not self.total or len(self.bounds) < 2:  # noqa: PLR2004
            return None
        rank, before = share * self.total, 0.0
        index = 0
        while before + self.counts[index] < rank and index < len(self.bounds) - 1:
            before += self.counts[index]
            index += 1
        bound, count = self.bounds[index], self.counts[index]
        below = self.bounds[index - 1] if index else min(0.0, bound)
        if math.isinf(bound):
            return Quantile(below, below, bound)
        if index == 0 and bound <= 0:
            return Quantile(bound, -math.inf, bound)
        part = (rank - before) / count if count else 1.0
        return Quantile(below + (bound - below) * part, below, bound)
