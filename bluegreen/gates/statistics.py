"""Is one color worse than the other, or is it chance? Named tests, on counts.

A difference stops a switch when it is significant *and* large enough: with little traffic the first
keeps chance from stopping anything, with much traffic the second keeps trifles from doing so.
"""

import contextlib
import math
import threading
from dataclasses import dataclass
from importlib.util import find_spec

from bluegreen.gates.histogram import Histogram

__all__ = [
    "Difference",
    "Shares",
    "compare_errors",
    "compare_latencies",
    "is_above",
    "load_tests",
    "what_is_missing",
]

_PACKAGES = {"scipy": "scipy", "prometheus_client": "prometheus-client"}

_MOST_RANKED = 100_000
"""Larger samples are scaled down for the test of ranks, which wants one number a request."""


@dataclass(frozen=True, slots=True)
class Shares:
    """How many of how many."""

    hits: int
    total: int

    @property
    def share(self) -> float:
        """0 without any."""
        return self.hits / self.total if self.total else 0.0

    def __str__(self) -> str:
        return f"{self.share * 100:.3g} % ({self.hits:,} of {self.total:,})"


@dataclass(frozen=True, slots=True)
class Difference:
    """What a comparison of the rising color with the live one found."""

    test: str
    """The test that found most, by its name."""

    p_value: float
    """How likely so large a difference is between equal colors; of one test, one-sided."""

    ratio: float
    """The rising color's figure by the live color's; infinite when the latter is 0."""

    is_worse: bool
    """Significant, and beyond the ratio that was allowed."""

    def __str__(self) -> str:
        return f"ratio {self.ratio:.3g}, p = {self.p_value:.2g} ({self.test})"


def what_is_missing() -> str:
    """What has to be installed for the gates that compare; looked for without loading it."""
    missing = [name for module, name in _PACKAGES.items() if find_spec(module) is None]
    if not missing:
        return ""
    return f"it needs {' and '.join(missing)}; `pip install 'bluegreen-pulumi[gates]'`"


def load_tests() -> None:
    """Begins to load the tests: takes a second or two, which a gate has during its window."""
    # Whoever needs them earlier waits at their own import; a failure is told there too.
    threading.Thread(target=_load, name="bluegreen-load-tests", daemon=True).start()


def compare_errors(rising: Shares, live: Shares, *, alpha: float, max_ratio: float) -> Difference:
    """Does the rising color fail more often? Fisher's exact test, one-sided."""
    p_value = _fisher(rising, live)
    ratio = _ratio(rising.share, live.share)
    return Difference(
        "Fisher's exact test", p_value, ratio, is_worse=p_value < alpha and ratio > max_ratio
    )


def is_above(found: Shares, limit: float, alpha: float) -> bool:
    """Is the share above the limit, for certain? The binomial test, one-sided; also of few."""
    from scipy import stats  # noqa: PLC0415

    if found.share <= limit:
        return False
    test = stats.binomtest(found.hits, found.total, limit, alternative="greater")
    return bool(test.pvalue < alpha)


def compare_latencies(
    rising: Histogram, live: Histogram, *, quantile: float, alpha: float, max_ratio: float
) -> Difference:
    """Is the rising color slower, in general or in its tail?

    Two one-sided tests with half of `alpha` each: the Mann-Whitney U test over buckets, beside the
    ratio of the medians; and Fisher's exact test of how many requests lie above a bucket bound,
    the one beyond which both together have nearest to what is slower than the quantile, beside the
    ratio of the quantiles.

    Both histograms have the same bounds and at least one observation.
    """
    half = alpha / 2
    general = _judged("Mann-Whitney U", _mann_whitney(rising, live), 0.5, rising, live)
    tail = _judged(
        "Fisher's exact test of the tail", _tail(rising, live, 1 - quantile), quantile, rising, live
    )
    found = [
        Difference(
            each.test, each.p_value, each.ratio, each.p_value < half and each.ratio > max_ratio
        )
        for each in (general, tail)
    ]
    return min(found, key=lambda each: (not each.is_worse, each.p_value))


def _judged(
    test: str, p_value: float, quantile: float, rising: Histogram, live: Histogram
) -> Difference:
    ours, theirs = rising.quantile(quantile), live.quantile(quantile)
    ratio = _ratio(ours.value, theirs.value) if ours and theirs else math.nan
    return Difference(test, p_value, ratio, is_worse=False)


def _ratio(ours: float, theirs: float) -> float:
    if theirs > 0:
        return ours / theirs
    return math.inf if ours > 0 else 1.0


def _load() -> None:
    with contextlib.suppress(ImportError):
        import scipy.stats  # noqa: F401, PLC0415


def _fisher(rising: Shares, live: Shares) -> float:
    from scipy import stats  # noqa: PLC0415

    table = [[rising.hits, live.hits], [rising.total - rising.hits, live.total - live.hits]]
    return float(stats.fisher_exact(table, alternative="greater").pvalue)


def _mann_whitney(rising: Histogram, live: Histogram) -> float:
    import numpy as np  # noqa: PLC0415
    from scipy import stats  # noqa: PLC0415

    samples = [
        np.repeat(np.arange(len(each.counts)), _ranked_counts(each)) for each in (rising, live)
    ]
    if not all(len(sample) for sample in samples):
        return 1.0
    # Nearly all values are ties, for which the normal approximation is corrected.
    result = stats.mannwhitneyu(*samples, alternative="greater", method="asymptotic")
    # All requests in one bucket: nothing can be said, and scipy divides by zero.
    return 1.0 if math.isnan(result.pvalue) else float(result.pvalue)


def _ranked_counts(histogram: Histogram) -> list[int]:
    scale = min(1.0, _MOST_RANKED / histogram.total)
    return [math.floor(count * scale + 0.5) for count in histogram.counts]


def _tail(rising: Histogram, live: Histogram, share: float) -> float:
    # Of both together: under equal colors that bound says nothing about who is beyond it.
    both = Histogram.sum_of([rising, live])
    beyond = {
        index: math.fsum(both.counts[index:]) / both.total for index in range(1, len(both.bounds))
    }
    cuts = [index for index, part in beyond.items() if part > 0]
    if not cuts:
        return 1.0
    cut = min(cuts, key=lambda index: abs(math.log(beyond[index] / share)))
    return _fisher(_slower(rising, cut), _slower(live, cut))


def _slower(histogram: Histogram, first_slow: int) -> Shares:
    hits = round(math.fsum(histogram.counts[first_slow:]))
    return Shares(hits, max(hits, round(histogram.total)))
