"""The tax of marking: paired differences of every metric between twins, and of the diversity of the whole set."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from eval.sets.validity import UnmeasurableSet
from safety.watermark.borrowed_quality import BETTER
from safety.watermark.plan import WatermarkPlan
from safety.watermark.statistics import Interval, adjusted, clustered_mean, sign_flip_p

FEWEST = 3


@dataclass(frozen=True, slots=True)
class TaxFigure:
    """One metric over all twins. difference: marked less unmarked. better: the metric's direction.

    scored: twins with both numbers, of `expected`; reason: the first one why there are fewer.
    """

    metric: str
    better: str
    unmarked: float | None
    marked: float | None
    difference: Interval
    p: float | None
    q: float | None
    scored: int
    expected: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Diversity:
    """Vendi score (Friedman and Dieng 2023) of the encodings of a set: how many different clips it amounts to.

    difference: marked less unmarked, with Student's interval of the jackknife over clusters. reason: why there is none.
    """

    encoder: str
    clips: int
    unmarked: float | None
    marked: float | None
    difference: Interval
    reason: str = ""


def tax_figures(plan: WatermarkPlan, rows: pd.DataFrame) -> tuple[TaxFigure, ...]:
    """One figure for each metric of the plan; p by exact sign flips over clusters, adjusted over the metrics."""
    from eval.metric import METRICS

    found = []
    for name in plan.compared:
        own = rows[rows["metric"] == name]
        ok = own[own["status"] == "ok"]
        difference = ok["marked"].to_numpy(np.float64) - ok["unmarked"].to_numpy(np.float64)
        # The same number but for rounding is the same number.
        difference[np.abs(difference) <= 1e-9 * np.abs(ok["unmarked"].to_numpy(np.float64))] = 0.0
        clusters = ok["cluster"].to_numpy()
        sums = pd.Series(difference).groupby(clusters).sum().to_numpy(np.float64)
        bad = own[own["status"] != "ok"]
        found.append(
            TaxFigure(
                metric=name,
                better=BETTER.get(name) or METRICS.get(name).spec.direction,
                unmarked=float(ok["unmarked"].mean()) if len(ok) else None,
                marked=float(ok["marked"].mean()) if len(ok) else None,
                difference=clustered_mean(difference, clusters, plan.confidence),
                p=sign_flip_p(sums, plan.seed) if len(sums) > 1 else None,
                q=None,
                scored=len(ok),
                expected=len(own),
                reason="" if bad.empty else str(bad["reason"].iloc[0]),
            )
        )
    return tuple(replace(one, q=q) for one, q in zip(found, adjusted([one.p for one in found]), strict=True))


def diversity_of(plan: WatermarkPlan, mark: str, encodings: pd.DataFrame) -> Diversity | None:
    """None where no encoding was asked for."""
    own = encodings[encodings["beside"] == mark]
    if own.empty:
        return None
    encoder = str(own["encoder"].iloc[0])
    pairs = own[own["mark"] == ""].merge(own[own["mark"] == mark], on="clip", suffixes=("", "_marked"))
    clusters = pairs["cluster"].to_numpy()
    if len(set(clusters)) < FEWEST:
        reason = f"{len(set(clusters))} files: diversity needs {FEWEST}"
        return Diversity(encoder, len(pairs), None, None, Interval(None, None, None), reason)
    plain, marked = (np.array(pairs[column].tolist(), np.float64) for column in ("vector", "vector_marked"))
    try:
        whole = _vendi(marked) - _vendi(plain)
        left_out = np.array(
            [_vendi(marked[clusters != name]) - _vendi(plain[clusters != name]) for name in sorted(set(clusters))]
        )
    except UnmeasurableSet as why:
        return Diversity(encoder, len(pairs), None, None, Interval(None, None, None), str(why))
    count = len(left_out)
    error = float(np.sqrt((count - 1) / count * ((left_out - left_out.mean()) ** 2).sum()))
    reach = float(stats.t.ppf((1 + plan.confidence) / 2, count - 1)) * error
    interval = Interval(whole, whole - reach, whole + reach)
    return Diversity(encoder, len(pairs), _vendi(plain), _vendi(marked), interval)


def _vendi(vectors_ND: npt.NDArray[np.float64]) -> float:
    import torch

    from eval.sets.vendi import vendi_score

    return vendi_score(torch.from_numpy(vectors_ND))
