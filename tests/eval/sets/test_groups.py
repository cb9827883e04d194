"""Dealing samples out to groups."""

from __future__ import annotations

import torch

from eval.sets.groups import group_of


def features(samples: int) -> torch.Tensor:
    return torch.randn(samples, 16, generator=torch.Generator().manual_seed(0))


def test_order_batches_and_precision_above_float32_do_not_matter() -> None:
    whole = features(500)
    expected = group_of(whole, 10, seed=0)
    assert torch.equal(group_of(whole.flip(0), 10, seed=0), expected.flip(0))
    assert torch.equal(torch.cat([group_of(rows, 10, seed=0) for rows in whole.split(3)]), expected)
    assert torch.equal(group_of(whole.double(), 10, seed=0), expected)
    assert not torch.equal(group_of(whole, 10, seed=1), expected)


def test_groups_are_about_equal() -> None:
    counts = torch.bincount(group_of(features(20_000), 10, seed=0), minlength=10)
    assert counts.min() > 1800
    assert counts.max() < 2200


def test_clips_of_one_case_stay_together() -> None:
    cases = torch.arange(100).repeat_interleave(5)
    groups = group_of(features(500), 10, 0, cases).view(100, 5)
    assert (groups == groups[:, :1]).all()
    assert torch.bincount(groups[:, 0], minlength=10).min() >= 3
