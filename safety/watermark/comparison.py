"""Marks against each other on the same trials: same clips, same messages where lengths allow, same random attacks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from safety.watermark.plan import NONE, WatermarkPlan
from safety.watermark.statistics import Floats, Interval, adjusted, clustered_mean, sign_flip_p

ALL = "all attacks"
KEYS = ["clip", "seed", "attack", "strength"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`mark` less `other`, over the trials that both of them have. detected: difference of the shares detected at the
    level that both can decide. p: exact sign flips over clusters; q: adjusted over all comparisons.
    """

    mark: str
    other: str
    family: str
    trials: int
    clusters: int
    accuracy: Interval
    accuracy_p: float | None
    accuracy_q: float | None
    detected: Interval
    detected_p: float | None
    detected_q: float | None


def compare_marks(plan: WatermarkPlan, trials: pd.DataFrame, level: float | None) -> tuple[Comparison, ...]:
    """All pairs of marks in one stream, pooled over attacks and by family. trials: marked ones that worked."""
    found = list(_pairs(plan, trials, level))
    accuracy = adjusted([one.accuracy_p for one in found])
    detected = adjusted([one.detected_p for one in found])
    return tuple(
        replace(one, accuracy_q=first, detected_q=second)
        for one, first, second in zip(found, accuracy, detected, strict=True)
    )


def _pairs(plan: WatermarkPlan, trials: pd.DataFrame, level: float | None) -> Iterator[Comparison]:
    for mark, other in combinations(plan.marks, 2):
        if mark.stream != other.stream:
            continue
        one = trials[trials["mark"] == mark.name]
        two = trials[trials["mark"] == other.name]
        both = one.merge(two, on=KEYS, suffixes=("", "_other"))
        both = both.assign(share=both["matches"] / mark.bits, share_other=both["matches_other"] / other.bits)
        attacked = both[both["attack"] != NONE]
        parts = [("none", both[both["attack"] == NONE]), (ALL, attacked)]
        parts += [(str(name), part) for name, part in attacked.groupby("family", sort=False)]
        for name, part in parts:
            if len(part):
                yield _compared(plan, mark.name, other.name, name, part, level)


def _compared(
    plan: WatermarkPlan, mark: str, other: str, family: str, both: pd.DataFrame, level: float | None
) -> Comparison:
    clusters = both["cluster"].to_numpy()
    accuracy = both["share"].to_numpy(np.float64) - both["share_other"].to_numpy(np.float64)
    detected, detected_p = Interval(None, None, None), None
    if level is not None:
        difference: Floats = (both["p"] <= level).to_numpy(np.float64) - (both["p_other"] <= level).to_numpy(np.float64)
        detected, detected_p = _difference(plan, difference, clusters)
    found, p = _difference(plan, accuracy, clusters)
    return Comparison(
        mark, other, family, len(both), len(np.unique(clusters)), found, p, None, detected, detected_p, None
    )


def _difference(plan: WatermarkPlan, difference_N: Floats, clusters: npt.NDArray[Any]) -> tuple[Interval, float | None]:
    sums = np.asarray(pd.Series(difference_N).groupby(clusters).sum(), np.float64)
    p = sign_flip_p(sums, plan.seed) if len(sums) > 1 else None
    found = clustered_mean(difference_N, clusters, plan.confidence)
    if found.low is not None and found.low == found.high:
        # The same in every cluster: a spread of nothing is no knowledge of other clips.
        return Interval(found.value, None, None), p
    return found, p
