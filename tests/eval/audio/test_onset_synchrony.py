"""Onset synchrony: falls as the sound is shifted or swapped, is by chance for unrelated sound."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from eval.audio.onset_synchrony import activity, peaks
from eval.clip import Clip

IMPACTS_S = ((0.5, 1.25, 1.75, 2.75, 3.25), (0.4, 0.9, 1.9, 2.3, 3.4), (0.7, 1.6, 2.0, 2.6, 3.5))


@pytest.mark.parametrize("fps", [16, 24])
@pytest.mark.parametrize("shift_s", [-0.3, -0.2, 0.2, 0.3, 0.5])
def test_a_shifted_sound_scores_less(made: Any, score: Any, fps: float, shift_s: float) -> None:
    for impacts_s in IMPACTS_S:
        late_s = tuple(time_s + shift_s for time_s in impacts_s)
        together = score("onset_synchrony", made.bounce(impacts_s, fps=fps)).value
        apart = score("onset_synchrony", made.bounce(impacts_s, late_s, fps=fps)).value
        assert together > 0.5
        assert apart < together - 0.25


def test_another_clips_sound_scores_less(made: Any, score: Any) -> None:
    for own_s in IMPACTS_S:
        for other_s in IMPACTS_S:
            value = score("onset_synchrony", made.bounce(own_s, other_s)).value
            assert value > 0.75 if own_s == other_s else value < 0.6


def test_unrelated_sound_is_by_chance(made: Any, score: Any) -> None:
    rng = np.random.default_rng(0)
    values = [
        score("onset_synchrony", made.bounce(IMPACTS_S[0], tuple(np.sort(rng.uniform(0.05, 3.9, 4))))).value
        for _ in range(16)
    ]
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(len(values)) + 0.05


def test_a_flash_and_a_clap(made: Any, score: Any) -> None:
    dark = made.texture(64, 64, 1) // 3
    frames = [dark] * 48
    frames[20] = np.full_like(dark, 250)
    sound = made.thuds((20 / 24,), 2.0)
    assert score("onset_synchrony", made.clip(frames, 24, sound)).value > 0.8
    assert score("onset_synchrony", made.clip(frames, 24, made.thuds((1.6,), 2.0))).value < 0.1


def test_what_cannot_be_measured_says_so(made: Any, score: Any) -> None:
    ball = made.bounce()
    hum = made.sine(200, 0.3, 4.0)
    assert (
        score("onset_synchrony", Clip(ball.frames_TCHW, ball.fps, hum[:, 8000:], 16_000)).reason == "no sudden sounds"
    )
    still = Clip(np.repeat(ball.frames_TCHW[:1], 96, axis=0), 24, ball.audio_CN, 16_000)
    assert score("onset_synchrony", still).reason == "no sudden changes of motion"
    assert score("onset_synchrony", made.pan()).reason == "the clip has no sound"


def test_peaks_stand_out_and_apart() -> None:
    times = np.arange(0, 3, 0.01)
    strength = np.full(times.size, 0.5)
    strength[[50, 55, 150, 250]] = [8, 9, 5, 2]  # 0.05 s apart: the stronger; 2 is too little
    np.testing.assert_allclose(peaks(strength, times, 3.0), [0.55, 1.5])
    assert peaks(np.full(300, 5.0), times, 3.0).size == 0


def test_activity_reaches_half_a_frame() -> None:
    change = np.array([0.0, 0, 3, 0, 0])
    grid = activity(change, np.arange(5) / 10)
    assert grid.size == 41
    np.testing.assert_array_equal(np.flatnonzero(grid == 3), np.arange(13, 28))
