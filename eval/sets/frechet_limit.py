"""Fréchet distance with an interval, at the samples' number and extrapolated to infinitely many.

Samples stream into groups of moments, so leaving a group out means merging the others: no feature need be kept.
Between samples of one distribution the distance is far from 0 (25 at 2048 samples of 400 dimensions) and falls as 1/N.
Leaving out one group tells its error; one and two groups, the line in 1/N and the error of where that line meets 0.
Extrapolation in 1/N: Chong and Forsyth (2020), arXiv:1911.07023, there through random subsets; here every
sample is left out equally often, so that its own deviation cancels from the slope.

Shape legend: D dimensions, E = D + 1, G groups of samples.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from eval.sets import moments
from eval.sets.estimate import FEWEST_GROUPS, Floats, Jackknife, SetEstimate, jackknife
from eval.sets.frechet import check_moments, distance, gaussian_of_moments

GROUPS = 10

FEWEST = 20
"""Samples of each set below which no interval is given: two for each group."""

SAMPLES_PER_DIMENSION = 2
"""Of each set, below which the distance at this size is not ranked."""

SAMPLES_PER_DIMENSION_LIMIT = 5
"""The same for the limit: here it is right on average, at 2 a quarter short of a true distance of 1.

From these numbers on both intervals cover what they should (tests: test_intervals_cover_from_the_fewest_samples_on)."""


def at_this_size(real_GEE: torch.Tensor, generated_GEE: torch.Tensor) -> SetEstimate:
    """The distance at this number of samples, as the field prints it.

    The interval is of that and not of the true distance: rank only sets of one size. Raises UnmeasurableSet.
    """
    estimate, groups = _start(real_GEE, generated_GEE, SAMPLES_PER_DIMENSION)
    if not groups:
        return estimate
    without_G = np.array([_distance(real_GEE, generated_GEE, (group,)) for group in groups])
    spread = jackknife(estimate.value, without_G, _shares(real_GEE, generated_GEE, ())[groups])
    low, high = spread.interval(estimate.value)
    return replace(estimate, low=max(0.0, low), high=high)


def at_infinite_size(real_GEE: torch.Tensor, generated_GEE: torch.Tensor) -> SetEstimate:
    """The distance extrapolated linearly in 1/N to infinitely many samples; may fall below 0 where the truth is near.

    NaN where there are too few samples or cases for an interval. Raises UnmeasurableSet.
    """
    estimate, groups = _start(real_GEE, generated_GEE, SAMPLES_PER_DIMENSION_LIMIT)
    if not groups:
        return replace(estimate, value=float("nan"))
    whole, smaller_G = _extrapolated(real_GEE, generated_GEE, groups, estimate.value)
    share_G = _shares(real_GEE, generated_GEE, ())[groups]
    low, high = jackknife(whole.corrected, smaller_G, share_G).interval(whole.corrected)
    return replace(estimate, value=whole.corrected, low=low, high=high)


def _start(real_GEE: torch.Tensor, generated_GEE: torch.Tensor, per_dimension: int) -> tuple[SetEstimate, list[int]]:
    """The distance of the whole sets, and the groups to leave out: none where there are too few for an interval."""
    sets = {"real": moments.merged(real_GEE), "generated": moments.merged(generated_GEE)}
    for which, moments_EE in sets.items():
        check_moments(moments_EE, which)
    value = distance(*(gaussian_of_moments(moments_EE) for moments_EE in sets.values()))
    samples = min(moments.count(moments_EE) for moments_EE in sets.values())
    fewest = max(FEWEST, per_dimension * (real_GEE.shape[-1] - 1))
    caveat = "" if samples >= fewest else f"{samples} samples, and {real_GEE.shape[-1] - 1} dimensions need {fewest}"
    filled_G = _shares(real_GEE, generated_GEE, ()) > 0
    fewest_filled = min(int((moments_GEE[:, 0, 0] > 0).sum()) for moments_GEE in (real_GEE, generated_GEE))
    if samples < FEWEST or fewest_filled < FEWEST_GROUPS:
        caveat = caveat or f"samples in {fewest_filled} groups, and an interval needs {FEWEST_GROUPS}: give more cases"
        return SetEstimate(value, None, None, samples, caveat), []
    return SetEstimate(value, None, None, samples, caveat), np.flatnonzero(filled_G).tolist()


def _extrapolated(
    real_GEE: torch.Tensor, generated_GEE: torch.Tensor, groups: list[int], value: float
) -> tuple[Jackknife, Floats]:
    """The jackknife of all groups, and its extrapolation with each one left out."""
    without_GG = np.zeros((len(groups), len(groups)))
    for row, group in enumerate(groups):
        for column, other in enumerate(groups[: row + 1]):
            without_GG[row, column] = without_GG[column, row] = _distance(real_GEE, generated_GEE, (group, other))
    without_G = without_GG.diagonal()
    smaller_G = np.empty(len(groups))
    for row, group in enumerate(groups):
        rest = np.arange(len(groups)) != row
        share_G = _shares(real_GEE, generated_GEE, (group,))[groups][rest]
        smaller_G[row] = jackknife(without_G[row], without_GG[row, rest], share_G).corrected
    return jackknife(value, without_G, _shares(real_GEE, generated_GEE, ())[groups]), smaller_G


def _distance(real_GEE: torch.Tensor, generated_GEE: torch.Tensor, left_out: tuple[int, ...]) -> float:
    kept = [group for group in range(len(real_GEE)) if group not in left_out]
    return distance(*(gaussian_of_moments(moments.merged(sets_GEE[kept])) for sets_GEE in (real_GEE, generated_GEE)))


def _shares(real_GEE: torch.Tensor, generated_GEE: torch.Tensor, left_out: tuple[int, ...]) -> Floats:
    """Each group's share of the samples, averaged over the two sets; 0 for those left out."""
    counts_2G = torch.stack([real_GEE[:, 0, 0], generated_GEE[:, 0, 0]])
    counts_2G[:, list(left_out)] = 0
    shares_G: Floats = (counts_2G / counts_2G.sum(dim=1, keepdim=True)).mean(dim=0).cpu().numpy()
    return shares_G
