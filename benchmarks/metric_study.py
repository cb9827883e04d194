"""One metric of a run looked at closely: how it is spread, what it goes with, whether it tells ceilings from floors.

Shapes: B bootstrap draws, G generators, M metrics, C cases, F floors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from benchmarks.cube import ScoreCube
from benchmarks.estimates import Interval, spread
from benchmarks.statistics import bootstrap_means, holm, paired_differences, sign_flip_p

Floats = npt.NDArray[np.float64]
Outcome = Literal["as it should", "not told apart", "the wrong way", "no end is better"]

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
FEWEST_CASES = 8
"""With fewer a rank correlation says nothing."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How one generator's cases are spread. quantiles: at QUANTILES of the cases' values, seeds averaged."""

    generator: str
    bracket: str
    quantiles: tuple[float, ...]
    cases: int


@dataclass(frozen=True, slots=True)
class Correlation:
    """Another metric that this one goes with.

    within: mean over generators of the rank correlation over cases (-1…1), with its bootstrap interval.
    between: rank correlation of the generators' means; None with fewer than four generators.
    """

    metric: str
    within: Interval
    between: float | None


@dataclass(frozen=True, slots=True)
class BracketCheck:
    """A ceiling against a floor, paired by case: difference in the metric's unit, p adjusted over the floors."""

    ceiling: str
    floor: str
    difference: Interval
    p: float | None
    outcome: Outcome


def spreads(cube: ScoreCube, m: int) -> list[Spread]:
    """Of every generator that has a value, in the cube's order."""
    found = []
    for entrant, values_C in zip(cube.entrants, cube.raw_GMC[:, m], strict=True):
        known_C = values_C[~np.isnan(values_C)]
        if known_C.size:
            quantiles = tuple(float(value) for value in np.quantile(known_C, QUANTILES))
            found.append(Spread(entrant.label, entrant.bracket, quantiles, int(known_C.size)))
    return found


def correlations(cube: ScoreCube, m: int, draws: int = 200, confidence: float = 0.95) -> list[Correlation]:
    """Every other metric of the run, the closest first; metrics that share no FEWEST_CASES cases are left out."""
    generator = np.random.default_rng(0)
    cases = len(cube.cases)
    picks_BC = generator.multinomial(cases, np.full(cases, 1 / cases), size=draws).astype(np.float64)
    counts_BC = np.concatenate([np.ones((1, cases)), picks_BC])  # the first row is the data themselves
    per_GBM = np.stack([_rank_correlation(raw_MC, m, counts_BC) for raw_MC in cube.raw_GMC])
    known_BM = ~np.isnan(per_GBM)
    counted_BM = known_BM.sum(axis=0)
    mean_BM = np.where(counted_BM > 0, np.nansum(per_GBM, axis=0) / np.maximum(counted_BM, 1), np.nan)
    tail = (1 - confidence) / 2
    found = []
    for other, metric in enumerate(cube.metrics):
        value = mean_BM[0, other]
        if other == m or np.isnan(value):
            continue
        drawn_B = mean_BM[1:, other]
        low, high = np.nanquantile(drawn_B, (tail, 1 - tail)) if not np.isnan(drawn_B).all() else (np.nan, np.nan)
        ends = Interval(float(value), *(None if np.isnan(end) else float(end) for end in (low, high)))
        found.append(Correlation(metric.facts.name, ends, _between(cube, m, other)))
    return sorted(found, key=lambda one: -abs(one.within.value or 0.0))


def _rank_correlation(raw_MC: Floats, m: int, counts_BC: Floats) -> Floats:
    """r_BM: rank correlation of metric m with each metric over resampled cases of one generator; NaN for too few."""
    known_MC = ~np.isnan(raw_MC)
    ranks_MC = np.zeros_like(raw_MC)
    for place, (values_C, known_C) in enumerate(zip(raw_MC, known_MC, strict=True)):
        if known_C.any():
            ranks_C = stats.rankdata(values_C[known_C])
            ranks_MC[place, known_C] = ranks_C / known_C.sum() - (known_C.sum() + 1) / (2 * known_C.sum())
    both_MC = (known_MC & known_MC[m]).astype(np.float64)
    x_MC, y_MC = ranks_MC[m] * both_MC, ranks_MC * both_MC
    n, sx, sy, sxy, sxx, syy = (counts_BC @ part.T for part in (both_MC, x_MC, y_MC, x_MC * y_MC, x_MC**2, y_MC**2))
    spread_BM = np.maximum(n * sxx - sx**2, 0.0) * np.maximum(n * syy - sy**2, 0.0)
    enough_BM = (both_MC.sum(axis=1) >= FEWEST_CASES) & (spread_BM > 1e-12)
    return np.where(enough_BM, (n * sxy - sx * sy) / np.sqrt(np.where(enough_BM, spread_BM, 1.0)), np.nan)


def _between(cube: ScoreCube, m: int, other: int) -> float | None:
    means_GM = _means(cube.raw_GMC[:, [m, other]])
    known_GM = means_GM[~np.isnan(means_GM).any(axis=1)]
    if len(known_GM) < 4 or (np.ptp(known_GM, axis=0) == 0).any():
        return None
    return float(stats.spearmanr(known_GM[:, 0], known_GM[:, 1]).statistic)


def _means(values_GKC: Floats) -> Floats:
    known = (~np.isnan(values_GKC)).sum(axis=2)
    return np.where(known > 0, np.nansum(values_GKC, axis=2) / np.maximum(known, 1), np.nan)


def bracket_check(cube: ScoreCube, m: int, confidence: float = 0.95) -> list[BracketCheck]:
    """Every ceiling against every floor of the run; empty without brackets."""
    ceilings = [g for g, entrant in enumerate(cube.entrants) if entrant.bracket == "ceiling"]
    floors = [g for g, entrant in enumerate(cube.entrants) if entrant.bracket == "floor"]
    pairs = [(c, f) for c in ceilings for f in floors]
    if not pairs:
        return []
    raw_CF = np.stack([paired_differences(cube.raw_GMC[c, m], cube.raw_GMC[f, m]) for c, f in pairs], axis=1)
    better_CF = _better(cube, m, pairs, raw_CF)
    generator = np.random.default_rng(0)
    known_F = (~np.isnan(raw_CF)).sum(axis=0)
    means_F = np.where(known_F > 0, np.nansum(raw_CF, axis=0) / np.maximum(known_F, 1), np.nan)
    ends = spread(means_F, bootstrap_means(raw_CF, 2000, generator), known_F, confidence)
    tested_CF = raw_CF if better_CF is None else better_CF
    p_F = holm(sign_flip_p(tested_CF, generator, 4_999))
    return [
        BracketCheck(
            cube.entrants[c].label,
            cube.entrants[f].label,
            ends.at(place),
            None if np.isnan(p_F[place]) else float(p_F[place]),
            _outcome(None if better_CF is None else better_CF[:, place], p_F[place], 1 - confidence),
        )
        for place, (c, f) in enumerate(pairs)
    ]


def _better(cube: ScoreCube, m: int, pairs: list[tuple[int, int]], raw_CF: Floats) -> Floats | None:
    """Differences that are positive where the ceiling is better; None for a band without reference clips."""
    direction = cube.metrics[m].facts.direction
    if direction != "band":
        return raw_CF if direction == "higher" else -raw_CF
    if cube.metrics[m].utility is None:
        return None
    utility = [paired_differences(cube.utility_GMC[c, m], cube.utility_GMC[f, m]) for c, f in pairs]
    return np.stack(utility, axis=1)


def _outcome(better_C: Floats | None, p: float, alpha: float) -> Outcome:
    if better_C is None:
        return "no end is better"
    if np.isnan(p) or p > alpha:
        return "not told apart"
    return "as it should" if np.nansum(better_C) > 0 else "the wrong way"
