"""Intervals of Fréchet distances, and the value at infinite size."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from eval.sets import moments
from eval.sets.estimate import SetEstimate
from eval.sets.frechet import frechet_distance
from eval.sets.frechet_limit import (
    GROUPS,
    SAMPLES_PER_DIMENSION,
    SAMPLES_PER_DIMENSION_LIMIT,
    at_infinite_size,
    at_this_size,
)

Sets = dict[int, tuple[torch.Tensor, torch.Tensor]]


def in_groups(features_ND: torch.Tensor, groups: int = GROUPS) -> torch.Tensor:
    state_GEE = moments.no_moments(features_ND.shape[1]).expand(groups, -1, -1).clone()
    for group in range(min(groups, len(features_ND))):
        moments.absorb(state_GEE[group], features_ND[group::groups])
    return state_GEE


def drawn(rng: np.random.Generator, samples: int, shift: float, dimensions: int = 16) -> torch.Tensor:
    """Spectrum falling tenfold; the mean lies at this distance from 0."""
    spread = np.logspace(0, -1, dimensions)
    return torch.from_numpy(rng.normal(size=(samples, dimensions)) * spread + shift / np.sqrt(dimensions))


def test_the_value_is_the_plain_distance_inside_its_interval() -> None:
    rng = np.random.default_rng(0)
    real, generated = drawn(rng, 400, 0), drawn(rng, 300, 1)
    found = at_this_size(in_groups(real), in_groups(generated))
    assert found.value == pytest.approx(frechet_distance(real, generated), abs=1e-9)
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low < found.value < found.high
    assert (found.samples, found.ranks) == (300, True)


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_the_limit_finds_what_the_plain_distance_misses(shift: float) -> None:
    rng = np.random.default_rng(4)
    sets = [in_groups(drawn(rng, 160, 0)), in_groups(drawn(rng, 160, shift))]
    plain, limit = at_this_size(*sets), at_infinite_size(*sets)
    assert limit.low is not None
    assert limit.high is not None
    assert limit.low <= shift**2 <= limit.high
    assert abs(limit.value - shift**2) < abs(plain.value - shift**2)
    assert limit.ranks


def test_the_limit_is_the_line_through_two_sizes() -> None:
    """Known answer: with equal groups, where the line through N and 0.9 N in 1/N meets 0."""
    rng = np.random.default_rng(5)
    real, generated = drawn(rng, 200, 0), drawn(rng, 200, 1)
    whole = frechet_distance(real, generated)
    rest = [torch.arange(200) % GROUPS != group for group in range(GROUPS)]
    smaller = np.mean([frechet_distance(real[kept], generated[kept]) for kept in rest])
    slope = (smaller - whole) / (1 / 180 - 1 / 200)
    found = at_infinite_size(in_groups(real), in_groups(generated))
    assert found.value == pytest.approx(whole - slope / 200, abs=1e-8)


@pytest.mark.parametrize("samples", [8, 64])
def test_too_few_samples_say_so_and_do_not_rank(correlated_sets: Sets, samples: int) -> None:
    sets = [in_groups(features) for features in correlated_sets[samples]]
    assert (at_this_size(*sets).caveat, at_this_size(*sets).ranks) == (
        f"{samples} samples, and 400 dimensions need 800",
        False,
    )


def test_below_two_samples_a_group_there_is_no_interval() -> None:
    rng = np.random.default_rng(6)
    sets = [in_groups(drawn(rng, 12, 0)), in_groups(drawn(rng, 12, 1))]
    assert (at_this_size(*sets).low, at_this_size(*sets).ranks) == (None, False)
    assert math.isnan(at_infinite_size(*sets).value)


def test_too_few_cases_say_so() -> None:
    rng = np.random.default_rng(7)
    narrow = in_groups(drawn(rng, 400, 0), groups=3)
    empty = moments.no_moments(16).expand(7, -1, -1)
    found = at_this_size(torch.cat([narrow, empty]), in_groups(drawn(rng, 400, 1)))
    assert (found.low, found.caveat) == (None, "samples in 3 groups, and an interval needs 5: give more cases")


@pytest.mark.slow
def test_the_limit_at_2048_samples_of_400_dimensions(correlated_sets: Sets) -> None:
    found = at_infinite_size(*[in_groups(features) for features in correlated_sets[2048]])
    assert found.low is not None
    assert found.high is not None
    assert found.low <= 1.0 <= found.high
    assert abs(found.value - 1.0) < 0.5, "the plain distance is 25.4"


@pytest.mark.slow
@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_intervals_cover_from_the_fewest_samples_on(shift: float) -> None:
    """95 % asked: fewer than 34 of 40 would be one run of 300. Near 0 they are wider than need be."""
    rng = np.random.default_rng(8)

    def estimates(measure: Callable[..., SetEstimate], samples: int) -> list[SetEstimate]:
        return [measure(in_groups(drawn(rng, samples, 0)), in_groups(drawn(rng, samples, shift))) for _ in range(40)]

    limits = estimates(at_infinite_size, 16 * SAMPLES_PER_DIMENSION_LIMIT)
    assert covering(limits, shift**2) >= 34
    error = np.std([found.value for found in limits]) / np.sqrt(40)
    assert abs(np.mean([found.value for found in limits]) - shift**2) < 3 * error, "right on average"
    plain = estimates(at_this_size, 16 * SAMPLES_PER_DIMENSION)
    assert covering(plain, float(np.mean([found.value for found in plain]))) >= 34


def covering(estimates: list[SetEstimate], truth: float) -> int:
    return sum(e.low <= truth <= e.high for e in estimates if e.low is not None and e.high is not None)
