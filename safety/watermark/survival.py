"""How many reshares a mark survives: Kaplan and Meier's curve over generations, and its half-life."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True, slots=True)
class Life:
    """One clip through the generations. end: the first at which the mark was not detected any more, or the last that
    was looked at. lost: it was the former; otherwise nobody knows how much longer it lives (censored).
    """

    cluster: str
    end: float
    lost: bool


@dataclass(frozen=True, slots=True)
class Step:
    """The curve from generation `at` on: share still detected, with its interval. risk: clips looked at until then."""

    at: float
    share: float
    low: float
    high: float
    risk: int
    lost: int
    censored: int


@dataclass(frozen=True, slots=True)
class Survival:
    """The curve and its half-life: the first generation at which at most half are still detected.

    half_life, low, high: None where the curve (its upper end, its lower end) never falls to one half in what was looked
    at: it is then longer than `last`.
    """

    steps: tuple[Step, ...]
    clips: int
    clusters: int
    last: float
    half_life: float | None
    low: float | None
    high: float | None


def life(generations: Sequence[tuple[float, bool | None]], cluster: str) -> Life | None:
    """One clip's life from (generation, detected?); None for detected: the trial failed, and the clip is censored
    there.

    Once lost it stays lost: a reading that comes back by chance is no survival. None without any generation.
    """
    last = 0.0
    for at, found in sorted(generations, key=lambda pair: pair[0]):
        if found is None:
            return Life(cluster, last, lost=False)
        if not found:
            return Life(cluster, at, lost=True)
        last = at
    return Life(cluster, last, lost=False) if generations else None


def survival(lives: Sequence[Life], confidence: float = 0.95) -> Survival:
    """Kaplan and Meier (1958) with Greenwood's variance on the log-log scale; at both ends exact.

    Clips of one file die together: variances are multiplied by the mean number of clips in a file, the worst case.
    Where all or none of the clips at risk are left, Greenwood's formula gives no width: the exact interval of Clopper
    and Pearson on the number of files does. Half-life: where the curve and its ends cross one half (Brookmeyer and
    Crowley 1982).
    """
    if not lives:
        return Survival((), 0, 0, 0.0, None, None, None)
    clusters = len({one.cluster for one in lives})
    effect = len(lives) / clusters
    reach = float(stats.norm.ppf((1 + confidence) / 2))
    share, greenwood, steps = 1.0, 0.0, []
    for at in sorted({one.end for one in lives if one.end > 0 or one.lost}):
        risk = sum(one.end >= at for one in lives)
        lost = sum(one.lost and one.end == at for one in lives)
        censored = sum(not one.lost and one.end == at for one in lives)
        if lost:
            share *= 1 - lost / risk
            greenwood += lost / (risk * (risk - lost)) if risk > lost else 0.0
        low, high = _ends(share, greenwood * effect, reach, max(1.0, risk / effect), confidence)
        steps.append(Step(at, share, low, high, risk, lost, censored))
    last = max(one.end for one in lives)
    return Survival(
        tuple(steps),
        len(lives),
        clusters,
        last,
        _first(steps, [step.share for step in steps]),
        _first(steps, [step.low for step in steps]),
        _first(steps, [step.high for step in steps]),
    )


def _ends(share: float, greenwood: float, reach: float, at_risk: float, confidence: float) -> tuple[float, float]:
    tail = (1 - confidence) / 2
    if share >= 1:
        return tail ** (1 / at_risk), 1.0
    if share <= 0:
        return 0.0, 1 - tail ** (1 / at_risk)
    wide = reach * float(np.sqrt(greenwood)) / abs(float(np.log(share)))
    return share ** float(np.exp(wide)), share ** float(np.exp(-wide))


def _first(steps: Sequence[Step], shares: Sequence[float]) -> float | None:
    return next((step.at for step, share in zip(steps, shares, strict=True) if share <= 0.5), None)
