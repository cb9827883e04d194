"""Clips that attacks are tried on."""

from __future__ import annotations

import numpy as np
import pytest

from eval.clip import Clip

RATE_HZ = 48_000
FRAMES, FPS = 24, 24.0


def make_clip(frames: int = FRAMES, side: int = 64, *, seed: int = 0, sound: bool = True) -> Clip:
    """A scene with broad and fine structure that moves, and sound with all tones at a quarter of full scale."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] / side
    fine_CHW = rng.normal(0, 6, (3, side, side))
    frames_TCHW = np.stack(
        [
            np.stack([120 + 50 * np.sin(5 * x + 3 * y + 2 * c + 0.15 * t) + 30 * y * np.cos(2 * c) for c in range(3)])
            + fine_CHW
            for t in range(frames)
        ]
    )
    audio_CN = None
    if sound:
        samples = round(frames / FPS * RATE_HZ)
        tones = np.fft.irfft(
            np.fft.rfft(rng.normal(size=(1, samples))) / (1 + np.arange(samples // 2 + 1) / 400), samples
        )
        audio_CN = (0.08 * tones / tones.std()).astype(np.float32)
    return Clip(np.clip(frames_TCHW, 0, 255).astype(np.uint8), FPS, audio_CN, RATE_HZ if sound else None)


@pytest.fixture(scope="session")
def clip() -> Clip:
    return make_clip()
