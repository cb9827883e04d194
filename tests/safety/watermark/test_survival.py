"""Half-lives: against textbook curves, with censoring, and where there is nothing to interpolate."""

from __future__ import annotations

import pytest

from safety.watermark.survival import Life, life, survival


def test_once_lost_is_lost() -> None:
    assert life([(2, True), (1, True), (3, False), (5, True)], "a") == Life("a", 3, lost=True)
    assert life([(1, True), (2, None), (3, True)], "a") == Life("a", 1, lost=False)
    assert life([], "a") is None


def test_the_curve_is_kaplan_and_meiers() -> None:
    """Freireich's 6-MP arm up to week 10: 0.857, 0.807, 0.753 (Kaplan-Meier of the textbook)."""
    lives = [Life(str(n), at, lost=True) for n, at in enumerate((6, 6, 6, 7, 10))]
    lives += [Life(f"c{n}", at, lost=False) for n, at in enumerate((6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35))]
    lives += [Life(f"d{n}", at, lost=True) for n, at in enumerate((13, 16, 22, 23))]
    found = survival(lives)
    share = {step.at: step.share for step in found.steps}
    assert [share[at] for at in (6, 7, 10, 13, 16, 22, 23)] == pytest.approx(
        [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448], abs=0.001
    )
    assert found.half_life == 23
    assert found.low == 13
    assert found.high is None


def test_nobody_lost_is_longer_than_was_looked_at() -> None:
    found = survival([Life(str(n), 8, lost=False) for n in range(10)])
    assert found.half_life is None
    assert found.steps[-1].share == 1.0
    assert found.steps[-1].low == pytest.approx(0.025 ** (1 / 10))


def test_a_mark_that_was_never_read_has_no_life() -> None:
    found = survival([Life(str(n), 0, lost=True) for n in range(6)])
    assert found.half_life == 0
    assert (found.steps[0].share, found.steps[0].low) == (0.0, 0.0)


def test_clips_of_one_file_widen_the_band() -> None:
    ends = [(1, True), (2, True), (4, True), (8, False)] * 3
    alone = survival([Life(str(n), at, lost=lost) for n, (at, lost) in enumerate(ends)])
    shared = survival([Life(str(n // 3), at, lost=lost) for n, (at, lost) in enumerate(ends)])
    assert shared.steps[1].high - shared.steps[1].low > alone.steps[1].high - alone.steps[1].low
    assert survival([]).clips == 0
