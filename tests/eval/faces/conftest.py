"""Clips of the Backlot with known faces."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from moviegen.backlot import render, sample_scene

Pictures = npt.NDArray[np.uint8]


def _somebody(seed: int, *, side: int = 64, frames: int = 8, **fixed: object) -> Pictures:
    look = {"subject": "person", "shot": "close-up", "action": "wave", "camera": "static", "light": "day", **fixed}
    scene = sample_scene(seed, weather="clear", **look)
    clip = render(scene, width=side, height=side, fps=8.0, frames=frames, sound=False)
    return np.ascontiguousarray(clip.frames_TCHW.transpose(0, 2, 3, 1))


@pytest.fixture
def somebody() -> Callable[..., Pictures]:
    """somebody(seed, side=64, frames=8, **factors): a clip of one person, T,H,W,3 at 8 frames a second."""
    return _somebody


@pytest.fixture
def nobody() -> Pictures:
    """A clip without anybody, T,H,W,3."""
    clip = render(sample_scene(3, subject="ball"), fps=8.0, frames=4, sound=False)
    return np.ascontiguousarray(clip.frames_TCHW.transpose(0, 2, 3, 1))


@pytest.fixture
def crowd() -> Callable[[int, int], Pictures]:
    """crowd(columns, rows): one picture of so many people side by side, H,W,3."""

    def picture(columns: int, rows: int) -> Pictures:
        faces = [_somebody(100 + k, frames=1)[0] for k in range(columns * rows)]
        return np.vstack([np.hstack(faces[row * columns : (row + 1) * columns]) for row in range(rows)])

    return picture
