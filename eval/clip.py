"""The clip: frames, and optionally sound, with the facts a reader needs to trust them.

Shape legend: T frames, C channels, H height, W width, N sound samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from eval.errors import UserError

FramesTCHW = npt.NDArray[np.uint8]
AudioCN = npt.NDArray[np.float32]
TimesT = npt.NDArray[np.float64]

Timestamps = Literal["regular", "variable", "missing", "all-zero", "not increasing"]


class ClipError(UserError):
    """A clip that cannot be read, or breaks a limit. The message is one line: what, where, what to do."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip held in memory.

    frames_TCHW: uint8 RGB 0-255; any strides (a transposed channels-last array is welcome).
    fps: frames per second.
    audio_CN: float32 in [-1, 1], aligned so that sample 0 sounds when frame 0 appears; None: no sound.
    rate_hz: sound samples per second; None exactly when audio_CN is None.
    Raises ValueError for another dtype, rank, channel count or an impossible rate.
    """

    frames_TCHW: FramesTCHW
    fps: float
    audio_CN: AudioCN | None = None
    rate_hz: int | None = None

    def __post_init__(self) -> None:
        frames = self.frames_TCHW
        if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[1] != 3:
            raise ValueError(f"frames must be uint8 T,3,H,W; got {frames.dtype} {frames.shape}")
        if not (np.isfinite(self.fps) and self.fps > 0):
            raise ValueError(f"fps must be positive and finite; got {self.fps}")
        if (self.audio_CN is None) != (self.rate_hz is None):
            raise ValueError("give audio_CN and rate_hz together, or neither")
        if self.audio_CN is not None and (self.audio_CN.dtype != np.float32 or self.audio_CN.ndim != 2):
            raise ValueError(f"audio must be float32 C,N; got {self.audio_CN.dtype} {self.audio_CN.shape}")
        if self.rate_hz is not None and self.rate_hz <= 0:
            raise ValueError(f"rate_hz must be positive; got {self.rate_hz}")

    @property
    def duration_s(self) -> float:
        """Length of the picture in seconds."""
        return float(self.frames_TCHW.shape[0]) / self.fps


@dataclass(frozen=True, slots=True)
class ClipInfo:
    """What is known of a clip before a frame is decoded. Sizes are after rotation, as a viewer sees them."""

    name: str
    sha256: str
    width: int
    height: int
    fps: float
    duration_s: float
    has_audio: bool
    rate_hz: int | None = None
    channels: int | None = None
    container: str = "memory"
    codec: str = "raw"
    notes: tuple[str, ...] = ()
    """Plain sentences about what a reader should know: rotated, has alpha, HDR, variable frame rate, …"""
    sdr: bool = True
    """False for HDR transfers (PQ, HLG): picture metrics are defined on SDR and are skipped."""
    path: Path | None = None
    """The file that it was opened from, for what only the file holds, such as content credentials; None: no file."""


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive frames. times_s are presentation times from the first frame of the clip (0.0)."""

    frames_TCHW: FramesTCHW
    times_s: TimesT


@dataclass(frozen=True, slots=True)
class SoundChunk:
    """Consecutive sound samples at the source's own rate. start_s is measured on the picture's clock."""

    audio_CN: AudioCN
    rate_hz: int
    start_s: float


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What only decoding can tell. Yielded last by ClipSource.stream()."""

    frames: int
    timestamps: Timestamps
    notes: tuple[str, ...] = ()


class ClipSource(Protocol):
    """Anything that can be scored: a file, a folder of pictures, a clip in memory."""

    @property
    def info(self) -> ClipInfo: ...

    def stream(self, *, picture: bool = True, sound: bool = True) -> Iterator[Window | SoundChunk | StreamFacts]:
        """Decode once, front to back, in bounded windows; the last item is the StreamFacts.

        Raises ClipError when the clip breaks off or breaks a limit.
        """
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What a clip from a stranger may cost at most. Exceeding one is a ClipError that names it."""

    max_bytes: int = 4 << 30
    max_width: int = 8192
    max_height: int = 8192
    max_pixels: int = 8192 * 4320
    max_frames: int = 54_000
    max_seconds: float = 1800.0


DEFAULT_LIMITS = Limits()

WINDOW_BYTES = 48 << 20
"""Target size of one window of RGB frames; at least two frames are always delivered together when there are two."""


def window_length(width: int, height: int) -> int:
    """Frames per window so that a window stays near WINDOW_BYTES, between 2 and 64."""
    return max(2, min(64, WINDOW_BYTES // max(1, 3 * width * height)))


class MemorySource:
    """A Clip as a ClipSource. `sha256` is the hash of its contents."""

    def __init__(self, clip: Clip, name: str = "clip", *, window: int | None = None) -> None:
        from eval.hashing import clip_sha256

        self._clip = clip
        frames, _, height, width = clip.frames_TCHW.shape
        if frames == 0:
            raise ClipError(f"{name}: no frames")
        self._window = window or window_length(width, height)
        audio = clip.audio_CN
        self._info = ClipInfo(
            name=name,
            sha256=clip_sha256(clip),
            width=width,
            height=height,
            fps=clip.fps,
            duration_s=clip.duration_s,
            has_audio=audio is not None,
            rate_hz=clip.rate_hz,
            channels=None if audio is None else int(audio.shape[0]),
        )

    @property
    def info(self) -> ClipInfo:
        return self._info

    def stream(self, *, picture: bool = True, sound: bool = True) -> Iterator[Window | SoundChunk | StreamFacts]:
        clip = self._clip
        total = int(clip.frames_TCHW.shape[0])
        if picture:
            for start in range(0, total, self._window):
                stop = min(total, start + self._window)
                yield Window(clip.frames_TCHW[start:stop], np.arange(start, stop) / clip.fps)
        if sound and clip.audio_CN is not None and clip.rate_hz is not None:
            step = clip.rate_hz * 10
            for start in range(0, max(1, clip.audio_CN.shape[1]), step):
                chunk = clip.audio_CN[:, start : start + step]
                yield SoundChunk(chunk, clip.rate_hz, start / clip.rate_hz)
        yield StreamFacts(frames=total, timestamps="regular")


def concatenate(windows: Sequence[Window]) -> Window:
    """Join consecutive windows into one (for clips known to be short)."""
    return Window(np.concatenate([w.frames_TCHW for w in windows]), np.concatenate([w.times_s for w in windows]))
