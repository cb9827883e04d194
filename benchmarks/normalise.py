"""From values to utilities: how each metric of a suite counts, on 0…1 where higher is better.

    higher, lower   linear from `worst` (0) to `best` (1), the suite's or the metric's own range, clipped
    band            1 between the reference clips' q05 and q95, falling linearly to 0 one band width outside, or at
                    the end of the metric's range where that is nearer (a picture that does not move at all is as wrong
                    as can be, however wide the band); without reference clips it is shown raw and does not count

Metric names and versions are those of the run's manifest, weights and bounds those of the suite.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from benchmarks.manifest import MetricFacts
from benchmarks.suite import MetricModel, Quantiles, Suite, SuiteError

Floats = npt.NDArray[np.float64]

BAND_FLOOR_OF_MIDDLE = 0.05
BAND_FLOOR_OF_RANGE = 0.01
"""Least band width, as a share of |q50| and of a finite range: reference clips that agree exactly (no duplicated frame
in any) must not turn the smallest departure into the worst score."""

NEAREST_END = 0.01
"""An end of the range that is nearer to the band than this share of its width is not told from the band's own edge."""


@dataclass(frozen=True, slots=True)
class Utility:
    """A piecewise linear map: 0 up to `zero_below`, 1 from `one_from` to `one_to`, 0 from `zero_above`.

    higher: zero_below < one_from, one_to = zero_above = inf; lower: the mirror image.
    """

    zero_below: float
    one_from: float
    one_to: float
    zero_above: float

    def __call__(self, values_N: Floats) -> Floats:
        """Utilities in 0…1; NaN stays NaN."""
        result_N = np.ones_like(values_N)
        if math.isfinite(self.zero_below):
            result_N = np.minimum(result_N, (values_N - self.zero_below) / (self.one_from - self.zero_below))
        if math.isfinite(self.zero_above):
            result_N = np.minimum(result_N, (self.zero_above - values_N) / (self.zero_above - self.one_to))
        return np.where(np.isnan(values_N), np.nan, np.clip(result_N, 0.0, 1.0))


@dataclass(frozen=True, slots=True)
class CountedMetric:
    """A metric as one suite counts it.

    weight: inside its family, as the suite gives it. share: of the total, 0 where it does not count.
    utility: None where there is none (a band without reference clips, an open range). note: why it is not counted.
    """

    facts: MetricFacts
    weight: float
    share: float
    utility: Utility | None
    if_skipped: Literal["unscored", "worst"]
    note: str

    @property
    def counted(self) -> bool:
        return self.share > 0


@dataclass(frozen=True, slots=True)
class ScoringPlan:
    """How a suite turns values into totals.

    families: name → share of the total, counted families only; they add up to 1.
    absent: counted metrics of the suite that the run never scored; no total without them.
    """

    metrics: tuple[CountedMetric, ...]
    families: Mapping[str, float]
    absent: tuple[str, ...]
    minimum_coverage: float


def scoring_plan(suite: Suite, facts: Sequence[MetricFacts]) -> ScoringPlan:
    """Work out what counts and how much.

    A family's score is the weighted mean of its counted metrics, the total that of the counted families.
    Metrics that were scored but are not in the suite are shown raw.
    Raises SuiteError, one line per mistake, where a counted metric has no finite worst or best, where worst equals
    best, or where the reference quantiles are those of another version of the metric.
    """
    known = {fact.name: fact for fact in facts}
    mistakes: list[str] = []
    scored = [model for model in suite.metrics if model.name in known]
    entries = [_entry(suite, model, known[model.name], mistakes) for model in scored]
    if mistakes:
        raise SuiteError("\n".join(f"suite {suite.name}: {mistake}" for mistake in mistakes))
    in_suite = {model.name for model in suite.metrics}
    shares, families = _shares(suite, entries)
    metrics = [
        CountedMetric(fact, model.weight, shares.get(fact.name, 0.0), utility, model.if_skipped, note)
        for fact, model, utility, note in entries
    ]
    metrics += [
        CountedMetric(fact, 0.0, 0.0, None, "unscored", "not in the suite: shown, not counted")
        for fact in facts
        if fact.name not in in_suite
    ]
    absent = tuple(model.name for model in suite.metrics if model.name not in known and model.weight > 0)
    return ScoringPlan(tuple(metrics), families, absent, suite.minimum_coverage)


def band_utility(facts: MetricFacts, quantiles: Quantiles) -> Utility:
    """1 inside q05…q95; 0 one band width outside, or at an end of the range that is nearer.

    The width has a floor (see BAND_FLOOR_OF_MIDDLE); a band that reaches an end of the range has no fall on that side.
    """
    spread = facts.high - facts.low
    width = max(
        quantiles.q95 - quantiles.q05,
        BAND_FLOOR_OF_MIDDLE * abs(quantiles.q50),
        BAND_FLOOR_OF_RANGE * spread if math.isfinite(spread) else 0.0,
        1e-9,
    )
    below, above = quantiles.q05 - facts.low, facts.high - quantiles.q95
    return Utility(
        zero_below=quantiles.q05 - (min(width, below) if below > NEAREST_END * width else width),
        one_from=quantiles.q05,
        one_to=quantiles.q95,
        zero_above=quantiles.q95 + (min(width, above) if above > NEAREST_END * width else width),
    )


def linear_utility(worst: float, best: float) -> Utility:
    """0 at worst, 1 at best, whichever is larger."""
    if best > worst:
        return Utility(worst, best, math.inf, math.inf)
    return Utility(-math.inf, -math.inf, best, worst)


def _entry(
    suite: Suite, model: MetricModel, facts: MetricFacts, mistakes: list[str]
) -> tuple[MetricFacts, MetricModel, Utility | None, str]:
    utility: Utility | None = None
    note = "" if model.weight > 0 else "weight 0: shown, not counted"
    if facts.direction == "band":
        quantiles = None if suite.reference is None else suite.reference.quantiles.get(facts.name)
        if quantiles is None:
            note = "no reference clips: shown raw, not counted"
        elif quantiles.version != facts.version:
            mistakes.append(
                f"{facts.name} is version {facts.version}, but the reference clips were measured with version "
                f"{quantiles.version}: measure the reference again"
            )
        else:
            utility = band_utility(facts, quantiles)
    else:
        ends = (facts.low, facts.high) if facts.direction == "higher" else (facts.high, facts.low)
        worst = ends[0] if model.worst is None else model.worst
        best = ends[1] if model.best is None else model.best
        if math.isfinite(worst) and math.isfinite(best) and worst != best:
            utility = linear_utility(worst, best)
        elif model.weight > 0:
            what = "worst equals best" if worst == best else f"its range {facts.low} to {facts.high} is open"
            mistakes.append(f"{facts.name}: {what}: give it a worst and a best in the suite")
    return facts, model, utility, note


def _shares(
    suite: Suite, entries: Sequence[tuple[MetricFacts, MetricModel, Utility | None, str]]
) -> tuple[dict[str, float], dict[str, float]]:
    counted = [
        (fact, model.weight)
        for fact, model, utility, _ in entries
        if utility is not None and model.weight > 0 and suite.families.get(fact.family, 1.0) > 0
    ]
    names = list(dict.fromkeys(fact.family for fact, _ in counted))
    total = sum(suite.families.get(name, 1.0) for name in names)
    families = {str(name): suite.families.get(name, 1.0) / total for name in names}
    inside = {name: sum(weight for fact, weight in counted if fact.family == name) for name in names}
    shares = {fact.name: families[fact.family] * weight / inside[fact.family] for fact, weight in counted}
    return shares, families
