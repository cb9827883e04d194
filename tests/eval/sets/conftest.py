"""The sets behind the reference values of peers' Fréchet distances: 400 dimensions, true distance 1."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch


@functools.cache
def _correlated_sets() -> dict[int, tuple[torch.Tensor, torch.Tensor]]:
    rng, dimensions = np.random.default_rng(0), 400
    mixing = rng.standard_normal((dimensions, dimensions)) / np.sqrt(dimensions)
    sets = {}
    for samples in (8, 64, 512, 2048):
        real = rng.standard_normal((samples, dimensions)) @ mixing
        generated = rng.standard_normal((samples, dimensions)) @ mixing + 0.05
        sets[samples] = torch.from_numpy(real), torch.from_numpy(generated)
    return sets


@pytest.fixture
def correlated_sets() -> dict[int, tuple[torch.Tensor, torch.Tensor]]:
    """Number of samples → (real, generated), float64."""
    return _correlated_sets()
