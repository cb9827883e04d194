"""Fréchet distances against closed forms, scipy's matrix root, and peers' values."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import torch

from eval.sets import moments
from eval.sets.frechet import distance, frechet_distance, gaussian_of_features, gaussian_of_moments
from eval.sets.validity import UnmeasurableSet

Sets = dict[int, tuple[torch.Tensor, torch.Tensor]]


def normal(seed: int, samples: int, dimensions: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(samples, dimensions)))


def exactly(mean: list[float], deviations: list[float], seed: int) -> torch.Tensor:
    """Samples whose mean and covariance are these to the last digits, not on average."""
    raw = np.random.default_rng(seed).normal(size=(50, len(mean)))
    white = np.linalg.qr(raw - raw.mean(0))[0] * np.sqrt(49)
    return torch.from_numpy(white * np.array(deviations) + np.array(mean))


def by_matrix_root(real: torch.Tensor, generated: torch.Tensor) -> float:
    """The textbook formula, with Schur's method for the root."""
    first, second = np.cov(real.numpy(), rowvar=False), np.cov(generated.numpy(), rowvar=False)
    root = np.trace(scipy.linalg.sqrtm(first @ second))
    shift = real.numpy().mean(0) - generated.numpy().mean(0)
    return float(shift @ shift + np.trace(first) + np.trace(second) - 2 * root.real)


def test_gaussians_of_known_distance() -> None:
    """Diagonal covariances: |µ₁-µ₂|² + Σ (σ₁-σ₂)² = 1 + 4 + (1-3)² + (2-2)² + (0.5-0)²."""
    first, second = exactly([0, 0, 5], [1, 2, 0.5], 1), exactly([1, 2, 5], [3, 2, 0], 2)
    assert frechet_distance(first, second) == pytest.approx(9.25, abs=1e-9)


@pytest.mark.parametrize(("samples", "dimensions"), [(6, 40), (200, 12)])
def test_shift_scale_rotation_and_symmetry(samples: int, dimensions: int) -> None:
    real, generated = normal(0, samples, dimensions), 2 * normal(1, samples + 1, dimensions) + 0.3
    value = frechet_distance(real, generated)
    assert frechet_distance(real, real) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(real, real + 0.5) == pytest.approx(0.25 * dimensions, abs=1e-9)
    centred = real - real.mean(0)
    assert frechet_distance(centred, 3 * centred) == pytest.approx(4 * centred.var(0).sum().item(), abs=1e-9)
    assert frechet_distance(generated, real) == pytest.approx(value, abs=1e-9)
    rotation = torch.from_numpy(np.linalg.qr(normal(2, dimensions, dimensions).numpy())[0])
    assert frechet_distance(real @ rotation, generated @ rotation) == pytest.approx(value, abs=1e-8)


def test_against_the_matrix_root() -> None:
    real, generated = normal(0, 90, 20), normal(1, 70, 20) @ normal(2, 20, 20) + 1
    assert frechet_distance(real, generated) == pytest.approx(by_matrix_root(real, generated), abs=1e-6)


@pytest.mark.parametrize(("samples", "value"), [(64, 462.42785), (2048, 25.41457)])
def test_reference_values_of_the_peers(correlated_sets: Sets, samples: int, value: float) -> None:
    """Exact (SVD) values of field-notes/peers.md; FastVideo's ridge gives 462.42661 and 25.41454 instead."""
    assert frechet_distance(*correlated_sets[samples]) == pytest.approx(value, abs=6e-6)


def test_moments_of_singular_sets_lose_nothing_against_the_n_by_n_form(correlated_sets: Sets) -> None:
    by_moments = []
    for features in correlated_sets[64]:
        state = moments.no_moments(400)
        moments.absorb(state, features)
        by_moments.append(gaussian_of_moments(state))
    by_samples = [gaussian_of_features(features) for features in correlated_sets[64]]
    assert distance(*by_moments) == pytest.approx(distance(*by_samples), abs=1e-8)


def test_dead_dimensions_change_nothing() -> None:
    real, generated = normal(0, 300, 6), 2 * normal(1, 300, 6)
    wide = [torch.cat([features, torch.ones(300, 30)], dim=1) for features in (real, generated)]
    assert frechet_distance(*wide) == pytest.approx(frechet_distance(real, generated), abs=1e-9)


def test_a_set_that_is_no_set_is_refused() -> None:
    good, one = normal(0, 10, 4), normal(1, 1, 4)
    with pytest.raises(UnmeasurableSet, match="generated set holds 1 clip: a Fréchet distance needs at least 2"):
        frechet_distance(good, one)
    with pytest.raises(UnmeasurableSet, match="all 10 real clips have the same features"):
        frechet_distance(one.expand(10, 4) * 0.1, good)
    with pytest.raises(UnmeasurableSet, match="generated features have 5 dimensions, not 4"):
        frechet_distance(good, normal(1, 10, 5))
    with pytest.raises(UnmeasurableSet, match="1 of 10 real features are NaN or infinite"):
        frechet_distance(good.index_fill(0, torch.tensor([3]), torch.nan), good)
    with pytest.raises(ValueError, match="floating point N,D"):
        frechet_distance(good.to(torch.int64), good)
