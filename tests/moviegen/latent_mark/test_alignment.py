"""Alignment of votes: shifts and cuts are found where they are, and what a search finds by chance is no evidence."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from moviegen.latent_mark.alignment import cut, straight
from moviegen.latent_mark.votes import Votes

STEP, FRAMES, BITS = 4, 8, 16
MESSAGE = np.arange(BITS) % 2 * 2 - 1


def readings(rng: np.random.Generator, matched: dict[tuple[int, int], int], nonces: int = 3, strength: float = 3.0):
    """Votes of chance, and for nonce 1 a message where (front, received frame) is the frame as made that is given."""
    found = {}
    for front in range(STEP):
        sums = rng.standard_normal((nonces, FRAMES, FRAMES, BITS))
        for (at, j), t in matched.items():
            if at == front:
                sums[1, j, t] += strength * MESSAGE
        found[front] = Votes(sums, np.ones((FRAMES, FRAMES, BITS)))
    return found


@pytest.mark.parametrize("shift", [0, 4, -8, 3, -5])
def test_one_shift_is_found_with_its_nonce_and_message(shift: int) -> None:
    front, later = shift % STEP, shift // STEP
    matched = {(front, t - later): t for t in range(FRAMES) if 0 <= t - later < FRAMES}
    match = straight(readings(np.random.default_rng(0), matched), STEP, 0.5)
    assert match.nonce == 1
    assert {s for s in match.shifts_T if s is not None} == {shift}
    assert match.shifts_T.count(None) == FRAMES - len(matched)
    assert np.array_equal(np.sign(match.sums_K), MESSAGE)
    assert match.log_p < -50


def test_pieces_with_shifts_of_their_own_are_found_together() -> None:
    """Frames 0-2 as they were, 3-5 five frames early, 6 and 7 ten frames early."""
    matched = {(0, t): t for t in range(3)} | {(1, t - 1): t for t in range(3, 6)} | {(2, t - 2): t for t in (6, 7)}
    one = straight(readings(np.random.default_rng(0), matched), STEP, 0.5)
    match = cut(readings(np.random.default_rng(0), matched), STEP, 0.5)
    assert match.shifts_T == (0, 0, 0, 5, 5, 5, 10, 10)
    assert match.nonce == 1
    assert np.array_equal(np.sign(match.sums_K), MESSAGE)
    assert match.log_p < one.log_p - 20


def test_a_clip_of_one_latent_frame_cannot_be_cut() -> None:
    votes = {0: Votes(np.full((1, 1, 1, BITS), 9.0), np.ones((1, 1, BITS)))}
    assert cut(votes, STEP, 0.5).log_p == 0
    assert straight(votes, STEP, 0.5).log_p < -100


def test_chance_is_paid_for() -> None:
    """Of searches without a mark at most about five in a hundred may come out below 0.05."""
    rng = np.random.default_rng(5)
    p = np.exp([[search(readings(rng, {}), STEP, 1.0).log_p for search in (straight, cut)] for _ in range(80)])
    assert (p < 0.05).mean(axis=0).max() <= 0.1
    assert (p[:, 0] < 0.9).any()  # the correction is no blank refusal


def test_more_tries_cost_more() -> None:
    votes = readings(np.random.default_rng(0), {(0, t): t for t in range(FRAMES)}, strength=1.0)
    costs = [straight(votes, STEP, 0.5, tries).log_p for tries in (1, 10, 100)]
    assert [later - before for before, later in pairwise(costs)] == pytest.approx([np.log(10)] * 2)
