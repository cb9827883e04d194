"""What scores are worth to somebody who must decide: EER, TPR at a stated FPR, Brier score, calibration error.

Shape legend: N scores, B draws.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eval.sets.crossfit import Flags, Floats, Samples, interval, resampled

RATES = (1e-2, 1e-3)
BINS = 10


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its interval. needed: where it is None, the independent real clips that it takes; reason: why."""

    value: float | None
    low: float | None = None
    high: float | None = None
    needed: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Operating:
    """tpr: false alarm rate → share of fakes above the threshold that allows no more of it."""

    eer: Figure
    tpr: dict[float, Figure]
    brier: Figure
    ece: Figure


def operating(samples: Samples, score_N: Floats, seed: int, confidence: float) -> Operating:
    """All figures of the scores (probability of fake), with intervals resampled by group.

    TPR at an FPR of 1/n needs n independent real groups: with fewer, no threshold is known to allow so few alarms.
    """
    weights_BN = resampled(samples, seed)
    reals = samples.groups[1]

    def figure(measure: Callable[[Floats], float]) -> Figure:
        value = measure(np.ones(len(score_N)))
        draws_B = np.array([measure(weight_N) for weight_N in weights_BN[:DRAWS]])
        low, high = _interval(value, draws_B, samples, confidence)
        return Figure(value, low, high)

    fake_N = samples.fake_N
    tpr = {}
    for rate in RATES:
        needed = math.ceil(1 / rate)
        if reals < needed:
            reason = f"undecidable: {reals} independent real clips, and {needed} are needed"
            tpr[rate] = Figure(None, needed=needed, reason=reason)
        else:
            tpr[rate] = figure(lambda weight_N, rate=rate: tpr_at(score_N, fake_N, rate, weight_N))  # type: ignore[misc]
    return Operating(
        figure(lambda weight_N: eer(score_N, fake_N, weight_N)[0]),
        tpr,
        figure(lambda weight_N: brier(score_N, fake_N, weight_N)),
        figure(lambda weight_N: calibration_error(score_N, fake_N, weight_N)),
    )


DRAWS = 399
"""Of the bootstrap here: each draw sorts the scores anew."""


def roc(score_N: Floats, fake_N: Flags, weight_N: Floats | None = None) -> tuple[Floats, Floats, Floats]:
    """(fpr, tpr, threshold) of every step, from no alarm to all alarms; a score at the threshold is an alarm."""
    weight_N = np.ones(len(score_N)) if weight_N is None else weight_N
    order = np.argsort(-score_N, kind="stable")
    score_N, fake_N, weight_N = score_N[order], fake_N[order], weight_N[order]
    last_N = np.append(np.diff(score_N) != 0, True)
    hits, alarms = np.cumsum(weight_N * fake_N)[last_N], np.cumsum(weight_N * ~fake_N)[last_N]
    tpr = np.concatenate([[0.0], hits / max(hits[-1], 1e-12)])
    fpr = np.concatenate([[0.0], alarms / max(alarms[-1], 1e-12)])
    return fpr, tpr, np.concatenate([[np.inf], score_N[last_N]])


def eer(score_N: Floats, fake_N: Flags, weight_N: Floats | None = None) -> tuple[float, float]:
    """(equal error rate, its threshold): where misses and false alarms are equally frequent, between two steps."""
    fpr, tpr, threshold = roc(score_N, fake_N, weight_N)
    gap = fpr - (1 - tpr)
    after = int(np.argmax(gap >= 0))
    before = max(after - 1, 0)
    step = gap[after] - gap[before]
    share = 0.0 if step <= 0 else -gap[before] / step
    rate = fpr[before] + share * (fpr[after] - fpr[before])
    return float(rate), float(threshold[after])


def tpr_at(score_N: Floats, fake_N: Flags, rate: float, weight_N: Floats | None = None) -> float:
    """Share of fakes found at the lowest threshold whose false alarms are no more than `rate`."""
    fpr, tpr, _ = roc(score_N, fake_N, weight_N)
    return float(tpr[fpr <= rate + 1e-12].max())


def brier(score_N: Floats, fake_N: Flags, weight_N: Floats | None = None) -> float:
    """Mean squared distance from the truth, both classes counted alike; 0.25 for always saying one half."""
    weight_N = balanced(fake_N, weight_N)
    return float(weight_N @ (score_N - fake_N) ** 2)


def calibration_error(score_N: Floats, fake_N: Flags, weight_N: Floats | None = None) -> float:
    """Expected calibration error over ten bins of equal width, both classes counted alike (Naeini et al. 2015)."""
    weight_N = balanced(fake_N, weight_N)
    bin_N = np.minimum((score_N * BINS).astype(np.int64), BINS - 1)
    said = np.bincount(bin_N, weight_N * score_N, BINS)
    true = np.bincount(bin_N, weight_N * fake_N, BINS)
    return float(np.abs(said - true).sum())


def balanced(fake_N: Flags, weight_N: Floats | None = None) -> Floats:
    """Weights that give either class half of the whole."""
    weight_N = np.ones(len(fake_N)) if weight_N is None else weight_N
    fakes, reals = float(weight_N[fake_N].sum()), float(weight_N[~fake_N].sum())
    return np.where(fake_N, weight_N / max(2 * fakes, 1e-12), weight_N / max(2 * reals, 1e-12))


def _interval(
    value: float, draws_B: npt.NDArray[np.float64], samples: Samples, confidence: float
) -> tuple[float, float]:
    """As an AUC's, with the value inside."""
    low, high = interval(value, draws_B, samples, confidence)
    return min(low, value), max(high, value)
