"""Precision, recall, density and coverage against loops and known answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from eval.sets.neighbours import neighbourhood
from eval.sets.validity import UnmeasurableSet


def normal(seed: int, samples: int, dimensions: int = 4, shift: float = 0.0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(samples, dimensions)) + shift)


def measures(real: torch.Tensor, generated: torch.Tensor, nearest: int = 5, block: int = 2048) -> dict[str, float]:
    around = neighbourhood(real, generated, nearest, block)
    vectors = (around.precision_M, around.recall_N, around.density_M, around.coverage_N)
    return {
        name: v.mean().item() for name, v in zip(("precision", "recall", "density", "coverage"), vectors, strict=True)
    }


def by_loops(real: np.ndarray, generated: np.ndarray, nearest: int) -> dict[str, float]:
    def reach(features: np.ndarray) -> list[float]:
        return [sorted(np.linalg.norm(features - one, axis=1))[nearest] for one in features]  # the 0th is itself

    reach_real, reach_generated = reach(real), reach(generated)
    away = np.array([[np.linalg.norm(r - g) for g in generated] for r in real])
    inside = np.array([[away[i, j] <= reach_real[i] for j in range(len(generated))] for i in range(len(real))])
    recalled = [any(away[i, j] <= reach_generated[j] for j in range(len(generated))) for i in range(len(real))]
    return {
        "precision": float(np.mean([inside[:, j].any() for j in range(len(generated))])),
        "recall": float(np.mean(recalled)),
        "density": float(inside.sum() / nearest / len(generated)),
        "coverage": float(np.mean([inside[i].any() for i in range(len(real))])),
    }


@pytest.mark.parametrize("block", [1, 7, 2048])
def test_against_loops_in_blocks_of_any_size(block: int) -> None:
    real, generated = normal(0, 30), normal(1, 26, shift=0.7)
    expected = by_loops(real.numpy(), generated.numpy(), 3)
    assert 0 < expected["precision"] < 1
    assert measures(real, generated, 3, block) == pytest.approx(expected, abs=1e-12)


def test_the_same_set_is_all_within_reach_and_a_far_one_nowhere() -> None:
    real = normal(0, 60)
    same = measures(real, real)
    assert (same["precision"], same["recall"], same["coverage"]) == (1, 1, 1)
    assert same["density"] == pytest.approx(6 / 5), "five neighbours and itself"
    assert set(measures(real, real + 100).values()) == {0.0}


def test_copies_of_real_clips_are_within_reach_whatever_the_rounding() -> None:
    real = normal(0, 200, 64, shift=1e4).to(torch.float32)
    assert measures(real, real[:50].clone(), block=33)["precision"] == 1


def test_a_lost_mode_shows_in_recall_and_coverage_only() -> None:
    real = torch.cat([normal(0, 100), normal(1, 100, shift=50)])
    found = measures(real, normal(2, 200))
    assert found["precision"] > 0.9
    assert found["recall"] < 0.55
    assert found["coverage"] < 0.55


def test_one_outlier_lifts_precision_but_not_density() -> None:
    """The fault of precision that density was made for."""
    real = torch.cat([normal(0, 200), torch.full((1, 4), 40.0, dtype=torch.float64)])
    far = normal(1, 200, shift=10.0)
    found = measures(real, far)
    assert found["precision"] > 0.9
    assert found["density"] < 0.3


def test_sets_too_small_for_the_neighbours_are_refused() -> None:
    with pytest.raises(UnmeasurableSet, match=r"generated set holds 5 clips: .* 5 nearest neighbours needs at least 6"):
        neighbourhood(normal(0, 20), normal(1, 5))
    with pytest.raises(UnmeasurableSet, match="all 20 generated clips have the same features"):
        neighbourhood(normal(0, 20), normal(1, 1).expand(20, 4))
