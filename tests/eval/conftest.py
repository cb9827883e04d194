"""Small clips with known properties, for every test of the evaluators.

Shape legend: T frames, C channels, H height, W width, N sound samples.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from eval.clip import AudioCN, Clip, MemorySource
from eval.metric import METRICS
from eval.planner import Score, score_clip

PictureHWC = npt.NDArray[np.uint8]


class Made:
    """Constructors of clips. All are deterministic; sizes in pixels, times in seconds."""

    RATE_HZ = 16_000

    @staticmethod
    @functools.cache
    def texture(height: int, width: int, seed: int = 0, grain: float = 1 / 24) -> PictureHWC:
        """A coloured random texture with soft blobs of `grain` short sides and some hard-edged boxes."""
        rng = np.random.default_rng(seed)
        short = min(height, width)
        blobs = cv2.GaussianBlur(rng.normal(size=(height, width, 3)).astype(np.float32), (0, 0), short * grain)
        blobs = 128 + 40 * blobs / blobs.std()
        for _ in range(12):
            x, y = rng.integers(0, width), rng.integers(0, height)
            w, h = rng.integers(short // 16 + 1, short // 4 + 2, 2)
            blobs[y : y + h, x : x + w] = rng.integers(30, 226, 3)
        return np.clip(blobs, 0, 255).astype(np.uint8)

    @staticmethod
    def clip(frames_THWC: Iterable[PictureHWC], fps: float = 8, audio_CN: AudioCN | None = None) -> Clip:
        stacked = np.stack([np.asarray(frame) for frame in frames_THWC]).transpose(0, 3, 1, 2)
        return Clip(stacked, fps, audio_CN, None if audio_CN is None else Made.RATE_HZ)

    @staticmethod
    @functools.cache
    def still(colour: int | tuple[int, int, int] = 128, size: int = 64, frames: int = 16, fps: float = 8) -> Clip:
        """One flat colour."""
        return Made.clip([np.full((size, size, 3), colour, np.uint8)] * frames, fps)

    @staticmethod
    @functools.cache
    def pan(
        speed: float = 0.25, size: int = 64, fps: float = 8, seconds: float = 2.0, seed: int = 0, width: int = 0
    ) -> Clip:
        """A texture sliding sideways by `speed` short sides per second. Other fps and sizes show the same scene."""
        master = Made.texture(512, 1536, seed)
        scale = 512 / size
        frames = []
        for frame in range(round(seconds * fps)):
            offset = 128 + speed * 512 * frame / fps
            shift = np.array([[1, 0, -offset], [0, 1, 0]], np.float32)
            view = cv2.warpAffine(master, shift, (round((width or size) * scale), 512), flags=cv2.INTER_LINEAR)
            frames.append(cv2.resize(view, (width or size, size), interpolation=cv2.INTER_AREA))
        return Made.clip(frames, fps)

    @staticmethod
    @functools.cache
    def noise(size: int = 64, frames: int = 16, fps: float = 8, seed: int = 0) -> Clip:
        """Uniform noise, new in every frame."""
        rng = np.random.default_rng(seed)
        return Made.clip(rng.integers(0, 256, (frames, size, size, 3), np.uint8), fps)

    @staticmethod
    @functools.cache
    def bounce(
        impacts_s: tuple[float, ...] = (0.5, 1.25, 1.75, 2.75, 3.25),
        sounds_s: tuple[float, ...] | None = None,
        seconds: float = 4.0,
        fps: float = 24,
        size: int = 64,
    ) -> Clip:
        """A ball that hits the floor at `impacts_s`; a thud at each of `sounds_s` (the impacts where not given)."""
        background = Made.texture(size, size, 7) // 2 + 40
        knots_s = [0.0, *impacts_s, seconds]
        frames = []
        for frame in range(round(seconds * fps)):
            time_s = frame / fps
            part = int(np.searchsorted(knots_s, time_s, side="right")) - 1
            begin, end = knots_s[part], knots_s[min(part + 1, len(knots_s) - 1)]
            share = (time_s - begin) / max(end - begin, 1e-9)
            height = (end - begin) * 2.4 * share * (1 - share)
            picture = background.copy()
            centre = (round(size * 16 * 0.5), round(size * 16 * (0.8 - height)))
            cv2.circle(picture, centre, round(size * 16 * 0.13), (250, 220, 40), -1, cv2.LINE_AA, 4)
            cv2.circle(picture, centre, round(size * 16 * 0.05), (160, 20, 40), -1, cv2.LINE_AA, 4)
            frames.append(picture)
        return Made.clip(frames, fps, Made.thuds(impacts_s if sounds_s is None else sounds_s, seconds))

    @staticmethod
    def thuds(at_s: Iterable[float], seconds: float, rate_hz: int = RATE_HZ) -> AudioCN:
        """Short decaying bursts of noise at the given times, over faint hiss."""
        rng = np.random.default_rng(3)
        sound_N = 0.0005 * rng.normal(size=round(seconds * rate_hz))
        length = round(0.15 * rate_hz)
        burst = 0.4 * rng.normal(size=length) * np.exp(-np.arange(length) / (0.03 * rate_hz))
        for time_s in at_s:
            start = round(time_s * rate_hz)
            piece = burst[: max(0, sound_N.size - start)]
            sound_N[start : start + piece.size] += piece
        return np.clip(sound_N, -1, 1).astype(np.float32)[None]

    @staticmethod
    def sine(hz: float = 1000, amplitude: float = 0.5, seconds: float = 2.0, rate_hz: int = RATE_HZ) -> AudioCN:
        """One channel of a sine, cut off at full scale."""
        time_N = np.arange(round(seconds * rate_hz)) / rate_hz
        return np.clip(amplitude * np.sin(2 * np.pi * hz * time_N), -1, 1).astype(np.float32)[None]

    @staticmethod
    def with_sound(audio_CN: AudioCN, rate_hz: int = RATE_HZ) -> Clip:
        """The sound over a short flat picture."""
        return Clip(Made.still(frames=2).frames_TCHW, 8, audio_CN, rate_hz)


@pytest.fixture
def made() -> type[Made]:
    return Made


@pytest.fixture
def score() -> Callable[..., Score]:
    """score(name, clip, window=…, case=…): one metric's Score of one clip."""

    def run(name: str, clip: Clip, *, window: int | None = None, case: object = None) -> Score:
        (only,) = score_clip(MemorySource(clip, window=window), [METRICS.get(name)], case=case).scores  # type: ignore[arg-type]
        return only

    return run
