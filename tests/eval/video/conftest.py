"""Files built on the spot with plain PyAV, so that the reader is tested against another writer than our own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

from eval.clip import Clip, ClipInfo, ClipSource, SoundChunk, StreamFacts, Window


@dataclass(frozen=True)
class Whole:
    """A streamed clip put together again."""

    info: ClipInfo
    frames_TCHW: npt.NDArray[np.uint8]
    times_s: npt.NDArray[np.float64]
    audio_CN: npt.NDArray[np.float32] | None
    facts: StreamFacts
    windows: list[int]


def read_whole(source: ClipSource) -> Whole:
    items = list(source.stream())
    windows = [item for item in items if isinstance(item, Window)]
    chunks = [item for item in items if isinstance(item, SoundChunk)]
    sent = 0
    for chunk in chunks:
        assert chunk.start_s == pytest.approx(sent / chunk.rate_hz, abs=1e-9), "chunks follow each other from 0"
        sent += chunk.audio_CN.shape[1]
    facts = items[-1]
    assert isinstance(facts, StreamFacts)
    return Whole(
        source.info,
        np.concatenate([window.frames_TCHW for window in windows]),
        np.concatenate([window.times_s for window in windows]),
        np.concatenate([chunk.audio_CN for chunk in chunks], axis=1) if chunks else None,
        facts,
        [len(window.times_s) for window in windows],
    )


def smooth_frames(count: int, width: int, height: int) -> npt.NDArray[np.uint8]:
    """T,H,W,3 moving colour gradients: every frame differs, and 4:2:0 holds them."""
    t, y, x = np.meshgrid(np.arange(count), np.arange(height), np.arange(width), indexing="ij")
    red = 128 + 100 * np.sin(2 * np.pi * (x / max(width, 8) + t / 17))
    green = 128 + 100 * np.sin(2 * np.pi * (y / max(height, 8) + t / 11))
    blue = 60 + 3 * (t % 40) + 0 * x
    return np.stack([red, green, blue], axis=-1).astype(np.uint8)


def encode(
    path: Path,
    *,
    frames_THWC: npt.NDArray[Any] | None = None,
    count: int = 12,
    width: int = 64,
    height: int = 48,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    rate: Fraction | int = 24,
    pts: Sequence[int | None] | None = None,
    time_base: Fraction | None = None,
    form: str | None = None,
    options: dict[str, str] | None = None,
    codec_options: dict[str, str] | None = None,
    prepare: Callable[[Any], None] | None = None,
    sound: str | None = None,
    audio_CN: npt.NDArray[np.float32] | None = None,
    rate_hz: int = 48_000,
) -> Path:
    """Write a file as a stranger would. frames_THWC: uint8 RGB, RGBA or grey (T,H,W)."""
    if frames_THWC is None:
        frames_THWC = smooth_frames(count, width, height)
    height, width = frames_THWC.shape[1:3]
    kind = "gray" if frames_THWC.ndim == 3 else {3: "rgb24", 4: "rgba"}[frames_THWC.shape[3]]
    with av.open(str(path), "w", format=form, options=options or {}) as container:
        video: Any = container.add_stream(codec, rate=rate, options=codec_options or {})
        video.width, video.height, video.pix_fmt = width, height, pixels
        if time_base is not None:
            video.codec_context.time_base = time_base
        if prepare is not None:
            prepare(video)
        audio: Any = None
        if audio_CN is not None:
            layout = "stereo" if audio_CN.shape[0] == 2 else "mono"
            audio = container.add_stream(sound, rate=rate_hz, layout=layout)
        for index, frame_HWC in enumerate(frames_THWC):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame_HWC), kind)
            frame.time_base = time_base or 1 / Fraction(rate)
            frame.pts = index if pts is None else pts[index]
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio_CN is not None:
            for start in range(0, audio_CN.shape[1], 1024):
                part_CN = np.ascontiguousarray(audio_CN[:, start : start + 1024])
                heard = av.AudioFrame.from_ndarray(part_CN, "fltp", layout)
                heard.sample_rate, heard.pts, heard.time_base = rate_hz, start, Fraction(1, rate_hz)
                container.mux(audio.encode(heard))
            container.mux(audio.encode(None))
    return path


def clicks(duration_s: float, rate_hz: int, at_s: Sequence[float], channels: int = 2) -> npt.NDArray[np.float32]:
    """Bursts of half a millisecond: wide enough to survive lossy codecs, short enough to place."""
    audio_CN = np.zeros((channels, round(duration_s * rate_hz)), np.float32)
    for time_s in at_s:
        start = round(time_s * rate_hz)
        audio_CN[:, start : start + rate_hz // 2000] = 0.8
    return audio_CN


def moving_clip(
    count: int = 24,
    width: int = 64,
    height: int = 48,
    fps: float = 8.0,
    rate_hz: int | None = 16_000,
    channels: int = 1,
) -> Clip:
    frames_TCHW = smooth_frames(count, width, height).transpose(0, 3, 1, 2)
    if rate_hz is None:
        return Clip(frames_TCHW, fps)
    time_s = np.arange(round(rate_hz * count / fps)) / rate_hz
    tone = (0.3 * np.sin(2 * np.pi * 440 * time_s)).astype(np.float32)
    return Clip(frames_TCHW, fps, np.stack([tone * (1 - 0.5 * channel) for channel in range(channels)]), rate_hz)


@pytest.fixture(scope="session")
def build() -> SimpleNamespace:
    """What the tests of clips share."""
    return SimpleNamespace(encode=encode, read=read_whole, frames=smooth_frames, clicks=clicks, clip=moving_clip)
