"""Streamed moments against NumPy's of the whole."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from eval.sets import moments


def streamed(features_ND: torch.Tensor, batch: int) -> torch.Tensor:
    state = moments.no_moments(features_ND.shape[1])
    for rows in features_ND.split(batch):
        moments.absorb(state, rows)
    return state


def assert_moments_of(state: torch.Tensor, features_ND: np.ndarray, tolerance: float = 1e-12) -> None:
    assert moments.count(state) == len(features_ND)
    np.testing.assert_allclose(moments.mean(state), features_ND.mean(0), atol=tolerance, rtol=1e-12)
    np.testing.assert_allclose(moments.covariance(state), np.cov(features_ND, rowvar=False), atol=tolerance, rtol=1e-10)


@pytest.mark.parametrize("batch", [1, 7, 64, 200])
def test_any_batch_size_gives_the_moments_of_the_whole(batch: int) -> None:
    features = np.random.default_rng(0).normal(size=(200, 5)) @ np.random.default_rng(1).normal(size=(5, 5)) + 3
    assert_moments_of(streamed(torch.from_numpy(features), batch), features)


def test_a_mean_far_from_zero_costs_no_digits() -> None:
    """Sums of squares would leave 1e16 · 1e-16 = 1 of a variance of 1."""
    features = np.random.default_rng(0).normal(size=(400, 3))
    state = streamed(torch.from_numpy(features + 1e8), 16)
    np.testing.assert_allclose(moments.covariance(state), np.cov(features, rowvar=False), atol=1e-6)


def test_parts_merge_to_the_whole_and_empty_ones_change_nothing() -> None:
    features = np.random.default_rng(3).normal(size=(90, 4)) + 1e3
    parts = [torch.from_numpy(part) for part in np.split(features, [50, 51, 51])]
    assert [len(part) for part in parts] == [50, 1, 0, 39]
    states = [streamed(part, 8) if len(part) else moments.no_moments(4) for part in parts]
    assert_moments_of(moments.merged(torch.stack(states)), features, 1e-9)
    assert torch.equal(moments.merged(torch.stack([moments.no_moments(4)] * 2)), moments.no_moments(4))


def test_float16_features_are_summed_in_float64() -> None:
    features = torch.full((70_000, 1), 2.0, dtype=torch.float16)
    assert moments.mean(streamed(features, 1000)).item() == 2.0
