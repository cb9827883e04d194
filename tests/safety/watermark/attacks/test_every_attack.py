"""What every attack must do, whatever it does: shapes, rates, seeds, identities, and more damage at more strength."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from eval.clip import Clip
from safety.watermark.attacks.attack import Attack, AttackError, rng_of
from safety.watermark.attacks.catalogue import own_attacks

from .conftest import make_clip

EVERY = pytest.mark.parametrize("attack", own_attacks(), ids=lambda attack: attack.name)

Damage = Callable[[Clip, Clip], float]


def picture_error(before: Clip, after: Clip) -> float:
    return float(np.square(before.frames_TCHW.astype(float) - after.frames_TCHW).mean())


def sound_error(before: Clip, after: Clip) -> float:
    assert before.audio_CN is not None
    assert after.audio_CN is not None
    return float(np.square(before.audio_CN - after.audio_CN, dtype=np.float64).mean())


def fewer_pixels(before: Clip, after: Clip) -> float:
    return 1 - after.frames_TCHW[0].size / before.frames_TCHW[0].size


def other_length(before: Clip, after: Clip) -> float:
    return abs(1 - len(after.frames_TCHW) / len(before.frames_TCHW))


def other_samples(before: Clip, after: Clip) -> float:
    assert before.audio_CN is not None
    assert after.audio_CN is not None
    return abs(1 - after.audio_CN.shape[1] / before.audio_CN.shape[1])


def broken_neighbours(before: Clip, after: Clip) -> float:
    """Frames whose next one is not the one that came next before."""
    places = [
        int(np.abs(before.frames_TCHW.astype(int) - frame).sum((1, 2, 3)).argmin()) for frame in after.frames_TCHW
    ]
    return float(np.count_nonzero(np.diff(places) != 1))


def error_at_best_window(before: Clip, after: Clip) -> float:
    """Of the first frame, against half the brightness, wherever it fits best."""
    darker_HWC, cut_HWC = (
        np.ascontiguousarray(c.frames_TCHW[0].transpose(1, 2, 0), np.float32) for c in (before, after)
    )
    return float(cv2.matchTemplate(darker_HWC / 2, cut_HWC, cv2.TM_SQDIFF).min()) / cut_HWC.size


def centre_error(before: Clip, after: Clip) -> float:
    """Where a turn leaves no black corners."""
    height, width = (side // 4 for side in before.frames_TCHW.shape[2:])
    return picture_error(*(Clip(c.frames_TCHW[:, :, height:-height, width:-width], 24.0) for c in (before, after)))


def error_at_times(before: Clip, after: Clip) -> float:
    shown = np.arange(len(after.frames_TCHW)) * len(before.frames_TCHW) // len(after.frames_TCHW)
    return picture_error(replace(before, frames_TCHW=before.frames_TCHW[shown]), after)


OWN: dict[str, Damage] = {
    "crop": fewer_pixels,
    "downscale": fewer_pixels,
    "drop": other_length,
    "duplicate": other_length,
    "speed-up": other_length,
    "slow-down": other_length,
    "fps": other_length,
    "trim": other_length,
    "reorder": broken_neighbours,
    "h264-crop-brightness": error_at_best_window,
    "camera": error_at_times,
    "rotate": centre_error,
    "sound-cut": other_samples,
    "sound-faster": other_samples,
    "sound-slower": other_samples,
}
"""Where size or length changes, error by place means nothing."""


def attacked(attack: Attack, clip: Clip, strength: float, seed: int = 0) -> Clip:
    return attack.apply(clip, strength, rng_of("test", attack.name, strength, seed))


def same(first: Clip, second: Clip) -> bool:
    if first.fps != second.fps or first.rate_hz != second.rate_hz:
        return False
    if not np.array_equal(first.frames_TCHW, second.frames_TCHW):
        return False
    if first.audio_CN is None or second.audio_CN is None:
        return first.audio_CN is second.audio_CN
    return np.array_equal(first.audio_CN, second.audio_CN)


@EVERY
def test_clips_come_out_as_clips_and_what_went_in_stays(attack: Attack, clip: Clip) -> None:
    before = make_clip()
    for strength in (attack.ladder[0], attack.ladder[-1]):
        after = attacked(attack, clip, strength)
        assert same(clip, before)
        assert after.frames_TCHW.dtype == np.uint8
        assert len(after.frames_TCHW)
        assert after.audio_CN is not None
        assert clip.audio_CN is not None
        assert after.rate_hz == clip.rate_hz
        assert np.isfinite(after.audio_CN).all()
        assert np.abs(after.audio_CN).max() <= 1
        assert after.audio_CN.shape[0] == clip.audio_CN.shape[0]
        assert not np.shares_memory(after.frames_TCHW, clip.frames_TCHW) or "picture" not in attack.streams
        assert not np.shares_memory(after.audio_CN, clip.audio_CN) or "sound" not in attack.streams


@EVERY
def test_the_stream_that_is_not_attacked_stays(attack: Attack, clip: Clip) -> None:
    after = attacked(attack, clip, attack.ladder[-1])
    assert after.audio_CN is not None
    assert clip.audio_CN is not None
    if "sound" not in attack.streams:
        np.testing.assert_array_equal(after.audio_CN, clip.audio_CN)
        assert after.duration_s == pytest.approx(clip.duration_s, rel=1e-9)
    if "picture" not in attack.streams:
        np.testing.assert_array_equal(after.frames_TCHW, clip.frames_TCHW)
        assert after.fps == clip.fps


@EVERY
def test_picture_and_sound_stay_as_long_as_each_other(attack: Attack, clip: Clip) -> None:
    after = attacked(attack, clip, attack.ladder[-1])
    assert after.audio_CN is not None
    assert after.rate_hz is not None
    if attack.name not in {"sound-cut", "sound-faster", "sound-slower"}:  # which say that they do otherwise
        assert after.audio_CN.shape[1] / after.rate_hz == pytest.approx(after.duration_s, abs=1 / after.fps)


@EVERY
def test_the_same_seed_does_the_same_and_another_does_not(attack: Attack, clip: Clip) -> None:
    strength = attack.ladder[len(attack.ladder) // 2]
    first = attacked(attack, clip, strength)
    assert same(first, attacked(attack, clip, strength))
    tries = range(1, 9 if attack.random else 2)
    assert any(not same(first, attacked(attack, clip, strength, seed)) for seed in tries) == attack.random


@EVERY
def test_nobody_elses_random_numbers_are_used(attack: Attack, clip: Clip) -> None:
    np.random.seed(7)  # noqa: NPY002 - the state that must not be touched
    random.seed(7)
    torch.manual_seed(7)
    states = np.random.get_state()[1].copy(), random.getstate(), torch.get_rng_state()  # noqa: NPY002
    attacked(attack, clip, attack.ladder[0])
    np.testing.assert_array_equal(np.random.get_state()[1], states[0])  # noqa: NPY002
    assert random.getstate() == states[1]
    assert torch.equal(torch.get_rng_state(), states[2])


@EVERY
def test_more_strength_is_more_damage(attack: Attack, clip: Clip) -> None:
    measure = OWN.get(attack.name) or (picture_error if "picture" in attack.streams else sound_error)
    damage = np.zeros(len(attack.ladder))
    for seed in range(3 if attack.random else 1):  # the same draws at every strength
        after = [attack.apply(clip, strength, np.random.default_rng(seed)) for strength in attack.ladder]
        damage += [measure(clip, changed) for changed in after]
    steps = np.diff(damage)
    assert (steps >= -0.03 * np.abs(damage[:-1])).all(), damage
    assert damage[-1] > damage[0] or len(damage) == 1, damage


@EVERY
def test_the_strength_that_changes_nothing_changes_nothing(attack: Attack, clip: Clip) -> None:
    if attack.identity is None:
        return
    after = attacked(attack, clip, attack.identity)
    assert after.audio_CN is not None
    assert clip.audio_CN is not None
    assert after.fps == pytest.approx(clip.fps)
    np.testing.assert_allclose(after.frames_TCHW.astype(int), clip.frames_TCHW, atol=1)  # hue: there and back
    np.testing.assert_allclose(after.audio_CN, clip.audio_CN, atol=1e-6)
    assert attack.identity not in attack.ladder


TINY = {
    "one frame": make_clip(1),
    "two frames": make_clip(2),
    "5 × 3 pixels": Clip(make_clip(3).frames_TCHW[:, :, :3, :5].copy(), 24.0, make_clip(3).audio_CN, 48_000),
    "one pixel": Clip(make_clip(3).frames_TCHW[:, :, :1, :1].copy(), 24.0, make_clip(3).audio_CN, 48_000),
    "three samples": replace(make_clip(3), audio_CN=np.array([[0.1, -0.2, 0.3]], np.float32)),
    "no samples": replace(make_clip(3), audio_CN=np.zeros((1, 0), np.float32)),
    "silence": replace(make_clip(3), audio_CN=np.zeros((2, 6000), np.float32)),
    "no sound": make_clip(3, sound=False),
    "black": Clip(np.zeros((3, 3, 32, 32), np.uint8), 24.0, make_clip(3).audio_CN, 48_000),
    "very wide": Clip(np.ones((2, 3, 8, 300), np.uint8), 7.0, make_clip(2).audio_CN, 8_000),
    "no frames": Clip(np.zeros((0, 3, 32, 32), np.uint8), 24.0, make_clip(1).audio_CN, 48_000),
}


def result_or_reason(attack: Attack, clip: Clip, strength: float) -> Clip | str:
    try:
        return attacked(attack, clip, strength)
    except AttackError as error:
        return str(error)


@EVERY
def test_small_clips_are_attacked_or_refused_in_one_line(attack: Attack) -> None:
    for name, clip in TINY.items():
        for strength in (attack.ladder[0], attack.ladder[-1]):
            after = result_or_reason(attack, clip, strength)
            if isinstance(after, str):
                assert after
                assert "\n" not in after
                continue
            assert name != "no frames" or attack.streams == {"sound"}
            assert after.frames_TCHW.dtype == np.uint8
            assert len(after.frames_TCHW) or name == "no frames"
            assert min(after.frames_TCHW.shape[2:]) >= 1
            assert after.audio_CN is None or np.isfinite(after.audio_CN).all()


@EVERY
def test_transposed_frames_are_as_good_as_others(attack: Attack, clip: Clip) -> None:
    """Clips as they are decoded: T,H,W,C in memory, and read-only."""
    frames_TCHW = np.ascontiguousarray(clip.frames_TCHW.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    frames_TCHW.flags.writeable = False
    strength = attack.ladder[0]
    assert same(attacked(attack, replace(clip, frames_TCHW=frames_TCHW), strength), attacked(attack, clip, strength))


@EVERY
def test_attacks_say_what_they_do_and_where_it_comes_from(attack: Attack) -> None:
    assert attack.summary
    assert attack.source
    assert attack.unit
