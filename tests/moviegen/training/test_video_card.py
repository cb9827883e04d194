"""The curves of a card: thinned without losing the end or the level. Whole cards: tests/benchmarks/commands/."""

from __future__ import annotations

import pytest

from moviegen.training.mixture import held_out_combinations
from moviegen.training.video_card import mixture_summary, thinned


def test_a_short_curve_stays_as_it_is() -> None:
    assert thinned({9: 0.5, 19: 0.25}) == [(9, 0.5), (19, 0.25)]
    assert thinned({}) == []


@pytest.mark.parametrize("length", [40, 41, 79, 800])
def test_a_long_curve_ends_at_its_last_step_and_keeps_its_mean(length: int) -> None:
    curve = {10 * k: float(k) for k in range(length)}
    short = thinned(curve)
    assert len(short) == 40
    assert short[-1][0] == 10 * (length - 1)
    assert [step for step, _ in short] == sorted({step for step, _ in short})
    if length % 40 == 0:
        assert sum(value for _, value in short) / 40 == pytest.approx(sum(curve.values()) / length, rel=1e-4)


def test_the_mixture_is_summed_up_in_numbers_of_its_own() -> None:
    assert f"{len(held_out_combinations())} combinations" in mixture_summary()
    assert "35% about a person, in 11 roles" in mixture_summary()
