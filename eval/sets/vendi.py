"""Vendi score: how many different clips a set is worth, from 1 (all alike) to N (nothing in common).

The exponential of the entropy of the eigenvalues of S / N, where S holds the cosines between all feature vectors.
Friedman and Dieng (2023), arXiv:2210.02410; order 1.

Shape legend: S seeds (samples of one case), D dimensions.
"""

from __future__ import annotations

import torch

from eval.sets.validity import UnmeasurableSet, check_count, check_differ, check_features, furthest


def vendi_score(features_SD: torch.Tensor) -> float:
    """Effective number of different samples, 1 to min(S, D); higher is more diverse. Bounded by S: compare equal S.

    Cosines of raw features are close to 1 for most encoders, and the score then close to 1: centre the features on a
    common mean where that matters. Copies of one clip are refused, as is a single one: a generator that ignores its
    seed has no diversity to be measured. Raises UnmeasurableSet, also for NaN and for a vector of length 0.
    """
    check_features(features_SD, features_SD.shape[-1], "generated")
    check_count(len(features_SD), 2, "generated", "diversity over seeds")
    features_SD = features_SD.to(torch.float64)
    length_S1 = features_SD.square().sum(dim=1, keepdim=True).sqrt()
    if not bool(length_S1.all()):
        raise UnmeasurableSet(
            "a generated feature vector has length 0 and so no direction: check that encoder's output"
        )
    unit_SD = features_SD / length_S1
    check_differ(furthest(unit_SD, unit_SD[0]), 1.0, len(unit_SD), "generated")
    matrix_SD = unit_SD if len(unit_SD) >= unit_SD.shape[1] else unit_SD.T
    value_R = torch.linalg.eigvalsh(matrix_SD.T @ matrix_SD / len(unit_SD)).clamp(min=0)
    return float(torch.special.entr(value_R / value_R.sum()).sum().exp())
