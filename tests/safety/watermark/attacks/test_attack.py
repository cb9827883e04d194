"""The protocol of attacks: strengths that mean something, and random numbers that marks share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eval.clip import Clip
from safety.watermark.attacks.attack import Attack, rng_of


def nothing(clip: Clip, strength: float, rng: np.random.Generator) -> Clip:
    return clip


def attack(ladder: tuple[float, ...]) -> Attack:
    return Attack("nothing", "spatial", "1", ladder, "changes nothing", frozenset({"picture"}), nothing)


@pytest.mark.parametrize("ladder", [(), (1.0, float("nan")), (0.5, 0.5)])
def test_a_ladder_that_means_nothing_is_refused(ladder: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="finite strengths, each once"):
        attack(ladder)


def test_random_numbers_repeat_for_the_same_trial() -> None:
    first, again = (rng_of("abc", "crop", 0.71, 3).random(8) for _ in range(2))
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize(
    "trial", [("abd", "crop", 0.71, 3), ("abc", "erase", 0.71, 3), ("abc", "crop", 0.55, 3), ("abc", "crop", 0.71, 4)]
)
def test_random_numbers_differ_between_trials(trial: tuple[str, str, float, int]) -> None:
    assert not np.array_equal(rng_of("abc", "crop", 0.71, 3).random(8), rng_of(*trial).random(8))


def test_a_chain_draws_alike_at_every_strength_and_nothing_else_does() -> None:
    one = attack((1.0, 2.0))
    ways = one, replace(one, chain=True)
    drawn = [[way.rng("abc", strength, 3).random() for strength in (1.0, 2.0)] for way in ways]
    assert drawn[0][0] != drawn[0][1]
    assert drawn[1][0] == drawn[1][1]


def test_a_whole_strength_may_be_written_either_way() -> None:
    np.testing.assert_array_equal(rng_of("a", "b", 2, 0).random(4), rng_of("a", "b", 2.0, 0).random(4))
