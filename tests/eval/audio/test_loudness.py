"""Loudness against pyloudnorm on the whole signal, and the gates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyloudnorm
import pytest

from eval.audio.loudness import gated
from eval.metric import NotMeasurable


@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_streaming_equals_pyloudnorm(made: Any, score: Any, rate_hz: int, channels: int) -> None:
    rng = np.random.default_rng(channels)
    swell = np.repeat([0.3, 0.002, 0.1, 0.5, 0.03, 0.2], rate_hz)  # loud, gated and middling seconds
    sound = (swell * rng.normal(size=(channels, 6 * rate_hz)) * 0.3).astype(np.float32)
    reference = pyloudnorm.Meter(rate_hz).integrated_loudness(sound.T.astype(np.float64))
    assert score("loudness", made.with_sound(sound, rate_hz)).value == pytest.approx(reference, abs=1e-6)


def test_what_cannot_be_measured_says_so(made: Any, score: Any) -> None:
    assert "louder than -70" in score("loudness", made.with_sound(np.zeros((1, 16_000), np.float32))).reason
    assert "0.4 s" in score("loudness", made.with_sound(np.ones((1, 5000), np.float32))).reason
    assert "4 channels" in score("loudness", made.with_sound(np.ones((4, 16_000), np.float32))).reason
    with pytest.raises(NotMeasurable):
        gated(np.zeros(5))


def test_the_relative_gate_leaves_quiet_parts_out(made: Any, score: Any) -> None:
    loud = made.sine(1000, 0.5, 5.0)
    with_pause = np.concatenate([loud, 0.01 * loud], axis=1)
    assert score("loudness", made.with_sound(with_pause)).value == pytest.approx(
        score("loudness", made.with_sound(loud)).value, abs=0.3
    )
