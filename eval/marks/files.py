"""Clips as marks take them: whole, in memory.

Shape legend: T frames, C channels, N samples.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from eval.clip import AudioCN, Clip, ClipError, FramesTCHW, SoundChunk, Window
from eval.video import open_clip

LARGEST_BYTES = 4 << 30
"""Decoded frames beyond this are refused: marks are written and read in memory."""


def read_whole(path: Path) -> Clip:
    """A clip with all its frames and its sound. Raises ClipError where it cannot be read, or is too large to hold."""
    source = open_clip(path)
    windows: list[FramesTCHW] = []
    chunks: list[SoundChunk] = []
    held = 0
    for piece in source.stream():
        if isinstance(piece, Window):
            windows.append(piece.frames_TCHW)
            held += piece.frames_TCHW.nbytes
        elif isinstance(piece, SoundChunk):
            chunks.append(piece)
        if held > LARGEST_BYTES:
            raise ClipError(f"{path.name}: more than {LARGEST_BYTES >> 30} GiB of frames: cut it into parts first")
    if not windows:
        raise ClipError(f"{path.name}: no frames")
    return Clip(np.concatenate(windows), source.info.fps, *_sound(chunks))


def _sound(chunks: list[SoundChunk]) -> tuple[AudioCN | None, int | None]:
    """The chunks as one sound that begins with the picture: what is missing is silence, what is early is cut."""
    if not chunks:
        return None, None
    rate_hz = chunks[0].rate_hz
    sound_CN = np.concatenate([chunk.audio_CN for chunk in chunks], axis=1)
    late = round(chunks[0].start_s * rate_hz)
    if late < 0:
        return np.ascontiguousarray(sound_CN[:, -late:]), rate_hz
    return np.pad(sound_CN, ((0, 0), (late, 0))), rate_hz
