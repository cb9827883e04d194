"""Clips and observations whose answer is known.

Shape legend: T frames, H height, W width.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from eval.clip import Clip
from eval.video import write_clip
from safety.deepfake.observe import BLOCKS, ClipRef, Observed, Seen


def picture(seed: int, frames: int = 24, side: int = 48, level: float = 128.0) -> np.ndarray:
    """A drifting texture, uint8 T,3,side,side."""
    generator = np.random.default_rng(seed)
    span = (side + frames) // 4 + 1
    coarse = generator.normal(size=(span, span))
    big = np.kron(coarse, np.ones((4, 4)))
    big = level + 25 * (big + np.roll(big, 1, 0) + np.roll(big, 1, 1) + np.roll(big, 2, 0)) / 2
    views = np.stack([big[t : t + side, t : t + side] for t in range(frames)])
    noisy = views + generator.normal(0, 2, views.shape)
    return np.repeat(np.clip(noisy, 0, 255).astype(np.uint8)[:, None], 3, axis=1)


@pytest.fixture
def make_clip(tmp_path: Path) -> Callable[..., Path]:
    """Write a clip file and return its path."""

    def make(name: str, seed: int = 0, *, fps: float = 8.0, sound: bool = False, **more: float) -> Path:
        frames = picture(seed, **more)  # type: ignore[arg-type]
        clip = Clip(frames, fps)
        if sound:
            tone = 0.2 * np.sin(np.arange(int(clip.duration_s * 16_000)) / 9.0)[None].astype(np.float32)
            clip = Clip(frames, fps, tone, 16_000)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_clip(clip, path)
        return path

    return make


@pytest.fixture
def seen() -> Callable[..., Observed]:
    """Makes an observed clip with random traces of two blocks."""
    return observed_clip


def observed_clip(
    side: str,
    name: str,
    rng: np.random.Generator,
    *,
    shift: float = 0.0,
    group: str = "",
    set_name: str = "",
    seed: int = 0,
    duration: float = 2.0,
    light: float | None = None,
    windows: int = 1,
) -> Observed:
    """An observed clip; `shift` moves the first number of the block `dct`."""
    found = []
    base = {block: rng.normal(size=len(names)) for block, names in BLOCKS.items() if block in {"dct", "temporal"}}
    for _ in range(windows):
        traces = {block: values + 0.3 * rng.normal(size=len(values)) for block, values in base.items()}
        traces["dct"] = traces["dct"].copy()
        traces["dct"][0] += shift
        lit = rng.normal(120, 10) if light is None else light + rng.normal(0, 1)
        found.append(Seen(traces, (2.0, 8.0, 64.0, rng.normal(0, 0.1), lit, -100.0)))
    ref = ClipRef(Path(name), name, side, set_name or side, group or f"{side}/{name}", seed)  # type: ignore[arg-type]
    before = (duration, 8.0, 64.0, 64.0, float(rng.normal(0, 0.1)), 0.0)
    return Observed(ref, tuple(found), before)
