"""The statistics of reading a mark: exact p-values, exact intervals, and what numbers can never decide.

Shapes: N trials, C clusters (files that clips were cut from), K bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special, stats

Floats = npt.NDArray[np.float64]

FLIPS = 9_999
EXACT_FLIPS = 13
"""Up to so many clusters all patterns of signs are tried."""


class Interval(NamedTuple):
    """A value with the ends of its interval; None: there is none."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Share:
    """`count` of `of` trials in `clusters` clusters, with an interval that knows of the clusters.

    effective: how many independent trials the interval was made of, by the design effect.
    """

    count: int
    of: int
    clusters: int
    effective: float
    value: float | None
    low: float | None
    high: float | None


def clopper_pearson(hits: float, trials: float, confidence: float) -> tuple[float, float]:
    """The exact interval of a share (Clopper and Pearson 1934); `trials` may be fractional (Korn and Graubard 1998)."""
    if not 0 <= hits <= trials or trials <= 0:
        raise ValueError(f"hits must lie in 0..trials, trials above 0; got {hits} of {trials}")
    tail = (1 - confidence) / 2
    low = 0.0 if hits <= 0 else float(special.betaincinv(hits, trials - hits + 1, tail))
    high = 1.0 if hits >= trials else float(special.betaincinv(hits + 1, trials - hits, 1 - tail))
    return low, high


def clustered_share(hit_N: npt.ArrayLike, cluster_N: npt.ArrayLike, confidence: float) -> Share:
    """Share of hits with Clopper and Pearson's interval on the effective number of trials.

    Trials of one cluster (attacks on one file) are no independent evidence. Korn and Graubard (1998) divide their
    number by the design effect, shrink it by the squared ratio of Student's quantiles, and take the exact interval of
    what is left. Where all trials hit or all miss the effect cannot be estimated: then clusters are counted, the
    worst case.
    """
    hits, names = np.asarray(hit_N, bool), np.asarray(cluster_N)
    n = len(hits)
    if n == 0:
        return Share(0, 0, 0, 0.0, None, None, None)
    _, index_N = np.unique(names, return_inverse=True)
    size_C = np.bincount(index_N).astype(np.float64)
    hits_C = np.bincount(index_N, weights=hits).astype(np.float64)
    clusters, share = len(size_C), float(hits.mean())
    effective = _effective(size_C, hits_C, confidence)
    low, high = clopper_pearson(share * effective, effective, confidence)
    return Share(int(hits.sum()), n, clusters, effective, share, low, high)


def _effective(size_C: Floats, hits_C: Floats, confidence: float) -> float:
    n, clusters = float(size_C.sum()), len(size_C)
    share = float(hits_C.sum()) / n
    if clusters == n:
        return n
    if share in {0.0, 1.0} or clusters < 2:
        return float(clusters)
    error_C = hits_C - size_C * share
    variance = float((error_C**2).sum()) * clusters / (clusters - 1) / n**2
    effect = max(variance / (share * (1 - share) / n), 1e-12)
    level = (1 + confidence) / 2
    shrink = float(stats.t.ppf(level, n - 1) / stats.t.ppf(level, clusters - 1)) ** 2
    # Never more than there are trials, and never fewer than one.
    return float(np.clip(n / effect * shrink, 1.0, n))


def clustered_mean(value_N: npt.ArrayLike, cluster_N: npt.ArrayLike, confidence: float) -> Interval:
    """Mean over all trials with Student's interval over clusters (the linearised ratio of sums).

    One cluster has no interval. NaN is no trial.
    """
    values, names = np.asarray(value_N, np.float64), np.asarray(cluster_N)
    known = ~np.isnan(values)
    values, names = values[known], names[known]
    if len(values) == 0:
        return Interval(None, None, None)
    _, index_N = np.unique(names, return_inverse=True)
    size_C = np.bincount(index_N).astype(np.float64)
    mean, clusters = float(values.mean()), len(size_C)
    if clusters < 2:
        return Interval(mean, None, None)
    error_C = np.bincount(index_N, weights=values) - size_C * mean
    error = float(np.sqrt((error_C**2).sum() * clusters / (clusters - 1))) / float(size_C.sum())
    reach = float(stats.t.ppf((1 + confidence) / 2, clusters - 1)) * error
    return Interval(mean, mean - reach, mean + reach)


def clustered_accuracy(accuracy_N: npt.ArrayLike, cluster_N: npt.ArrayLike, confidence: float) -> Interval:
    """Mean bit accuracy, as clustered_mean, inside 0..1.

    Where every trial is perfect the spread says nothing. Then a share of clusters up to 1 - ((1 - confidence) /
    2)^(1/C) may still be ones on which the mark is lost (half of the bits right), and the lower end allows for that.
    """
    found = clustered_mean(accuracy_N, cluster_N, confidence)
    if found.value is None or found.low is None or found.high is None:
        return found
    if found.value == 1.0:
        clusters = len(np.unique(np.asarray(cluster_N)))
        return Interval(1.0, 0.5 + 0.5 * ((1 - confidence) / 2) ** (1 / clusters), 1.0)
    return Interval(found.value, max(0.0, found.low), min(1.0, found.high))


def capacity(accuracy: Interval, bits: int) -> Interval:
    """Bits n (1 - H2(accuracy)) that get through a binary symmetric channel of that accuracy. Below one half: none."""
    return Interval(*(None if part is None else bits * _channel(max(0.5, part)) for part in accuracy))


def _channel(accuracy: float) -> float:
    lost = float(special.entr(accuracy) + special.entr(1 - accuracy)) / float(np.log(2))
    return max(0.0, 1.0 - lost)


def exact_p(matches_N: npt.ArrayLike, bits: int) -> Floats:
    """P(so many of `bits` fair coin flips agree, or more), without a correction."""
    return np.asarray(stats.binom.sf(np.asarray(matches_N) - 1, bits, 0.5), np.float64)


def spread_p(matches_N: npt.ArrayLike, bits: int, generator: np.random.Generator) -> Floats:
    """p-values spread evenly over the step of the binomial that they stand on: exactly uniform where nothing is marked.

    The exact p of a count is discrete, so that even a perfect null is not uniform (it is larger). Where X is the count
    and U uniform, P(count > X) + U P(count = X) is.
    """
    counts = np.asarray(matches_N)
    step_N = stats.binom.pmf(counts, bits, 0.5)
    return np.asarray(stats.binom.sf(counts, bits, 0.5) + generator.random(counts.shape) * step_N, np.float64)


@dataclass(frozen=True, slots=True)
class Uniformity:
    """Kolmogorov and Smirnov's test of "these p-values are uniform". statistic, p: None where there were none."""

    trials: int
    statistic: float | None
    p: float | None


def uniformity(p_N: Floats) -> Uniformity:
    """Are p-values of unmarked clips uniform? Exact for few, asymptotic for many trials (scipy's kstest)."""
    if len(p_N) == 0:
        return Uniformity(0, None, None)
    found = stats.kstest(p_N, "uniform")
    return Uniformity(len(p_N), float(found.statistic), float(found.pvalue))


def minimal_matches(bits: int, rate: float, tries: int = 1) -> int | None:
    """Fewest matching bits whose p, times `tries`, is at most `rate`; None: even all of them would not do."""
    tail_K = stats.binom.sf(np.arange(-1, bits), bits, 0.5) * tries
    within = np.flatnonzero(tail_K <= rate)
    return int(within[0]) if len(within) else None


def alarm_bound(alarms: int, trials: int, confidence: float = 0.95) -> float | None:
    """One-sided upper limit of a false alarm rate after `alarms` in `trials`; for 0 it is the rule of three, ~3/N.

    Exact (Clopper and Pearson): for 0 alarms 1 - (1 - confidence)^(1/N). None without trials.
    """
    if trials == 0:
        return None
    if alarms >= trials:
        return 1.0
    return float(special.betaincinv(alarms + 1, trials - alarms, confidence))


def trials_needed(rate: float, confidence: float = 0.95) -> int:
    """How many unmarked clips without an alarm show that the rate is at most `rate`."""
    return int(np.ceil(np.log(1 - confidence) / np.log1p(-rate)))


def sign_flip_p(difference_C: Floats, seed: int) -> float | None:
    """Two-sided p of "the two are exchangeable in every cluster", by flipping signs; exact up to 13 clusters.

    None without a cluster. With C clusters it is never below 2 / 2^C.
    """
    clusters = len(difference_C)
    if clusters == 0:
        return None
    observed = abs(float(difference_C.sum())) - 1e-12
    if clusters <= EXACT_FLIPS:
        signs = np.array(list(product((-1.0, 1.0), repeat=clusters)))
        return float((np.abs(signs @ difference_C) >= observed).mean())
    signs = np.random.default_rng(seed).choice((-1.0, 1.0), (FLIPS, clusters))
    return float((1 + (np.abs(signs @ difference_C) >= observed).sum()) / (1 + FLIPS))


def permutation_p(value_C: Floats, first_C: npt.NDArray[np.bool_], seed: int, draws: int = FLIPS) -> float | None:
    """Two-sided p of "both groups of clusters are alike", by shuffling who is in which; None where one is empty."""
    if not first_C.any() or first_C.all():
        return None
    generator = np.random.default_rng(seed)

    def gap(group_C: npt.NDArray[np.bool_]) -> float:
        return abs(float(value_C[group_C].mean() - value_C[~group_C].mean()))

    observed = gap(first_C) - 1e-12
    hits = sum(gap(generator.permutation(first_C)) >= observed for _ in range(draws))
    return (1 + hits) / (1 + draws)


def adjusted(p: list[float | None]) -> list[float | None]:
    """Benjamini and Hochberg's (1995) false-discovery adjusted p; what was not tested stays None."""
    tested = [place for place, value in enumerate(p) if value is not None]
    result: list[float | None] = [None] * len(p)
    if tested:
        known = np.array([p[place] for place in tested], np.float64)
        for place, value in zip(tested, stats.false_discovery_control(known), strict=True):
            result[place] = float(value)
    return result
