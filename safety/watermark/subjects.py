"""The clips of an audit: which stretches of which files, read into memory, and what can be seen of them without a
model.

Shape legend: T frames, C channels, H height, W width, N sound samples.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from eval.case import Case
from eval.clip import Clip, ClipError, SoundChunk, Window
from eval.hashing import json_sha256
from eval.video import open_clip
from safety.watermark.plan import Form

SMALL = 64
"""Pixels of the shorter side that motion is measured at, so that it does not depend on the size of the clip."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One stretch of a clip. id: what rows call it. cluster: the file (or case) that it shares with others.

    sha256: of the file, with the stretch where there are several. path: empty where the clip is rendered on the spot.
    start: first frame. case: what it answers, where that is known. tags: groups that robustness is compared between.
    """

    id: str
    cluster: str
    sha256: str
    path: str = ""
    start: int = 0
    case: Case | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What a subject looks like. luminance: mean luma 0-255. motion: mean change of luma between two frames, 0-255, at
    64 pixels. detail: standard deviation of luma's Laplacian. decode_seconds: to read the whole file up to its end.
    """

    clip: str
    cluster: str
    sha256: str
    tags: str
    frames: int
    width: int
    height: int
    fps: float
    sound: bool
    luminance: float
    motion: float
    detail: float
    decode_seconds: float
    decoded_frames: int


@dataclass(frozen=True, slots=True)
class Held:
    """A subject in memory, and what reading it took."""

    clip: Clip
    decode_seconds: float
    decoded_frames: int


def stretches(
    path: Path, name: str, form: Form, *, case: Case | None = None, tags: Sequence[str] = (), cluster: str = ""
) -> list[Subject]:
    """Up to `form.windows` stretches of a file, one after another. Raises ClipError for a file that cannot be read."""
    info = open_clip(path).info
    frames = max(1, round(info.duration_s * info.fps))
    count = max(1, min(form.windows, frames // form.frames))
    return [
        Subject(
            id=name if count == 1 else f"{name} #{place + 1}",
            cluster=cluster or name,
            sha256=info.sha256 if place == 0 else json_sha256([info.sha256, place * form.frames]),
            path=str(path.absolute()),
            start=place * form.frames,
            case=case,
            tags=tuple(tags),
        )
        for place in range(count)
    ]


def read_stretch(path: Path, start: int, form: Form) -> Held:
    """The frames from `start` on with the sound that belongs to them, made smaller if the form says so.

    Raises ClipError where the file cannot be read or has no frames there.
    """
    begun = time.perf_counter()
    frames: list[npt.NDArray[np.uint8]] = []
    sound: list[SoundChunk] = []
    seen, fps = 0, open_clip(path).info.fps
    for piece in open_clip(path).stream():
        if isinstance(piece, Window):
            low, high = max(0, start - seen), max(0, start + form.frames - seen)
            frames.append(piece.frames_TCHW[low:high])
            seen += len(piece.frames_TCHW)
        elif isinstance(piece, SoundChunk):
            sound.append(piece)
    seconds = time.perf_counter() - begun
    kept = np.concatenate(frames) if frames else np.empty((0, 3, 1, 1), np.uint8)
    if len(kept) == 0:
        raise ClipError(f"{path.name}: no frames from {start} on; it has {seen}")
    audio_CN, rate_hz = _sound_of(sound, start / fps, len(kept) / fps)
    clip = Clip(np.ascontiguousarray(kept), fps, audio_CN, rate_hz)
    return Held(fitted(clip, form.side), seconds, seen)


def _sound_of(
    chunks: Sequence[SoundChunk], start_s: float, length_s: float
) -> tuple[npt.NDArray[np.float32] | None, int | None]:
    if not chunks:
        return None, None
    rate = chunks[0].rate_hz
    whole_CN = np.concatenate([chunk.audio_CN for chunk in chunks], axis=1)
    offset = round((start_s - chunks[0].start_s) * rate)
    length = round(length_s * rate)
    padded_CN = np.pad(whole_CN, ((0, 0), (max(0, -offset), max(0, offset + length - whole_CN.shape[1]))))
    first = max(0, offset)
    return np.ascontiguousarray(padded_CN[:, first : first + length], np.float32), rate


def fitted(clip: Clip, side: int | None) -> Clip:
    """The clip with its shorter side at most `side` pixels and both sides even; None: as it is."""
    import cv2

    height, width = clip.frames_TCHW.shape[2:]
    if side is None or min(height, width) <= side:
        return clip
    scale = side / min(height, width)
    size = (2 * round(width * scale / 2), 2 * round(height * scale / 2))
    frames = [
        cv2.resize(np.ascontiguousarray(frame_CHW.transpose(1, 2, 0)), size, interpolation=cv2.INTER_AREA)
        for frame_CHW in clip.frames_TCHW
    ]
    return Clip(np.ascontiguousarray(np.stack(frames).transpose(0, 3, 1, 2)), clip.fps, clip.audio_CN, clip.rate_hz)


def facts_of(subject: Subject, held: Held) -> Facts:
    """Measure what groups are made of."""
    import cv2

    clip = held.clip
    luma = [_luma(frame_CHW) for frame_CHW in clip.frames_TCHW]
    height, width = luma[0].shape
    scale = SMALL / min(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = [cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in luma]
    motion = [float(np.abs(after - before).mean()) for before, after in pairwise(small)]
    return Facts(
        clip=subject.id,
        cluster=subject.cluster,
        sha256=subject.sha256,
        tags="; ".join(subject.tags),
        frames=len(luma),
        width=width,
        height=height,
        fps=clip.fps,
        sound=clip.audio_CN is not None,
        luminance=float(np.mean([frame.mean() for frame in luma])),
        motion=float(np.mean(motion)) if motion else 0.0,
        detail=float(np.mean([cv2.Laplacian(frame, cv2.CV_32F).std() for frame in luma])),
        decode_seconds=held.decode_seconds,
        decoded_frames=held.decoded_frames,
    )


def _luma(frame_CHW: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    return np.tensordot(weights, frame_CHW.astype(np.float32), 1)
