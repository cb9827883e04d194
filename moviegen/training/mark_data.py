"""What the mark is trained and measured on: Backlot clips of its own scenes, windows of footage, and noise textures.

Shape legend: T frames, C channels, H W pixels.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from eval.cache import write_atomically
from eval.clip import ClipError, Window
from eval.video import open_clip
from moviegen.backlot import render, sample_scene

Split = Literal["train", "held-out", "negative"]
FIRST_SEED: dict[Split, int] = {"train": 1 << 50, "held-out": (1 << 50) + (1 << 40), "negative": (1 << 50) + (1 << 41)}
"""Scenes that no suite, reference clip or other training uses."""

SIDE, FRAMES, FPS = 256, 32, 8.0
SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".gif")
NOISE_EVERY = 8
"""Every so many training clips is a noise texture."""

Frames = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Material:
    """Clips on disk, uint8 T,C,H,W each. kinds: `backlot`, `footage` or `noise`, one for each clip."""

    files: tuple[Path, ...]
    kinds: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, row: int) -> Frames:
        frames_TCHW: Frames = np.load(self.files[row], mmap_mode="r", allow_pickle=False)
        return frames_TCHW


def make_material(
    folder: Path,
    split: Split,
    backlot: int,
    windows: int,
    media: Path | None,
    on_clip: Callable[[], None] = lambda: None,
) -> Material:
    """Render and cut clips into `folder`, keeping those that are there: `backlot` scenes (in training every
    NOISE_EVERY-th a noise texture), and `windows` windows of the footage in `media`.
    """
    made: list[tuple[Path, str]] = []
    for number in range(backlot):
        noisy = split == "train" and number % NOISE_EVERY == NOISE_EVERY - 1
        kind = "noise" if noisy else "backlot"
        path = folder / f"{split}-{kind}-{number:04d}.npy"
        _keep(path, lambda number=number, noisy=noisy: _texture(number) if noisy else _scene(split, number))  # type: ignore[misc]
        made.append((path, kind))
        on_clip()
    films = footage(media, split)
    for number in range(windows if films else 0):
        path = folder / f"{split}-footage-{number:04d}.npy"
        _keep(path, lambda number=number: window(films[number % len(films)], np.random.default_rng((1, number))))  # type: ignore[misc]
        made.append((path, "footage"))
        on_clip()
    return Material(tuple(path for path, _ in made), tuple(kind for _, kind in made))


def footage(media: Path | None, split: Split) -> list[Path]:
    """The films of a split, by name: the last third is held out, the others are for training; all are negatives."""
    if media is None:
        return []
    found = sorted(path for path in media.iterdir() if path.suffix.lower() in SUFFIXES)
    at = len(found) - len(found) // 3
    return {"train": found[:at], "held-out": found[at:], "negative": found}[split]


def window(film: Path, random: np.random.Generator, frames: int = FRAMES, side: int = SIDE) -> Frames:
    """A random square window of a film, in place, time and size, shrunk to `side`; a short film runs to and fro."""
    whole_TCHW = _decoded(film)
    if len(whole_TCHW) < frames:
        whole_TCHW = np.concatenate([whole_TCHW, whole_TCHW[::-1]])[:frames]
    height, width = whole_TCHW.shape[-2:]
    size = int(random.integers(min(side, height, width), min(height, width) + 1))
    at = random.integers(0, len(whole_TCHW) - frames + 1)
    top, left = random.integers(0, height - size + 1), random.integers(0, width - size + 1)
    return resized(whole_TCHW[at : at + frames, :, top : top + size, left : left + size], side, side)


_FILMS: dict[Path, Frames] = {}


def _decoded(film: Path) -> Frames:
    """A film's frames, kept in memory: the few films of a training are cut into many windows."""
    if film not in _FILMS:
        parts = [part.frames_TCHW for part in open_clip(film).stream(sound=False) if isinstance(part, Window)]
        if not parts:
            raise ClipError(f"{film}: no frames: take it out of the folder of footage")
        _FILMS[film] = np.concatenate(parts)
    return _FILMS[film]


def resized(frames_TCHW: Frames, height: int, width: int) -> Frames:
    """Every frame resized: by area when it shrinks, else by cubic interpolation."""
    if frames_TCHW.shape[-2:] == (height, width):
        return frames_TCHW
    how = cv2.INTER_AREA if height <= frames_TCHW.shape[-2] else cv2.INTER_CUBIC
    small = [
        cv2.resize(np.ascontiguousarray(one.transpose(1, 2, 0)), (width, height), interpolation=how).transpose(2, 0, 1)
        for one in frames_TCHW
    ]
    return np.stack(small).astype(np.uint8, copy=False)


def _scene(split: Split, number: int) -> Frames:
    scene = sample_scene(FIRST_SEED[split] + number)
    return render(scene, width=SIDE, height=SIDE, fps=FPS, frames=FRAMES, sound=False).frames_TCHW


def _texture(number: int) -> Frames:
    """A coloured noise texture of some roughness that drifts."""
    random = np.random.default_rng((2, number))
    rough, speed = random.uniform(0.5, 2.0), random.uniform(-3.0, 3.0, 2)
    fy, fx = np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None, :]
    power = 1.0 / np.maximum(np.hypot(fy, fx), 1.0 / SIDE) ** rough
    waves = power * np.exp(2j * np.pi * random.random((3, SIDE, SIDE // 2 + 1)))
    drift = [np.exp(-2j * np.pi * t * (fy * speed[0] + fx * speed[1])) for t in range(FRAMES)]
    plain = np.stack([np.fft.irfft2(waves * one, s=(SIDE, SIDE)) for one in drift])
    spread = random.uniform(10.0, 50.0) / plain.std()
    texture: Frames = np.clip(random.uniform(60, 190) + spread * plain, 0, 255).astype(np.uint8)
    return texture


def _keep(path: Path, make: Callable[[], Frames]) -> None:
    if not path.exists():
        stream = io.BytesIO()
        np.save(stream, make(), allow_pickle=False)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, stream.getvalue())
