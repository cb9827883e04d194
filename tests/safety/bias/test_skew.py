"""Skew inside prompts: pairs counted one by one, what cancels, and what a reader's errors must not add."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest

from safety.bias.axes import AXES
from safety.bias.clips import clips_of
from safety.bias.correction import from_annotators
from safety.bias.estimate import TooFew
from safety.bias.skew import skew

PRESENTATION = AXES["presentation"]
EVEN = np.array([0.5, 0.5])


def test_prompt_skew_is_a_mean_over_pairs_of_clips_of_a_prompt(make: Any) -> None:
    counts = [(4, 0), (3, 1), (2, 2), (0, 4), (1, 3), (5, 1)]
    clips = make.clips(make.shown(counts))
    found = skew(clips, PRESENTATION, clips.neutral, EVEN, 0.95)
    by_prompt = []
    for feminine, masculine in counts:
        vectors = [np.array([-0.5, 0.5])] * feminine + [np.array([0.5, -0.5])] * masculine
        by_prompt.append(np.mean([a @ b for a, b in permutations(vectors, 2)]))
    assert found.prompt.value == pytest.approx(np.mean(by_prompt) / 0.5)
    assert (found.prompt.clips, found.prompt.prompts) == (26, 6)


def test_opposite_prompts_cancel_in_shares_and_not_here(make: Any) -> None:
    clips = make.clips(make.shown([(8, 0), (0, 8)] * 10))
    found = skew(clips, PRESENTATION, clips.neutral, EVEN, 0.95)
    assert found.prompt.value == pytest.approx(1.0)
    assert found.spread.value == pytest.approx(1.0, abs=0.06)
    assert found.spread.p < 1e-6


def test_prompts_that_lean_the_same_way_have_skew_and_no_spread(make: Any) -> None:
    clips = make.clips(make.shown([(8, 0)] * 20))
    found = skew(clips, PRESENTATION, clips.neutral, EVEN, 0.95)
    assert found.prompt.value == pytest.approx(1.0)
    assert found.spread.value == pytest.approx(0.0)


def test_roles_are_compared_over_their_prompts(make: Any) -> None:
    """Prompts of a role differ, and roles do not: spread between prompts, none between roles."""
    rows = make.shown([(6, 0), (0, 6)] * 10)
    roles = [{**row, "role": f"role {int(row['prompt_id'][1:]) // 4}"} for row in rows]
    clips = make.clips(roles)
    prompts, of_roles = (skew(clips, PRESENTATION, clips.neutral, EVEN, 0.95, cell=cell) for cell in ("prompt", "role"))
    assert prompts.spread.value > 0.9
    assert of_roles.prompt.value == pytest.approx(-1 / 3)
    assert of_roles.spread.value < 0
    leaning = [
        {**row, "role": "nurse" if row["presentation"] == "feminine" else f"r{row['prompt_id']}"} for row in rows
    ]
    with pytest.raises(TooFew, match="1 roles have two prompts or more; 5 are needed"):
        skew(make.clips(leaning), PRESENTATION, clips.neutral, EVEN, 0.95, cell="role")


def test_too_few_prompts_with_two_clips(make: Any) -> None:
    clips = make.clips(make.shown([(2, 2)] * 4 + [(1, 0)] * 30))
    with pytest.raises(TooFew, match="4 prompts have two clips or more; 5 are needed"):
        skew(clips, PRESENTATION, clips.neutral, EVEN, 0.95)


def repeated(read_people: Any, repeats: int, correct: bool, **world: Any) -> np.ndarray:
    """Rows of (prompt skew, spread, p of spread, low, high of prompt skew)."""
    generator, rows = np.random.default_rng(0), []
    for _ in range(repeats):
        clips = clips_of(read_people(generator, labelled=0.5, **world))
        correction = from_annotators(clips, PRESENTATION, 5) if correct else None
        found = skew(clips, PRESENTATION, clips.neutral, EVEN, 0.95, correction)
        rows.append((found.prompt.value, found.spread.value, found.spread.p, found.prompt.low, found.prompt.high))
    return np.array(rows)


def test_a_reader_that_errs_hides_half_of_the_spread_and_correction_finds_it(read_people: Any) -> None:
    """A correlation of 0.4 between clips of a prompt is a spread of 0.4; Se + Sp - 1 = 0.7 leaves 0.49 of it."""
    world = {"prompts": 30, "clips": 6, "share": 0.5, "correlation": 0.4, "sensitivity": 0.85, "specificity": 0.85}
    plain, corrected = (repeated(read_people, 60, correct, **world) for correct in (False, True))
    assert plain[:, 1].mean() == pytest.approx(0.4 * 0.49, abs=0.03)
    assert corrected[:, 1].mean() == pytest.approx(0.4, abs=0.05)
    assert ((corrected[:, 3] <= 0.4) & (corrected[:, 4] >= 0.4)).mean() > 0.88


def test_equal_prompts_have_no_spread_by_accident(read_people: Any) -> None:
    world = {"prompts": 20, "clips": 5, "share": 0.5, "sensitivity": 0.8, "specificity": 0.9}
    found = repeated(read_people, 80, True, **world)
    assert abs(found[:, 0].mean()) < 0.04
    assert abs(found[:, 1].mean()) < 0.04
    assert (found[:, 2] < 0.05).mean() < 0.1
