"""Set metric: how well a classifier tells the generated clips from the real ones. 0.5: not at all; 1: always.

A classifier two-sample test (Lopez-Paz and Oquab 2017, arXiv:1610.06545) with the cross-fitted AUC of crossfit.py.

Shape legend: N real samples, M generated samples, D dimensions.
"""

from __future__ import annotations

import numpy as np
import torch

from eval.sets.crossfit import DEALS, Samples, measure_auc
from eval.sets.estimate import SetEstimate
from eval.sets.validity import check_sets

FEWEST = 2
FEWEST_RANKED = 30
"""Clips of each set below which it is not ranked: the interval is then wider than from 0.3 below to 0.3 above."""
PURPOSE = "telling two sets apart"


def separability(
    real_ND: torch.Tensor, generated_MD: torch.Tensor, real_cases_N: torch.Tensor, generated_cases_M: torch.Tensor
) -> SetEstimate:
    """AUC of cross-fitted logistic regression, no less than 0.5, with a 95 % interval that is resampled by case.

    The cases of the two sets are numbered apart: no real clip shares a group with a generated one. The value grows with
    the number of clips, for which there is more to learn from: compare equal ones. Raises UnmeasurableSet.
    """
    check_sets(real_ND, generated_MD, FEWEST, PURPOSE)
    values_ND = np.concatenate([generated_MD.double().numpy(), real_ND.double().numpy()])
    fake_N = np.arange(len(values_ND)) < len(generated_MD)
    cases_N = np.concatenate([2 * generated_cases_M.numpy(), 2 * real_cases_N.numpy() + 1]).astype(np.int64)
    samples = Samples(values_ND, fake_N, cases_N)
    count = min(len(real_ND), len(generated_MD))
    groups = min(samples.groups)
    if samples.folds < FEWEST:
        return SetEstimate(float("nan"), None, None, count, f"clips of {groups} case, and two are needed in each set")
    found = measure_auc(samples, deals=DEALS)
    caveat = "" if groups >= FEWEST_RANKED else f"{groups} cases, and {FEWEST_RANKED} are needed in each set"
    value, low, high = (max(0.5, number) for number in (found.value, found.low, found.high))
    return SetEstimate(value, low, high, count, caveat)
