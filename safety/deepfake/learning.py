"""The learning curve: which AUC is reached with how many clips to learn from.

Shape legend: N windows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eval.sets.crossfit import Samples, deal, plain_auc
from eval.sets.logistic import Trainer

REPEATS = 6


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """groups: of each class, that the classifier learnt from. low, high: the middle 80 % over repeats and folds."""

    groups: int
    auc: float
    low: float
    high: float


def learning_curve(samples: Samples, seed: int, repeats: int = REPEATS) -> tuple[CurvePoint, ...]:
    """Mean AUC on held-out folds of classifiers that learnt from 2, 4, 8, … groups of each class, up to all."""
    generator = np.random.default_rng([seed, 3])
    sizes = _sizes(samples)
    found: dict[int, list[float]] = {}
    for _ in range(repeats):
        fold_N = deal(samples, generator)
        for fold in np.unique(fold_N):
            test_N = fold_N == fold
            tested, pool = samples.only(test_N), samples.only(~test_N)
            if not 0 < tested.fake_N.sum() < len(tested.fake_N):
                continue
            for size in sizes:
                model_of = pool.only(_chosen(pool, size, generator))
                model = Trainer(model_of.values_ND).fit(model_of.fake_N)
                found.setdefault(size, []).append(plain_auc(model.probability(tested.values_ND), tested.fake_N))
    return tuple(
        CurvePoint(size, float(np.mean(values)), *(float(end) for end in np.quantile(values, [0.1, 0.9])))
        for size, values in sorted(found.items())
    )


def _sizes(samples: Samples) -> list[int]:
    """2, 4, 8, … and what every fold leaves to learn from."""
    fewest = min(samples.groups)
    most = fewest - -(-fewest // samples.folds)
    return [*(2**power for power in range(1, 20) if 2**power <= 0.8 * most), most]


def _chosen(pool: Samples, size: int, generator: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Windows of `size` groups of each class; groups that hold both count for both."""
    keep_N = np.zeros(len(pool.fake_N), np.bool_)
    for fake in (True, False):
        own_N = pool.fake_N == fake
        groups = generator.permutation(np.unique(pool.group_N[own_N]))[:size]
        keep_N |= own_N & np.isin(pool.group_N, groups)
    return keep_N
