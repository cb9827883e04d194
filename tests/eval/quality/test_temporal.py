"""Metrics of time: what a freeze, a repeat, a loop and a cut are, and what they are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from eval.clip import Clip
from eval.quality.looping import lag_differences
from eval.quality.scene_cuts import cuts
from eval.quality.stillness import repeats


def test_a_slow_drift_is_not_frozen(made: Any, score: Any) -> None:
    assert score("frozen_frames", made.pan(0.02, fps=24)).value == 0


def test_a_short_pause_is_not_frozen(made: Any, score: Any) -> None:
    frames = made.pan(0.3, fps=24).frames_TCHW.copy()
    frames[20:28] = frames[20]  # a third of a second
    assert score("frozen_frames", Clip(frames, 24)).value == 0
    frames[20:36] = frames[20]
    assert score("frozen_frames", Clip(frames, 24)).value == pytest.approx(15 / 47)


def test_faint_noise_does_not_hide_a_freeze_or_a_repeat(made: Any, score: Any) -> None:
    rng = np.random.default_rng(0)
    pan = made.pan(0.3, fps=12, size=256).frames_TCHW

    def grainy(frames: np.ndarray, fps: float) -> Clip:
        return Clip(np.clip(frames + rng.normal(0, 1, frames.shape), 0, 255).astype(np.uint8), fps)

    assert score("frozen_frames", grainy(np.repeat(pan[:1], 24, axis=0), 12)).value == 1
    assert score("duplicated_frames", grainy(np.repeat(pan, 2, axis=0), 24)).value == pytest.approx(24 / 47)


def test_padding_8_to_24_and_16_to_24_are_found(made: Any, score: Any) -> None:
    pan = made.pan(0.3, fps=16).frames_TCHW
    padded = pan[np.arange(48) * 2 // 3]  # every second frame twice
    assert score("duplicated_frames", Clip(padded, 24)).value == pytest.approx(1 / 3, abs=0.03)
    thirds = np.repeat(made.pan(0.3, fps=8).frames_TCHW, 3, axis=0)
    assert score("duplicated_frames", Clip(thirds, 24)).value == pytest.approx(2 / 3, abs=0.03)


def test_a_pause_and_a_slow_scene_are_not_repeats() -> None:
    moving, still = np.full(20, 30.0), np.zeros(20)
    assert not repeats(np.concatenate([moving, still, moving])).any()
    assert not repeats(np.full(40, 0.3)).any()
    assert repeats(np.array([30.0, 0, 30, 0, 30, 0, 30])).sum() == 3


def test_lag_differences_are_the_plain_means() -> None:
    values = np.random.default_rng(0).normal(size=(21, 5)).astype(np.float32)
    plain = [np.mean((values[: 21 - lag].astype(float) - values[lag:]) ** 2) for lag in range(11)]
    np.testing.assert_allclose(lag_differences(values), plain, atol=1e-6)


def test_forth_and_back_is_a_loop_and_a_pan_is_not(made: Any, score: Any) -> None:
    once = made.pan(0.5, seconds=1.0).frames_TCHW
    boomerang = np.concatenate([once, once[::-1]] * 3)
    assert score("looping", Clip(boomerang, 8)).value > 0.99
    assert score("looping", made.pan(0.3, seconds=5.0)).value < 0.15
    assert score("looping", made.noise(frames=60)).value < 0.1
    assert "nothing moves" in score("looping", made.still()).reason
    assert "too short" in score("looping", made.pan(seconds=0.6)).reason


def test_a_flash_and_a_fast_pan_are_not_cuts(made: Any, score: Any) -> None:
    pan = made.pan(0.2, fps=24)
    flash = pan.frames_TCHW.copy()
    flash[20] = 255
    assert score("scene_cuts", Clip(flash, 24)).value == 0
    assert score("scene_cuts", made.pan(3.0, seconds=0.8, fps=24)).value == 0
    assert score("scene_cuts", made.noise(frames=40)).value == 0


def test_cuts_at_the_ends() -> None:
    mean_P = np.array([50.0, 1, 1, 1, 1, 1, 60])
    assert np.flatnonzero(cuts(mean_P, np.full(5, 1.0))).tolist() == [0, 6]
