"""Clips to mark: textured and moving, with a sound."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from eval.clip import Clip
from eval.marks.files import read_whole
from eval.video import write_clip


def textured(seed: int, height: int = 64, width: int = 64, frames: int = 16) -> Clip:
    """A drifting texture and a chord with noise."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    picture = 128 + 40 * np.sin(x / 7 + seed) * np.cos(y / 9) + random.normal(0, 8, (height, width))
    moved = np.stack([np.roll(picture, 2 * t, axis=1) for t in range(frames)])
    colours = np.clip(moved[:, None] + np.array([0, 15, -15])[:, None, None], 0, 255).astype(np.uint8)
    rate_hz = 16_000
    t = np.arange(round(frames / 8 * rate_hz)) / rate_hz
    sound = sum(np.sin(2 * np.pi * hz * t) for hz in (220, 550, 1375)) / 8 + random.normal(0, 0.05, len(t))
    return Clip(colours, 8.0, sound[None].astype(np.float32), rate_hz)


def coded(clip: Clip, crf: float) -> Clip:
    """Through x264 and back."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        write_clip(clip, path, crf=crf)
        return read_whole(path)


@pytest.fixture
def made() -> Callable[..., Clip]:
    return textured


@pytest.fixture
def through_x264() -> Callable[[Clip, float], Clip]:
    return coded
