"""Whether raters agree more than chance would have them, and whether the side sways them.

Shapes: I items, Q answers (b, tie, a), C cases, B bootstrap draws. Every figure is a ratio of sums over items, so that
resampling cases resamples the sums.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.arena.ballots import Ballots
from benchmarks.arena.strength import case_means, net_interval
from benchmarks.estimates import Interval
from benchmarks.statistics import bootstrap_means, intervals, sign_flip_p

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

ORDERED = np.array([[0.0, 1.0, 4.0], [1.0, 0.0, 1.0], [4.0, 1.0, 0.0]])
"""Distances of the answers: a win against a loss is four times as far apart as a win against a tie."""
DRAWS = 2000


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement beyond chance, with intervals over cases: 1: raters agree, 0: as by chance.

    alpha: Krippendorff's; None where no two raters saw the same clips, or all answers are equal (reason says which).
    gwet: Gwet's AC2, which stays up where nearly all answers are the same.
    same: share of pairs of raters that gave the same answer. items: seen by two raters or more.
    """

    alpha: Interval
    gwet: Interval
    same: float | None
    items: int
    raters: int
    reason: str


@dataclass(frozen=True, slots=True)
class SideBias:
    """left: votes for the left clip less those for the right one, as a share of all; 0 where the side does not sway.

    p: sign-flip test over cases of "left and right are exchangeable".
    """

    left: Interval
    p: float | None
    lefts: int
    ties: int
    rights: int


def agreement(found: Ballots, confidence: float, generator: np.random.Generator) -> Agreement:
    """How far raters of the same two clips agree.

    Which generator is called a is an accident of names, so every item is counted both ways round: chance is then that
    of raters who cannot tell the clips apart, and does not depend on which generator wins most.
    """
    counts_IQ = found.item_counts
    several_I = counts_IQ.sum(axis=1) > 1
    nothing = Interval(None, None, None)
    if not several_I.any():
        return Agreement(nothing, nothing, None, 0, len(found.raters), "no two raters have seen the same clips yet")
    counts_IQ, case_I = counts_IQ[several_I], found.item_cases[several_I]
    both_IQ, cases = np.concatenate([counts_IQ, counts_IQ[:, ::-1]]), np.concatenate([case_I, case_I])
    alpha = _with_interval(_alpha_sums(both_IQ), cases, lambda s: _alpha(s, ORDERED), confidence, generator)
    gwet = _with_interval(
        _gwet_sums(both_IQ, _likeness(ORDERED)), cases, lambda s: _gwet(s, _likeness(ORDERED)), confidence, generator
    )
    exact = _gwet_sums(both_IQ, np.eye(3)).sum(axis=0)
    reason = "" if alpha.value is not None else "all answers are the same: chance would agree as well"
    return Agreement(alpha, gwet, float(exact[0] / exact[1]), int(several_I.sum()), len(found.raters), reason)


def side_bias(found: Ballots, confidence: float, generator: np.random.Generator) -> SideBias:
    """Whether the left clip is preferred because it stands on the left."""
    lefts, ties, rights = (int((found.left_N == side).sum()) for side in (1, 0, -1))
    if not len(found.left_N):
        return SideBias(Interval(None, None, None), None, 0, 0, 0)
    column_N = np.zeros(len(found.left_N), np.int64)
    means_C1 = case_means(found.left_N, found.case_N, column_N, (len(found.cases), 1))
    p = float(sign_flip_p(means_C1, generator)[0])
    return SideBias(net_interval(means_C1[:, 0], confidence), p, lefts, ties, rights)


def krippendorff_alpha(counts_IQ: Integers, distance_QQ: Floats) -> float:
    """Krippendorff's (2019, section 12.3) alpha of counts of answers; NaN where all answers are the same.

    Items with one answer do not count. distance_QQ: squared distances of the answers, 0 on the diagonal.
    """
    return float(_alpha(_alpha_sums(counts_IQ[counts_IQ.sum(axis=1) > 1]).sum(axis=0), distance_QQ))


def gwet_ac(counts_IQ: Integers, likeness_QQ: Floats) -> float:
    """Gwet's (2014, section 4.4) AC2 of counts of answers; AC1 where likeness_QQ is the identity.

    Here only items with two answers or more count, for the marginals too. likeness_QQ: 1 on the diagonal.
    """
    return float(_gwet(_gwet_sums(counts_IQ[counts_IQ.sum(axis=1) > 1], likeness_QQ).sum(axis=0), likeness_QQ))


def _alpha_sums(counts_IQ: Integers) -> Floats:
    """Each item's part of the coincidence matrix, flat (I, Q·Q)."""
    raters_I = counts_IQ.sum(axis=1)
    own_IQQ = counts_IQ[:, :, None] * np.eye(counts_IQ.shape[1])
    parts_IQQ = (counts_IQ[:, :, None] * counts_IQ[:, None, :] - own_IQQ) / (raters_I - 1)[:, None, None]
    return np.asarray(parts_IQQ.reshape(len(counts_IQ), -1), np.float64)


def _alpha(sums_BX: Floats, distance_QQ: Floats) -> Floats:
    """Of sums (…, Q·Q), one alpha each."""
    coincidence_BQQ = sums_BX.reshape(*sums_BX.shape[:-1], *distance_QQ.shape)
    answers_BQ = coincidence_BQQ.sum(axis=-1)
    observed_B = (coincidence_BQQ * distance_QQ).sum(axis=(-2, -1))
    expected_B = ((answers_BQ @ distance_QQ) * answers_BQ).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        alpha_B = 1 - (answers_BQ.sum(axis=-1) - 1) * observed_B / expected_B
    return np.where(expected_B > 0, alpha_B, np.nan)


def _gwet_sums(counts_IQ: Integers, likeness_QQ: Floats) -> Floats:
    """Each item's agreement, 1, and its shares of the answers: (I, 2 + Q)."""
    raters_I = counts_IQ.sum(axis=1)
    agree_I = (counts_IQ * (counts_IQ @ likeness_QQ - 1)).sum(axis=1) / (raters_I * (raters_I - 1))
    return np.column_stack([agree_I, np.ones(len(counts_IQ)), counts_IQ / raters_I[:, None]])


def _gwet(sums_BX: Floats, likeness_QQ: Floats) -> Floats:
    """Of sums (…, 2 + Q), one AC2 each."""
    agreed_B, share_BQ = sums_BX[..., 0] / sums_BX[..., 1], sums_BX[..., 2:] / sums_BX[..., 1:2]
    answers = len(likeness_QQ)
    chance_B = likeness_QQ.sum() / (answers * (answers - 1)) * (share_BQ * (1 - share_BQ)).sum(axis=-1)
    return np.asarray((agreed_B - chance_B) / (1 - chance_B), np.float64)


def _likeness(distance_QQ: Floats) -> Floats:
    return np.asarray(1 - distance_QQ / distance_QQ.max(), np.float64)


def _with_interval(
    sums_IX: Floats, case_I: Integers, figure: Callable[[Floats], Floats], confidence: float, rng: np.random.Generator
) -> Interval:
    """A figure of summed items, with the interval of resampled cases; none from fewer than two cases."""
    value = float(figure(sums_IX.sum(axis=0)))
    cases, places = np.unique(case_I, return_inverse=True)
    sums_CX = np.zeros((len(cases), sums_IX.shape[1]))
    np.add.at(sums_CX, places, sums_IX)
    if np.isnan(value):
        return Interval(None, None, None)
    if len(cases) < 2:
        return Interval(value, None, None)
    figures_B = figure(bootstrap_means(sums_CX, DRAWS, rng) * len(cases))
    low, high = intervals(np.array([value]), figures_B[:, None], np.array([len(cases)]), confidence)
    return Interval(value, float(max(-1, low[0])), float(min(1, high[0])))
