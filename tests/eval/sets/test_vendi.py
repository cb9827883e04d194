"""Vendi scores of known sets."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from eval.sets.validity import UnmeasurableSet
from eval.sets.vendi import vendi_score


def test_known_sets() -> None:
    assert vendi_score(3 * torch.eye(5, 8)) == pytest.approx(5), "nothing in common"
    assert vendi_score(torch.eye(2, 4).repeat_interleave(3, dim=0)) == pytest.approx(2), "two clips, each three times"
    uneven = torch.eye(2, 4)[[0, 0, 0, 1]]
    assert vendi_score(uneven) == pytest.approx(np.exp(-0.75 * np.log(0.75) - 0.25 * np.log(0.25)))


@pytest.mark.parametrize(("seeds", "dimensions"), [(6, 20), (40, 3)])
def test_against_the_eigenvalues_of_all_cosines(seeds: int, dimensions: int) -> None:
    features = np.random.default_rng(0).normal(size=(seeds, dimensions)) + 0.5
    cosines = [[a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a in features] for b in features]
    values = np.linalg.eigvalsh(np.array(cosines) / seeds)
    values = values[values > 1e-12]
    score = vendi_score(torch.from_numpy(features))
    assert score == pytest.approx(np.exp(-(values * np.log(values)).sum()), abs=1e-9)
    assert 1 < score <= min(seeds, dimensions)


def test_clips_growing_alike_lower_it() -> None:
    rng = np.random.default_rng(1)
    own, common = rng.normal(size=(8, 32)), rng.normal(size=32)
    scores = [vendi_score(torch.from_numpy(own + likeness * common)) for likeness in (0, 1, 3, 10)]
    assert scores == sorted(scores, reverse=True)


def test_what_has_no_diversity_is_refused() -> None:
    with pytest.raises(UnmeasurableSet, match="holds 1 clip: diversity over seeds needs at least 2"):
        vendi_score(torch.ones(1, 4))
    with pytest.raises(UnmeasurableSet, match=r"all 4 generated clips have the same features: .* seed ignored"):
        vendi_score(torch.randn(1, 7, generator=torch.Generator().manual_seed(0)).expand(4, 7))
    with pytest.raises(UnmeasurableSet, match="length 0"):
        vendi_score(torch.eye(3, 2))
    with pytest.raises(UnmeasurableSet, match="1 of 2 generated features are NaN"):
        vendi_score(torch.tensor([[1.0, 2.0], [torch.inf, 1.0]]))
