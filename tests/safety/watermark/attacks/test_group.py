"""Attacks with more than one clip, on a mark that adds one pattern, so that what should come out is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from eval.clip import Clip
from safety.watermark.attacks.attack import AttackError
from safety.watermark.attacks.group import (
    add_average,
    collude,
    copy_residual,
    overwrite,
    search_by_queries,
    subtract_average,
)

PATTERN_HW = np.random.default_rng(9).choice([-3.0, 3.0], (32, 32))
TONE_N = 0.02 * np.random.default_rng(8).choice([-1.0, 1.0], 4000)


def scene(seed: int, frames: int = 4, *, sound: bool = False) -> Clip:
    """A smooth scene of its own for each seed."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:32, :32] / 32
    waves_CHW = np.stack([np.sin(rng.uniform(1, 6) * x + rng.uniform(1, 6) * y + rng.uniform(0, 6)) for _ in range(3)])
    frames_TCHW = np.stack([128 + 60 * waves_CHW + 4 * time for time in range(frames)]).astype(np.uint8)
    audio_CN = 0.2 * np.sin(np.arange(4000) * rng.uniform(0.01, 0.03))[None] if sound else None
    return Clip(frames_TCHW, 8.0, None if audio_CN is None else audio_CN.astype(np.float32), 8000 if sound else None)


def embed(clip: Clip, pattern_HW: npt.NDArray[np.float64] = PATTERN_HW) -> Clip:
    frames = np.clip(np.rint(clip.frames_TCHW + pattern_HW), 0, 255).astype(np.uint8)
    audio_CN = None if clip.audio_CN is None else (clip.audio_CN + TONE_N).astype(np.float32)
    return replace(clip, frames_TCHW=frames, audio_CN=audio_CN)


def score(clip: Clip) -> float:
    """Correlation with the pattern: 3 in a marked clip, about 0 in another."""
    return float((clip.frames_TCHW * np.sign(PATTERN_HW)).mean())


def heard(clip: Clip) -> float:
    assert clip.audio_CN is not None
    return float((clip.audio_CN * np.sign(TONE_N)).mean())


def test_colluding_is_the_mean_of_the_copies() -> None:
    clip = scene(0, sound=True)
    copies = [embed(clip, pattern) for pattern in (PATTERN_HW, -PATTERN_HW, PATTERN_HW, -PATTERN_HW)]
    mean = collude(copies)
    expected = np.mean([copy.frames_TCHW for copy in copies], axis=0)
    assert np.abs(mean.frames_TCHW - expected).max() <= 0.5
    assert abs(score(mean) - score(clip)) < 0.1
    assert mean.audio_CN is not None
    np.testing.assert_allclose(mean.audio_CN, np.mean([c.audio_CN for c in copies if c.audio_CN is not None], axis=0))


def test_colluders_must_hold_the_same_clip() -> None:
    with pytest.raises(AttackError, match="at least two"):
        collude([scene(0)])
    with pytest.raises(AttackError, match="differ in size or length"):
        collude([scene(0), scene(0, frames=5)])


def test_the_more_clips_are_averaged_the_less_of_the_mark_is_left() -> None:
    marked = [embed(scene(seed)) for seed in range(21)]
    base = score(scene(0))
    left = [score(subtract_average(marked[0], marked[1 : 1 + n])) - base for n in (1, 20)]
    assert score(marked[0]) - base > 2.5
    assert abs(left[1]) < 0.3
    assert abs(left[1]) <= abs(left[0]) + 0.1


def test_averaging_forges_too() -> None:
    marked, target = [embed(scene(seed)) for seed in range(10)], scene(40)
    assert score(add_average(target, marked)) - score(target) > 2.0
    plain = [scene(seed) for seed in range(10)]
    assert abs(score(add_average(target, plain)) - score(target)) < 0.3


def test_a_residual_copied_from_one_clip_marks_another() -> None:
    target = scene(41, frames=7)
    forged = copy_residual(embed(scene(1)), target)
    assert forged.frames_TCHW.shape == target.frames_TCHW.shape
    assert score(forged) - score(target) > 2.0
    assert np.abs(forged.frames_TCHW.astype(int) - target.frames_TCHW).mean() < 8
    nothing = copy_residual(embed(scene(1)), target, gain=0.0)
    np.testing.assert_array_equal(nothing.frames_TCHW, target.frames_TCHW)


def test_a_residual_is_scaled_to_its_target() -> None:
    target = Clip(scene(3).frames_TCHW.repeat(2, axis=2).repeat(2, axis=3), 8.0)
    assert copy_residual(embed(scene(1)), target).frames_TCHW.shape == (4, 3, 64, 64)


def test_sound_marks_are_copied_and_taken_off_alike() -> None:
    target = scene(41, sound=True)
    marked = [embed(scene(seed, sound=True)) for seed in range(12)]
    assert heard(copy_residual(marked[0], target, stream="sound")) - heard(target) > 0.01
    assert heard(add_average(target, marked, stream="sound")) - heard(target) > 0.01
    assert heard(subtract_average(marked[0], marked[1:], stream="sound")) < 0.5 * heard(marked[0])
    np.testing.assert_array_equal(copy_residual(marked[0], target, stream="sound").frames_TCHW, target.frames_TCHW)


def test_sound_that_is_not_there_is_said() -> None:
    with pytest.raises(AttackError, match="no sound"):
        copy_residual(scene(0), scene(1, sound=True), stream="sound")


def test_overwriting_embeds_once_for_each_time() -> None:
    calls: list[Clip] = []

    def counted(clip: Clip) -> Clip:
        calls.append(clip)
        return embed(clip, -PATTERN_HW)

    twice = overwrite(scene(0), counted, 2)
    assert len(calls) == 2
    np.testing.assert_array_equal(twice.frames_TCHW, embed(embed(scene(0), -PATTERN_HW), -PATTERN_HW).frames_TCHW)


@pytest.mark.parametrize("goal", ["remove", "forge"])
def test_queries_move_the_score_within_budget_and_bound(goal: str) -> None:
    clip = embed(scene(0)) if goal == "remove" else scene(0)
    asked: list[float] = []

    def counted(tried: Clip) -> float:
        asked.append(score(tried))
        return asked[-1]

    found = search_by_queries(clip, counted, np.random.default_rng(3), goal=goal, budget=150, most=6.0)  # type: ignore[arg-type]
    assert len(asked) == found.queries == 150
    wanted = 1 if goal == "forge" else -1
    assert wanted * (found.after - found.before) > 0.5
    assert found.after == (max(asked) if goal == "forge" else min(asked)) == pytest.approx(score(found.clip))
    difference = found.clip.frames_TCHW.astype(int) - clip.frames_TCHW
    assert np.abs(difference).max() <= 6
    assert np.ptp(difference, axis=0).max() == 0  # nothing clips in this scene: the same change in every frame


def test_more_queries_reach_further() -> None:
    reached = [
        search_by_queries(scene(0), score, np.random.default_rng(3), goal="forge", budget=budget).after
        for budget in (2, 20, 200)
    ]
    assert reached[0] <= reached[1] < reached[2]


def test_a_detector_that_says_nothing_leaves_the_clip_alone() -> None:
    found = search_by_queries(scene(0), lambda clip: 0.0, np.random.default_rng(3), goal="forge", budget=5)
    np.testing.assert_array_equal(found.clip.frames_TCHW, scene(0).frames_TCHW)
    with pytest.raises(AttackError, match="at least 2"):
        search_by_queries(scene(0), score, np.random.default_rng(3), goal="forge", budget=1)
