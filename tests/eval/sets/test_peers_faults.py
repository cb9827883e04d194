"""Faults of other tools' distances between sets (field-notes/peers.md), one test each."""

from __future__ import annotations

import gc
import math
import weakref

import numpy as np
import pytest
import torch

from eval.errors import UserError
from eval.feature import NotMeasurable
from eval.sets.frechet import frechet_distance
from eval.sets.metrics import FrechetDistance, FrechetLimit, KernelDistance
from eval.sets.validity import UnmeasurableSet

Sets = dict[int, tuple[torch.Tensor, torch.Tensor]]


def normal(seed: int, samples: int, shift: float = 0.0) -> torch.Tensor:
    return torch.randn(samples, 8, generator=torch.Generator().manual_seed(seed)) + shift


def test_a_failure_is_a_reason_and_never_minus_one() -> None:
    """av-benchmark: `fad.py:80` returns -1."""
    with pytest.raises(UnmeasurableSet) as refusal:
        frechet_distance(normal(0, 1), normal(1, 1))
    assert isinstance(refusal.value, NotMeasurable)
    assert isinstance(refusal.value, UserError)


def test_few_clips_are_no_silent_nan() -> None:
    """av-benchmark: the inception score of fewer than ten clips is NaN without a word."""
    metric = KernelDistance(8)
    metric.update(normal(0, 9), real=True)
    metric.update(normal(1, 9), real=False)
    assert metric.estimate().caveat == "9 clips, and 50 are needed"
    with pytest.warns(UserWarning, match="9 clips, and 50 are needed"):
        assert math.isnan(metric.compute())


def test_no_ridge_moves_the_value(correlated_sets: Sets) -> None:
    """FastVideo: 1e-6 on both diagonals turns 462.42785 into 462.42661."""
    assert frechet_distance(*correlated_sets[64]) == pytest.approx(462.42785, abs=6e-6)


@pytest.mark.parametrize(("samples", "printed"), [(8, 800.41), (64, 462.43)])
def test_the_bias_of_small_samples_is_not_passed_off_as_a_distance(
    correlated_sets: Sets, samples: int, printed: float
) -> None:
    """The true distance is 1; everyone prints this, FastVideo with a warning below 256."""
    real, generated = correlated_sets[samples]
    metric = FrechetDistance(400, groups=5)
    metric.update(real, real=True)
    metric.update(generated, real=False)
    assert metric.estimate().value == pytest.approx(printed, abs=0.01)
    assert str(metric.estimate()).startswith(f"not ranked: {samples} samples, and 400 dimensions need")


def test_another_reference_gives_another_distance() -> None:
    """FastVideo: the reference cache is keyed by the extractor only, and the first corpus wins."""
    generated = normal(1, 300)
    found = []
    for reference in (normal(0, 300), normal(0, 300, 2.0)):
        metric = FrechetDistance(8)
        metric.update(reference, real=True)
        metric.update(generated, real=False)
        found.append(metric.compute().item())
    assert found[1] - found[0] == pytest.approx(8 * 2.0**2, rel=0.1)


def test_processes_do_not_change_the_number() -> None:
    """VBench: one GPU averages over frames and several over clips, so .997522 becomes .998163."""
    generated = normal(1, 301)
    whole, first, second = FrechetLimit(8), FrechetLimit(8), FrechetLimit(8)
    for metric, rows in ((whole, generated), (first, generated[:3]), (second, generated[3:])):
        metric.update(rows, real=False)
    for metric in (whole, first):
        metric.update(normal(0, 300), real=True)
    first.merge_state(second)
    assert first.compute().item() == pytest.approx(whole.compute().item(), abs=1e-9)


def test_sets_need_not_be_paired_or_of_one_size() -> None:
    """FastVideo pairs references by sort order; cmvq asks for equal counts."""
    real, generated = normal(0, 220), normal(1, 170, 0.3)
    shuffled = generated[torch.from_numpy(np.random.default_rng(0).permutation(170))]
    assert frechet_distance(real, shuffled) == pytest.approx(frechet_distance(real, generated), abs=1e-9)


@pytest.mark.parametrize("make", [FrechetDistance, KernelDistance])
def test_what_was_handed_in_is_let_go(make: type[FrechetDistance] | type[KernelDistance]) -> None:
    """FastVideo: every decoded clip stays referenced, 48 of 48."""
    metric, batch = make(8), normal(0, 16)
    watched = weakref.ref(batch)
    metric.update(batch, real=True)
    del batch
    gc.collect()
    assert watched() is None
