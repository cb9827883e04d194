"""Statistics of paired cases: bootstrap intervals, sign-flip tests, rank intervals, corrections for many tests.

Shapes: B bootstrap draws, F sign flips, C cases, K columns (a generator's metric, a pair of generators), G generators.
The unit is the case: seeds are averaged inside the case before anything here sees them, because clips of one case
share its difficulty and are no independent evidence.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

FEWEST_FOR_PERCENTILES = 8

_BLOCK = 4_000_000
"""Numbers held at once in a block of resamples or signs: 32 MB."""

_ROUNDING = 1e-12

_TOLERANCE = 1e-9
"""Statistics that differ by less are equal: the same sum in another order."""


def bootstrap_means(values_CK: Floats, draws: int, generator: np.random.Generator) -> Floats:
    """Means of resampled cases, means_BK; every column sees the same resamples, so that columns stay paired.

    NaN is a case without a value in that column: each draw averages the values it has, NaN where it has none.
    """
    cases, columns = values_CK.shape
    known_CK = ~np.isnan(values_CK)
    filled_CK = np.where(known_CK, values_CK, 0.0)
    complete = bool(known_CK.all())
    means_BK = np.empty((draws, columns))
    for start, counts_BC in _resamples(cases, draws, generator):
        block = means_BK[start : start + len(counts_BC)]
        np.matmul(counts_BC, filled_CK, out=block)
        weights = cases if complete else counts_BC @ known_CK.astype(np.float64)
        with np.errstate(invalid="ignore"):
            block /= weights
    return means_BK


def intervals(value_K: Floats, draws_BK: Floats, cases_K: Integers, confidence: float) -> tuple[Floats, Floats]:
    """Expanded percentile intervals (low_K, high_K); NaN with fewer than two cases.

    The plain percentile interval is too short by sqrt((n - 1) / n) and uses normal instead of t quantiles: at 8 cases
    it covers 88 %, not 95. Hesterberg (2015), "What Teachers Should Know About the Bootstrap", widens the level to
    Phi(-sqrt(n / (n - 1)) t_{n-1}), which is right for normal means, stays inside the range of the data, and needs no
    jackknife, as BCa would. Below 8 cases resamples cannot reach that far out: t intervals with the bootstrap's
    standard error, which may leave the range of the data. Measured for normal, uniform and skewed scores: 92 to 95 %
    for 3 to 7 cases, 94 to 95 % from 8. A metric that is 0 or 1 needs more: with 0.8 true, 88 % at 10 cases, 94 at 20.
    """
    n_K = np.maximum(cases_K, 2).astype(np.float64)
    reach_K = np.sqrt(n_K / (n_K - 1)) * stats.t.ppf((1 + confidence) / 2, n_K - 1)
    sorted_BK = np.sort(draws_BK, axis=0)  # NaN last
    last_K = (~np.isnan(sorted_BK)).sum(axis=0) - 1
    tail_K = stats.norm.cdf(-reach_K)
    low_K, high_K = _at(sorted_BK, tail_K * last_K), _at(sorted_BK, (1 - tail_K) * last_K)
    few_K = cases_K < FEWEST_FOR_PERCENTILES
    if few_K.any():
        error_K = _deviation(draws_BK) * reach_K
        low_K, high_K = np.where(few_K, value_K - error_K, low_K), np.where(few_K, value_K + error_K, high_K)
    usable_K = (cases_K >= 2) & (last_K >= 0)
    return np.where(usable_K, low_K, np.nan), np.where(usable_K, high_K, np.nan)


def sign_flip_p(differences_CK: Floats, generator: np.random.Generator, flips: int = 9_999) -> Floats:
    """Two-sided p_K of "a and b are exchangeable in every case", by flipping the signs of paired differences.

    Exact (all 2^C patterns) up to 13 cases; otherwise Monte Carlo with (1 + hits) / (1 + flips), which is never 0
    (Phipson and Smyth 2010). NaN is a case without a pair; a column without pairs gives NaN.
    """
    observed_K = _standardised(differences_CK)
    hits_K = np.zeros(observed_K.shape)
    total = 0
    for flipped_FK in _flipped(differences_CK, generator, flips):
        hits_K += (flipped_FK >= observed_K - _TOLERANCE).sum(axis=0)
        total += len(flipped_FK)
    p_K = hits_K / total if _exact(len(differences_CK), flips) else (hits_K + 1) / (total + 1)
    return np.where(np.isnan(differences_CK).all(axis=0), np.nan, p_K)


def step_down_p(differences_CK: Floats, generator: np.random.Generator, flips: int = 4_999) -> Floats:
    """Sign-flip p_K adjusted over all columns: Westfall and Young (1993), step-down maxT, algorithm 4.1.

    The same signs flip every column, so that the columns' dependence counts, and the smallest p that can be reached
    does not shrink with the number of columns as Holm's does. The probability of any false rejection is bounded.
    """
    observed_K = _standardised(differences_CK)
    order_K = np.argsort(-observed_K, kind="stable")
    hits_K = np.zeros(observed_K.shape)
    total = 0
    for flipped_FK in _flipped(differences_CK, generator, flips):
        from_here_FK = np.maximum.accumulate(flipped_FK[:, order_K[::-1]], axis=1)[:, ::-1]
        hits_K += (from_here_FK >= observed_K[order_K] - _TOLERANCE).sum(axis=0)
        total += len(flipped_FK)
    sorted_K = hits_K / total if _exact(len(differences_CK), flips) else (hits_K + 1) / (total + 1)
    p_K = np.empty_like(sorted_K)
    p_K[order_K] = np.maximum.accumulate(sorted_K)
    return p_K


def rank_intervals(better_GG: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """(best, worst) place of each generator, where better_GG[i, j] says that i is known to be better than j.

    One plus those known to be better, to all less those known to be worse (Mogstad, Romano, Shaikh and Wilhelm 2024,
    "Inference for ranks"): when the pairwise decisions are right together with probability c, so are all intervals.
    """
    best_G = 1 + better_GG.sum(axis=0)
    worst_G = len(better_GG) - better_GG.sum(axis=1)
    return [(int(best), int(worst)) for best, worst in zip(best_G, worst_G, strict=True)]


def holm(p_K: Floats) -> Floats:
    """Holm's (1979) step-down adjusted p; NaN (not tested) stays NaN and does not count."""
    adjusted_K = np.full(p_K.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(p_K))
    order = tested[np.argsort(p_K[tested], kind="stable")]
    scaled = p_K[order] * np.arange(len(order), 0, -1)
    adjusted_K[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return adjusted_K


def detectable_difference(differences_C: Floats, confidence: float, power: float = 0.8) -> float | None:
    """The smallest true mean difference that these cases would find with this power (paired t, two-sided)."""
    known_C = differences_C[~np.isnan(differences_C)]
    n = len(known_C)
    if n < 2:
        return None
    quantiles = float(stats.t.ppf((1 + confidence) / 2, n - 1)) + float(stats.t.ppf(power, n - 1))
    return quantiles * float(known_C.std(ddof=1)) / float(np.sqrt(n))


def paired_differences(a: Floats, b: Floats) -> Floats:
    """Subtract, with differences below rounding (1e-12 of the larger) set to 0: they would look consistent."""
    difference = a - b
    tiny = np.abs(difference) <= _ROUNDING * np.maximum(np.abs(a), np.abs(b))
    return np.where(tiny, 0.0, difference)


def _resamples(cases: int, draws: int, generator: np.random.Generator) -> Iterator[tuple[int, Floats]]:
    """Blocks of counts_BC: how often each case is in each resample, rows summing to C."""
    block = max(1, _BLOCK // max(cases, 1))
    for start in range(0, draws, block):
        rows = min(block, draws - start)
        picks = generator.integers(0, cases, (rows, cases))
        picks += np.arange(rows)[:, None] * cases
        counts = np.bincount(picks.ravel(), minlength=rows * cases)
        yield start, counts.reshape(rows, cases).astype(np.float64)


def _deviation(draws_BK: Floats) -> Floats:
    """Standard deviation of the draws of each column, over those that exist."""
    known_BK = ~np.isnan(draws_BK)
    count_K = np.maximum(known_BK.sum(axis=0), 1)
    filled_BK = np.where(known_BK, draws_BK, 0.0)
    mean_K = filled_BK.sum(axis=0) / count_K
    squares_K = np.where(known_BK, (filled_BK - mean_K) ** 2, 0.0).sum(axis=0)
    return np.asarray(np.sqrt(squares_K / count_K), np.float64)


def _at(sorted_BK: Floats, place_K: Floats) -> Floats:
    """Linear interpolation in each sorted column at its own place."""
    place_K = np.maximum(place_K, 0)
    below_K = np.floor(place_K).astype(np.int64)
    above_K = np.minimum(below_K + 1, len(sorted_BK) - 1)
    columns = np.arange(sorted_BK.shape[1])
    low_K, high_K = sorted_BK[below_K, columns], sorted_BK[above_K, columns]
    share_K = place_K - below_K
    return np.where(share_K == 0, low_K, low_K + share_K * (high_K - low_K))


def _exact(cases: int, flips: int) -> bool:
    return 2.0**cases <= flips + 1


def _signs(cases: int, flips: int, generator: np.random.Generator) -> Iterator[Floats]:
    """Blocks of signs_FC: all patterns where they are few, else random ones."""
    exact = _exact(cases, flips)
    total = 2**cases if exact else flips
    block = max(1, _BLOCK // max(cases, 1))
    for start in range(0, total, block):
        rows = np.arange(start, min(start + block, total))
        bits = rows[:, None] >> np.arange(cases) & 1 if exact else generator.integers(0, 2, (len(rows), cases))
        yield (2 * bits - 1).astype(np.float64)


def _flipped(differences_CK: Floats, generator: np.random.Generator, flips: int) -> Iterator[Floats]:
    filled_CK = np.nan_to_num(differences_CK)
    scale_K = _scale(filled_CK)
    for signs_FC in _signs(len(filled_CK), flips, generator):
        yield np.abs(signs_FC @ filled_CK) / scale_K


def _standardised(differences_CK: Floats) -> Floats:
    """|sum| / sqrt(sum of squares): under sign flips its square has mean 1 in every column, so columns compare."""
    filled_CK = np.nan_to_num(differences_CK)
    return np.asarray(np.abs(filled_CK.sum(axis=0)) / _scale(filled_CK), np.float64)


def _scale(filled_CK: Floats) -> Floats:
    scale_K = np.sqrt((filled_CK**2).sum(axis=0))
    return np.where(scale_K > 0, scale_K, 1.0)
