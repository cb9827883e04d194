"""Kernel distances against loops and the closed form of the cubic kernel."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from eval.sets.groups import group_of
from eval.sets.kernel import kernel_distance, kernel_sums
from eval.sets.metrics import FEWEST_PAIRED
from eval.sets.validity import UnmeasurableSet


def by_loops(real: np.ndarray, generated: np.ndarray) -> float:
    def mean(first: np.ndarray, second: np.ndarray, same: bool) -> float:
        pairs = [(i, j) for i in range(len(first)) for j in range(len(second)) if not (same and i == j)]
        return float(np.mean([(first[i] @ second[j] / first.shape[1] + 1) ** 3 for i, j in pairs]))

    return mean(real, real, True) + mean(generated, generated, True) - 2 * mean(real, generated, False)


def normal(seed: int, samples: int, dimensions: int, shift: float = 0.0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(samples, dimensions)) + shift)


def sums(real: torch.Tensor, generated: torch.Tensor, groups: int = 20, block: int = 2048):  # type: ignore[no-untyped-def]
    return kernel_sums(real, generated, group_of(real, groups, 0), group_of(generated, groups, 0), groups, block)


def test_against_loops_in_blocks_of_any_size() -> None:
    real, generated = normal(0, 23, 6), normal(1, 31, 6, 0.4)
    expected = by_loops(real.numpy(), generated.numpy())
    assert kernel_distance(real, generated) == pytest.approx(expected, abs=1e-12)
    for block in (1, 5, 16, 64):
        assert sums(real, generated, 4, block).distance() == pytest.approx(expected, abs=1e-12)


def test_groups_left_out_are_as_if_never_there() -> None:
    real, generated = normal(0, 40, 3), normal(1, 35, 3, 1.0)
    without = np.arange(4) != 2
    kept = [features[group_of(features, 4, 0) != 2].numpy() for features in (real, generated)]
    assert sums(real, generated, 4, 16).distance(without) == pytest.approx(by_loops(*kept), abs=1e-12)


def test_the_interval_covers_the_closed_form() -> None:
    """One dimension: (xy + 1)³ = x³y³ + 3x²y² + 3xy + 1, so MMD² is the weighted squares of differences of moments."""
    shift = 0.5
    truth = (shift**3 + 3 * shift) ** 2 + 3 * (shift**2) ** 2 + 3 * shift**2
    found = sums(normal(0, 3000, 1), normal(1, 3000, 1, shift))
    low, high = found.jackknife().interval(found.distance())
    assert low < truth < high
    assert high - low < truth


@pytest.mark.parametrize("shift", [0.0, 0.125])
def test_the_interval_covers_from_the_fewest_samples_on(shift: float) -> None:
    """95 % asked: fewer than 51 of 60 would be one run of 700."""
    dimensions = 16
    truth = of_shifted_normals(np.full(dimensions, shift))
    covered = 0
    for seed in range(60):
        real = normal(2 * seed, FEWEST_PAIRED, dimensions)
        found = sums(real, normal(2 * seed + 1, FEWEST_PAIRED, dimensions, shift))
        low, high = found.jackknife().interval(found.distance())
        covered += low <= truth <= high
    assert covered >= 51


def of_shifted_normals(mean: np.ndarray) -> float:
    """Closed form between N(0, I) and N(µ, I): weighted squares of differences of the first three moments."""
    one = np.eye(len(mean))
    third = np.einsum("i,j,k->ijk", mean, mean, mean)
    for term in ("ij,k->ijk", "ik,j->ijk", "jk,i->ijk"):
        third += np.einsum(term, one, mean)
    second = np.outer(mean, mean)
    weighted = [(third, 1, 3), (second, 3, 2), (mean, 3, 1)]
    return float(sum(weight * (m**2).sum() / len(mean) ** order for m, weight, order in weighted))


def test_it_has_no_bias_at_small_sizes() -> None:
    """Mean over 200 pairs of sets of 8 of one distribution: 0 within three standard errors."""
    values = [kernel_distance(normal(2 * seed, 8, 4), normal(2 * seed + 1, 8, 4)) for seed in range(200)]
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(200)
    assert min(values) < 0


def test_a_set_that_is_no_set_is_refused() -> None:
    with pytest.raises(UnmeasurableSet, match="real set holds 1 clip: a kernel distance needs at least 2"):
        kernel_distance(normal(0, 1, 4), normal(1, 10, 4))
    with pytest.raises(UnmeasurableSet, match="all 6 generated clips have the same features"):
        kernel_distance(normal(0, 10, 4), normal(1, 1, 4).expand(6, 4))
