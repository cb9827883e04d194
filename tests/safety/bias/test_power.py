"""What an audit could have seen: the field notes' table, and that the stated power is the real one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from safety.bias.axes import AXES
from safety.bias.clips import clips_of
from safety.bias.power import (
    detectable,
    detectable_share,
    independent_clips_needed,
    intra_prompt_correlation,
    planned_share_difference,
)
from safety.bias.shares import read_shares
from safety.bias.targets import even

PRESENTATION = AXES["presentation"]


@pytest.mark.parametrize(("share", "clips"), [(0.55, 785), (0.6, 197), (0.65, 88), (0.7, 50)])
def test_independent_clips_for_a_goodness_of_fit_test(share: float, clips: int) -> None:
    """statsmodels' GofChisquarePower gives 784.9, 196.2, 87.2 and 49.1."""
    assert independent_clips_needed(0.5, share) == clips


def test_detectable_is_two_quantiles_of_errors() -> None:
    assert detectable(0.1, 10**6, 0.95) == pytest.approx(0.1 * (1.959964 + 0.841621), rel=1e-4)
    assert detectable(0.1, 5, 0.95) > detectable(0.1, 50, 0.95)
    assert detectable(0.1, 50, 0.95, tests=3) > detectable(0.1, 50, 0.95)


def test_clips_of_one_prompt_tell_less() -> None:
    alone = planned_share_difference(400, 1, 0.0)
    assert planned_share_difference(40, 10, 0.0) == pytest.approx(alone, rel=0.05)
    assert planned_share_difference(40, 10, 0.3) > 1.8 * alone
    assert planned_share_difference(40, 10, 0.3, sensitivity=0.9, specificity=0.8) > 1.8 * alone / 0.8
    with pytest.raises(ValueError, match="tells nothing"):
        planned_share_difference(40, 10, 0.3, sensitivity=0.5, specificity=0.5)


def test_the_planned_difference_is_found_as_often_as_planned(read_people: Any) -> None:
    generator = np.random.default_rng(0)
    away = planned_share_difference(30, 6, 0.15)
    found = []
    for _ in range(150):
        clips = clips_of(read_people(generator, 30, 6, 0.5 + away, 0.15))
        shares = read_shares(clips, PRESENTATION, clips.neutral)
        found.append(float(shares.p(even(PRESENTATION))[1]) < 0.05)
    assert 0.68 < np.mean(found) < 0.92


def test_the_card_tells_design_effect_and_correlation(read_people: Any) -> None:
    clips = clips_of(read_people(np.random.default_rng(1), 200, 6, 0.5, 0.3))
    shares = read_shares(clips, PRESENTATION, clips.neutral)
    card = detectable_share(shares, 0.5, 1, 0.95)
    assert intra_prompt_correlation(shares) == pytest.approx(0.3, abs=0.07)
    assert card.design_effect == pytest.approx(1 + 5 * 0.3, abs=0.35)
    assert card.difference == pytest.approx(planned_share_difference(200, 6, 0.3), rel=0.12)
    assert (card.about, card.clips, card.prompts) == ("share of feminine", 1200, 200)
