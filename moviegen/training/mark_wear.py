"""Wear and tear in the training of the mark: real codecs, cuts, resizing, lost frames, noise, with where the lattice
lies afterwards.

Shape legend: T frames, C channels, H W pixels.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from eval.clip import Clip, Window
from eval.marks.learned.alignment import Alignment
from eval.marks.learned.lattice import tiles
from eval.video import open_clip, write_clip
from moviegen.training.mark_data import FPS, Frames, resized

CODED, VP9 = 0.8, 0.04
"""Shares of clips that are coded at all, and of these by VP9; the others by x264."""
CRF = (22.0, 46.0)
CUT, SHRUNK, THINNED, NOISED = 0.35, 0.3, 0.2, 0.1
"""Shares of clips that are cropped, resized, lose frames, and get noise."""


@dataclass(frozen=True, slots=True, eq=False)
class Worn:
    """Frames, where the lattice lies in them, and which rectangle of the marked frame they show: top, left, height,
    width.
    """

    frames_TCHW: Frames
    alignment: Alignment
    shown: tuple[int, int, int, int]


def fresh(frames_TCHW: Frames) -> Worn:
    """Marked frames that nothing has happened to."""
    height, width = frames_TCHW.shape[-2:]
    return Worn(frames_TCHW, Alignment(tiles(height), tiles(width)), (0, 0, height, width))


def worn(frames_TCHW: Frames, random: np.random.Generator) -> Worn:
    """Marked frames after a random chain of wear."""
    one = fresh(frames_TCHW)
    if random.random() < THINNED:
        one = thinned(one, random.uniform(0.4, 0.9), random)
    if random.random() < CUT:
        one = cut(one, random.uniform(0.6, 1.0), random, back=random.random() < 0.5)
    if random.random() < SHRUNK:
        share = random.uniform(0.45, 1.0)
        one = shrunk(one, share)
    if random.random() < NOISED:
        one = noised(one, random.uniform(2.0, 10.0), random)
    if random.random() < CODED:
        one = coded(one, random.uniform(*CRF), vp9=random.random() < VP9)
    return one


def coded(one: Worn, crf: float, *, vp9: bool = False) -> Worn:
    """Through a real encoder and decoder."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("clip.webm" if vp9 else "clip.mp4")
        write_clip(Clip(one.frames_TCHW, FPS), path, crf=crf)
        parts = [part.frames_TCHW for part in open_clip(path).stream() if isinstance(part, Window)]
    return replace(one, frames_TCHW=np.concatenate(parts))


def cut(one: Worn, share: float, random: np.random.Generator, *, back: bool) -> Worn:
    """A random rectangle with `share` of either side; back: resized to the size before."""
    frames = one.frames_TCHW
    height, width = frames.shape[-2:]
    high, wide = round(height * share), round(width * share)
    top, left = int(random.integers(0, height - high + 1)), int(random.integers(0, width - wide + 1))
    lies = one.alignment
    alignment = replace(
        lies,
        tiles_y=lies.tiles_y * high / height,
        tiles_x=lies.tiles_x * wide / width,
        shift_y=lies.tiles_y * top / height,
        shift_x=lies.tiles_x * left / width,
    )
    frames = frames[..., top : top + high, left : left + wide]
    frames = resized(frames, height, width) if back else np.ascontiguousarray(frames)
    return Worn(frames, alignment, (top, left, high, wide))


def shrunk(one: Worn, share: float) -> Worn:
    """Resized to `share` of either side."""
    height, width = one.frames_TCHW.shape[-2:]
    return replace(one, frames_TCHW=resized(one.frames_TCHW, round(height * share), round(width * share)))


def thinned(one: Worn, share: float, random: np.random.Generator) -> Worn:
    """A random `share` of the frames, in order."""
    count = len(one.frames_TCHW)
    kept = np.sort(random.choice(count, max(1, round(count * share)), replace=False))
    return replace(one, frames_TCHW=one.frames_TCHW[kept])


def noised(one: Worn, sigma: float, random: np.random.Generator) -> Worn:
    """With Gaussian noise of `sigma` steps of 0-255."""
    noise = random.normal(0.0, sigma, one.frames_TCHW.shape)
    return replace(one, frames_TCHW=np.clip(np.rint(one.frames_TCHW + noise), 0, 255).astype(np.uint8))
