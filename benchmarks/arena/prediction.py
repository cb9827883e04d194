"""How well automatic metrics predict the votes: of two clips that raters told apart, is theirs the better score?

Shapes: I items, M metrics, C cases.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy import stats

from benchmarks.arena.ballots import Ballots
from benchmarks.estimates import Interval, roll_up
from benchmarks.normalise import CountedMetric, ScoringPlan, scoring_plan
from benchmarks.statistics import bootstrap_means, holm, intervals, sign_flip_p
from benchmarks.store import Run

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Place = tuple[str, int, str]
"""Case, seed, generator."""

TOTAL = "total"
NOTHING = "no two clips that raters told apart have its scores"
DRAWS = 2000


@dataclass(frozen=True, slots=True)
class Prediction:
    """One metric against the votes along one axis.

    accuracy: share of items that raters decided (ties left out) in which the metric prefers the same clip, 0…1; equal
        scores count half, ½ is chance. p: sign-flip over cases of "no better or worse than chance"; p_adjusted: Holm.
    items, cases: with a verdict of the raters and both scores. reason: why there is no accuracy.
    """

    metric: str
    family: str
    accuracy: Interval
    p: float | None
    p_adjusted: float | None
    items: int
    cases: int
    reason: str


@dataclass(frozen=True, slots=True)
class Goodness:
    """Scores by metric, the higher the better. better: metric → place → goodness. family: metric → its family."""

    better: Mapping[str, Mapping[Place, float]]
    family: Mapping[str, str]
    reasons: Mapping[str, str]
    """Metric → why it cannot be compared."""


def predictions(
    found: Ballots, scores: Goodness, confidence: float, rng: np.random.Generator
) -> tuple[Prediction, ...]:
    """Every metric, the surest predictor first (by the interval's lower end); those without an answer last."""
    names = list(scores.family)
    if not names or not found.items:
        return ()
    right_IM = np.column_stack([_right(found, scores.better.get(name, {})) for name in names])
    shape = len(found.cases), len(names)
    sums_CM, counts_CM = np.zeros(shape), np.zeros(shape)
    np.add.at(sums_CM, found.item_cases, np.nan_to_num(right_IM))
    np.add.at(counts_CM, found.item_cases, ~np.isnan(right_IM))
    accuracies = _accuracies(sums_CM, counts_CM, confidence, rng)
    p_M = sign_flip_p(np.where(counts_CM > 0, 2 * sums_CM - counts_CM, np.nan), rng)
    adjusted_M = holm(p_M)
    rows = [
        Prediction(
            metric=name,
            family=scores.family[name],
            accuracy=accuracies[m],
            p=None if np.isnan(p_M[m]) else float(p_M[m]),
            p_adjusted=None if np.isnan(adjusted_M[m]) else float(adjusted_M[m]),
            items=int(counts_CM[:, m].sum()),
            cases=int((counts_CM[:, m] > 0).sum()),
            reason=scores.reasons.get(name, "" if counts_CM[:, m].any() else NOTHING),
        )
        for m, name in enumerate(names)
    ]
    return tuple(sorted(rows, key=lambda row: (row.accuracy.value is None, -(row.accuracy.low or 0), row.metric)))


def goodness(run: Run, cases: set[str]) -> Goodness:
    """The scores of some cases, seed by seed, turned so that higher is better.

    A metric whose best is a band counts by its utility; without reference clips it has none. The total is that of the
    leaderboard for one clip, where every counted metric has a value.
    """
    plan = scoring_plan(run.manifest.parsed_suite(), run.manifest.metrics)
    table = run.row_table(("generator", "case", "seed", "metric", "version", "value", "status"))
    wanted = pc.and_(pc.equal(table["status"], "ok"), pc.is_in(table["case"], pa.array(sorted(cases), pa.string())))
    values = _values(table.filter(wanted), plan)
    better: dict[str, Mapping[Place, float]] = {}
    reasons: dict[str, str] = {}
    for metric in plan.metrics:
        name = metric.facts.name
        if metric.facts.direction == "band" and metric.utility is None:
            reasons[name] = "its best is a band, and the suite has no reference clips to say where"
        else:
            better[name] = _turned(metric, values.get(name, {}))
    better[TOTAL] = _totals(plan, values)
    families = {metric.facts.name: str(metric.facts.family) for metric in plan.metrics}
    return Goodness(better, {TOTAL: TOTAL, **families}, reasons)


def _values(table: pa.Table, plan: ScoringPlan) -> dict[str, dict[Place, float]]:
    versions = {metric.facts.name: metric.facts.version for metric in plan.metrics}
    values: dict[str, dict[Place, float]] = {}
    columns = (table[name].to_pylist() for name in ("metric", "version", "case", "seed", "generator", "value"))
    for metric, version, case, seed, generator, value in zip(*columns, strict=True):
        if versions.get(metric) == version:
            values.setdefault(metric, {})[case, int(seed), generator] = float(value)
    return values


def _turned(metric: CountedMetric, values: Mapping[Place, float]) -> dict[Place, float]:
    if metric.facts.direction == "band":
        assert metric.utility is not None
        turned = metric.utility(np.array(list(values.values()), np.float64)).tolist()
        return dict(zip(values, turned, strict=True))
    sign = 1 if metric.facts.direction == "higher" else -1
    return {place: sign * value for place, value in values.items()}


def _totals(plan: ScoringPlan, values: Mapping[str, Mapping[Place, float]]) -> dict[Place, float]:
    places = sorted(set().union(*(known for known in values.values())))
    utility_XM = np.full((len(places), len(plan.metrics)), np.nan)
    for m, metric in enumerate(plan.metrics):
        if metric.utility is not None:
            own = values.get(metric.facts.name, {})
            utility_XM[:, m] = metric.utility(np.array([own.get(place, np.nan) for place in places], np.float64))
    _, total_X = roll_up(plan, utility_XM)
    return {place: float(total) for place, total in zip(places, total_X, strict=True) if not np.isnan(total)}


def _right(found: Ballots, own: Mapping[Place, float]) -> Floats:
    """1 where a metric prefers the clip that the raters preferred, ½ where its scores are equal, 0 where not, (I,).

    NaN where the raters were tied or a score is missing.
    """
    pairs = [
        (own.get((case, seed, found.generators[a]), np.nan), own.get((case, seed, found.generators[b]), np.nan))
        for case, seed, a, b in found.items
    ]
    difference_I = np.array([ours - theirs for ours, theirs in pairs], np.float64)
    verdict_I = found.verdicts
    return np.where(verdict_I == 0, np.nan, (1 + verdict_I * np.sign(difference_I)) / 2)


def _accuracies(sums_CM: Floats, counts_CM: Floats, confidence: float, rng: np.random.Generator) -> list[Interval]:
    """Shares that are right, with intervals of resampled cases.

    Where all cases agree resampling knows no spread: Wilson's interval for that many cases stands in.
    """
    draws_BX = bootstrap_means(np.concatenate([sums_CM, counts_CM], axis=1), DRAWS, rng)
    drawn_BM, weight_BM = np.split(draws_BX, 2, axis=1)
    ratios_BM = np.where(weight_BM > 0, drawn_BM / np.maximum(weight_BM, 1e-12), np.nan)
    cases_M, items_M = (counts_CM > 0).sum(axis=0), counts_CM.sum(axis=0)
    value_M = np.where(items_M > 0, sums_CM.sum(axis=0) / np.maximum(items_M, 1), np.nan)
    low_M, high_M = intervals(value_M, ratios_BM, cases_M, confidence)
    found = []
    for m, value in enumerate(value_M):
        shares = sums_CM[:, m][counts_CM[:, m] > 0] / counts_CM[:, m][counts_CM[:, m] > 0]
        if not len(shares):
            found.append(Interval(None, None, None))
        elif len(shares) < 2 or np.ptp(shares) == 0:
            found.append(Interval(float(value), *_wilson(float(value), len(shares), confidence)))
        else:
            found.append(Interval(float(value), float(max(0, low_M[m])), float(min(1, high_M[m]))))
    return found


def _wilson(share: float, n: int, confidence: float) -> tuple[float, float]:
    z2 = float(stats.norm.ppf((1 + confidence) / 2)) ** 2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    reach = np.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return float(max(0, middle - reach)), float(min(1, middle + reach))
