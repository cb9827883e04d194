"""Estimates with intervals: metric means, families and totals of every generator, and paired differences.

Shapes: B bootstrap draws, G generators, M metrics, F families, C cases. Every interval comes from one bootstrap whose
resamples of cases are common to all generators and metrics.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.cube import ScoreCube
from benchmarks.normalise import ScoringPlan
from benchmarks.statistics import bootstrap_means, intervals, paired_differences

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its confidence interval; None where it cannot be had (no value; one case has no interval)."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Spread:
    """Intervals of many quantities, as arrays of one shape; NaN where there is none."""

    value: Floats
    low: Floats
    high: Floats

    def at(self, *index: int) -> Interval:
        return Interval(*(_number(array[index]) for array in (self.value, self.low, self.high)))

    def within(self, low: Floats | float, high: Floats | float) -> Spread:
        """The same with intervals cut to the range that the quantity can have."""
        return Spread(self.value, np.clip(self.low, low, high), np.clip(self.high, low, high))


@dataclass(frozen=True, slots=True)
class Estimates:
    """What a leaderboard shows."""

    raw_GM: Spread
    utility_GM: Spread
    families_GF: Spread
    total_G: Spread


def estimate(cube: ScoreCube, draws: int, confidence: float, generator: np.random.Generator) -> Estimates:
    """Means over cases of all values and utilities, rolled up to families and totals, draw by draw."""
    G, M, C = cube.raw_GMC.shape
    values_CK = np.concatenate([cube.raw_GMC, cube.utility_GMC]).reshape(-1, C).T
    cases_XM = (~np.isnan(values_CK)).sum(axis=0).reshape(-1, M)
    draws_BXM = bootstrap_means(values_CK, draws, generator).reshape(draws, -1, M)
    sums_XM = np.nan_to_num(values_CK).sum(axis=0).reshape(-1, M)
    means_XM = np.where(cases_XM > 0, sums_XM / np.maximum(cases_XM, 1), np.nan)
    families_GF, total_G = roll_up(cube.plan, means_XM[G:])
    family_draws_BGF, total_draws_BG = roll_up(cube.plan, draws_BXM[:, G:])
    family_cases_GF = _fewest_cases(cube.plan, cases_XM[G:])
    total_cases_G = family_cases_GF.min(axis=1, initial=C)
    facts = [metric.facts for metric in cube.metrics]
    raw_GM = spread(means_XM[:G], draws_BXM[:, :G], cases_XM[:G], confidence)
    return Estimates(
        raw_GM=raw_GM.within(np.array([fact.low for fact in facts]), np.array([fact.high for fact in facts])),
        utility_GM=spread(means_XM[G:], draws_BXM[:, G:], cases_XM[G:], confidence).within(0, 1),
        families_GF=spread(families_GF, family_draws_BGF, family_cases_GF, confidence).within(0, 1),
        total_G=spread(total_G, total_draws_BG, total_cases_G, confidence).within(0, 1),
    )


def roll_up(plan: ScoringPlan, utility_XM: Floats) -> tuple[Floats, Floats]:
    """Families and totals of utilities (…, M): weighted means of their metrics and of the families.

    A family lacking one of its counted metrics is NaN, and so is the total: a gap is never a 0 and never left out.
    """
    families_XF = np.empty((*utility_XM.shape[:-1], len(plan.families)))
    for f, family in enumerate(plan.families):
        own, weights = _own(plan, family)
        families_XF[..., f] = utility_XM[..., own] @ weights
    if plan.absent or not plan.families:
        return families_XF, np.full(utility_XM.shape[:-1], np.nan)
    return families_XF, np.asarray(families_XF @ np.array(list(plan.families.values())), np.float64)


def case_parts(cube: ScoreCube, a: int, b: int, family: str | None = None) -> Floats:
    """Each case's part, parts_C, of the difference a − b in the total (or in one family).

    Every metric is compared on the cases that both have; the mean of the parts is exactly the weighted sum of those
    paired differences. NaN for cases that share nothing, and everywhere if some counted metric has no common case.
    """
    plan = cube.plan
    counted = [m for m, metric in enumerate(plan.metrics) if metric.counted and family in {None, metric.facts.family}]
    if not counted or (family is None and plan.absent):
        return np.full(len(cube.cases), np.nan)
    shares_M = np.array([plan.metrics[m].share for m in counted])
    difference_MC = paired_differences(cube.utility_GMC[a, counted], cube.utility_GMC[b, counted])
    known_MC = ~np.isnan(difference_MC)
    common_M, shared_C = known_MC.sum(axis=1), known_MC.any(axis=0)
    if not common_M.all():
        return np.full(len(cube.cases), np.nan)
    weights_M = shares_M / shares_M.sum() * shared_C.sum() / common_M
    parts_C = weights_M @ np.where(known_MC, difference_MC, 0.0)
    parts_C[np.abs(parts_C) < 1e-12] = 0.0  # rounding, on a scale of 1
    return np.where(shared_C, parts_C, np.nan)


def spread(value_X: Floats, draws_BX: Floats, cases_X: Integers, confidence: float) -> Spread:
    """Estimates of any shape with the intervals of their draws."""
    low, high = intervals(value_X.ravel(), draws_BX.reshape(len(draws_BX), -1), cases_X.ravel(), confidence)
    unknown_X = np.isnan(value_X)
    ends = (np.where(unknown_X, np.nan, end.reshape(value_X.shape)) for end in (low, high))
    return Spread(value_X, *ends)


def _own(plan: ScoringPlan, family: str) -> tuple[list[int], Floats]:
    own = [m for m, metric in enumerate(plan.metrics) if metric.counted and metric.facts.family == family]
    shares = np.array([plan.metrics[m].share for m in own])
    return own, shares / shares.sum()


def _fewest_cases(plan: ScoringPlan, cases_GM: Integers) -> Integers:
    columns = [cases_GM[:, _own(plan, family)[0]].min(axis=1) for family in plan.families]
    return np.stack(columns, axis=1) if columns else np.zeros((len(cases_GM), 0), np.int64)


def _number(value: np.float64) -> float | None:
    return None if np.isnan(value) else float(value)
