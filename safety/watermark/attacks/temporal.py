"""Attacks on when things are shown. Where a clip's time is cut or bent, its sound goes along.

Shape legend: T frames, C channels, H height, W width, N sound samples.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from eval.clip import AudioCN, Clip, FramesTCHW
from eval.video import resample
from safety.watermark.attacks.attack import AttackError
from safety.watermark.attacks.declare import PICTURE, clip_attack, picture_attack

Indices = npt.NDArray[np.intp]


@clip_attack(
    "drop",
    "temporal",
    unit="of frames",
    ladder=(0.1, 0.25, 0.5, 0.75),
    identity=0,
    random=True,
    streams=PICTURE,
    summary="frames left out at random, at least one; the rest is shown slower, so that clip and sound stay as long",
    source="Video Seal (.2, .5; commented out); VideoMarkBench (removal)",
)
def drop(clip: Clip, strength: float, rng: np.random.Generator) -> Clip:
    frames = len(clip.frames_TCHW)
    count = _some("drop", strength, frames)
    kept = np.sort(rng.permutation(frames)[count:])
    return replace(clip, frames_TCHW=clip.frames_TCHW[kept], fps=clip.fps * len(kept) / frames)


@clip_attack(
    "duplicate",
    "temporal",
    unit="of frames",
    ladder=(0.1, 0.25, 0.5, 1.0),
    identity=0,
    random=True,
    streams=PICTURE,
    summary="frames shown twice at random, all of them faster, so that clip and sound stay as long",
    source="ours",
)
def duplicate(clip: Clip, strength: float, rng: np.random.Generator) -> Clip:
    frames = len(clip.frames_TCHW)
    count = max(1, round(strength * frames)) if strength else 0
    shown = np.sort(np.concatenate([np.arange(frames), rng.permutation(frames)[:count]]))
    return replace(clip, frames_TCHW=clip.frames_TCHW[shown], fps=clip.fps * len(shown) / frames)


@picture_attack(
    "swap",
    "temporal",
    unit="of pairs",
    ladder=(0.1, 0.25, 0.5, 1.0),
    identity=0,
    random=True,
    summary="pairs of neighbouring frames exchanged at random, at least one",
    source="MarkDiffusion (.25); VideoMarkBench, whose swap duplicates a frame",
)
def swap(frames_TCHW: FramesTCHW, strength: float, rng: np.random.Generator) -> FramesTCHW:
    pairs = len(frames_TCHW) // 2
    if not pairs:
        raise AttackError("swap: one frame has no neighbour; attack clips of two frames or more")
    count = max(1, round(strength * pairs)) if strength else 0
    first = 2 * rng.permutation(pairs)[:count]
    order = np.arange(len(frames_TCHW))
    order[first], order[first + 1] = first + 1, first
    return frames_TCHW[order]


@clip_attack(
    "reorder",
    "temporal",
    unit="chunks",
    ladder=(2, 4, 8),
    identity=1,
    random=True,
    summary="cut into this many chunks of the same length, which are played in another order, sound with them",
    source="Video Seal (chunk reorder; commented out)",
)
def reorder(clip: Clip, strength: float, rng: np.random.Generator) -> Clip:
    frames, chunks = len(clip.frames_TCHW), round(strength)
    if chunks > frames:
        raise AttackError(f"reorder: {frames} frames do not make {chunks} chunks; attack longer clips")
    edges = np.linspace(0, frames, chunks + 1).round().astype(int)
    order = _another_order(chunks, rng)
    shown = np.concatenate([np.arange(edges[chunk], edges[chunk + 1]) for chunk in order])
    if clip.audio_CN is None:
        return replace(clip, frames_TCHW=clip.frames_TCHW[shown])
    parts = [_sound_of(clip, edges[chunk], edges[chunk + 1]) for chunk in order]
    rest_CN = clip.audio_CN[:, _sample(clip, frames) :]
    audio_CN = np.concatenate([*parts, rest_CN], axis=1)
    return replace(clip, frames_TCHW=clip.frames_TCHW[shown], audio_CN=audio_CN)


@picture_attack(
    "average",
    "temporal",
    unit="frames",
    ladder=(3, 5, 9),
    identity=1,
    summary="every frame the mean of those around it in a window of this many; at the ends, of those there are",
    source="Video Seal (3; commented out); MarkDiffusion (3); VideoMarkBench",
)
def average(frames_TCHW: FramesTCHW, strength: float, rng: np.random.Generator) -> FramesTCHW:  # noqa: ARG001
    reach = round(strength) // 2
    means_TCHW = np.empty_like(frames_TCHW)
    for time in range(len(frames_TCHW)):
        window_TCHW = frames_TCHW[max(0, time - reach) : time + reach + 1]
        means_TCHW[time] = np.rint(window_TCHW.mean(axis=0, dtype=np.float32))
    return means_TCHW


@clip_attack(
    "speed-up",
    "temporal",
    unit="× speed",
    ladder=(1.1, 1.25, 1.5, 2.0),
    identity=1,
    summary="played faster at the same frame rate, first and last frame kept; sound as fast, and higher",
    source="Video Seal (2; commented out, and slows down)",
)
def speed_up(clip: Clip, strength: float, rng: np.random.Generator) -> Clip:  # noqa: ARG001
    return at_speed(clip, strength)


@clip_attack(
    "slow-down",
    "temporal",
    unit="× speed",
    ladder=(0.9, 0.8, 0.67, 0.5),
    identity=1,
    summary="played slower at the same frame rate, frames repeated; sound as slow, and lower",
    source="Video Seal (.5; commented out)",
)
def slow_down(clip: Clip, strength: float, rng: np.random.Generator) -> Clip:  # noqa: ARG001
    return at_speed(clip, strength)


@clip_attack(
    "fps",
    "temporal",
    unit="× frame rate",
    ladder=(0.8, 0.5, 0.33, 0.25),
    identity=1,
    streams=PICTURE,
    summary="another frame rate: at each new time the frame that was on show; clip and sound stay as long",
    source="ours",
)
def change_fps(clip: Clip, strength: float, rng: np.random.Generator) -> Clip:  # noqa: ARG001
    frames = len(clip.frames_TCHW)
    count = max(1, round(frames * strength))
    shown = np.minimum((np.arange(count) * frames) // count, frames - 1)
    return replace(clip, frames_TCHW=clip.frames_TCHW[shown], fps=clip.fps * count / frames)


@clip_attack(
    "trim",
    "temporal",
    unit="of length",
    ladder=(0.9, 0.75, 0.5, 0.25),
    identity=1,
    random=True,
    summary="a stretch anywhere in the clip, with its sound",
    source="ours",
)
def trim(clip: Clip, strength: float, rng: np.random.Generator) -> Clip:
    frames = len(clip.frames_TCHW)
    count = max(1, round(frames * strength))
    start = int(rng.integers(0, frames - count + 1))
    kept_TCHW = clip.frames_TCHW[start : start + count]
    if clip.audio_CN is None:
        return replace(clip, frames_TCHW=kept_TCHW)
    if count == frames:
        return replace(clip, frames_TCHW=kept_TCHW, audio_CN=clip.audio_CN)
    return replace(clip, frames_TCHW=kept_TCHW, audio_CN=_sound_of(clip, start, start + count))


@clip_attack(
    "reverse", "temporal", unit="flips", ladder=(1,), identity=0, summary="played backwards, with sound", source="ours"
)
def reverse(clip: Clip, strength: float, rng: np.random.Generator) -> Clip:  # noqa: ARG001
    if not round(strength) % 2:
        return clip
    audio_CN = None if clip.audio_CN is None else clip.audio_CN[:, ::-1]
    return replace(clip, frames_TCHW=clip.frames_TCHW[::-1], audio_CN=audio_CN)


def at_speed(clip: Clip, speed: float) -> Clip:
    """A clip played `speed` times as fast: 2 halves frames and samples. The first and the last frame stay."""
    frames = len(clip.frames_TCHW)
    shown = np.linspace(0, frames - 1, max(1, round(frames / speed))).round().astype(int)
    audio_CN = None
    if clip.audio_CN is not None and clip.rate_hz is not None:
        audio_CN = sound_at_speed(clip.audio_CN, clip.rate_hz, speed)
    return replace(clip, frames_TCHW=clip.frames_TCHW[shown], audio_CN=audio_CN)


def sound_at_speed(audio_CN: AudioCN, rate_hz: int, speed: float) -> AudioCN:
    """Sound played `speed` times as fast and as high; round(N / speed) samples, C,N float32."""
    samples = round(audio_CN.shape[1] / speed)
    if not samples or speed == 1:
        return audio_CN[:, :samples]
    played_CN = resample(audio_CN, round(rate_hz * speed), rate_hz)[:, :samples]
    return np.pad(played_CN, ((0, 0), (0, samples - played_CN.shape[1])))


def _some(name: str, share: float, frames: int) -> int:
    """How many of the frames: at least one where any are asked for, and never all."""
    if not share:
        return 0
    if frames < 2:
        raise AttackError(f"{name}: a clip of one frame has none to spare; attack clips of two frames or more")
    return min(frames - 1, max(1, round(share * frames)))


def _another_order(chunks: int, rng: np.random.Generator) -> Indices:
    """A random order that is not the one there was, all others alike."""
    order = rng.permutation(chunks)
    while chunks > 1 and np.array_equal(order, np.arange(chunks)):
        order = rng.permutation(chunks)
    return order


def _sample(clip: Clip, frame: int) -> int:
    """The sound sample that sounds when this frame appears."""
    assert clip.rate_hz is not None
    return round(frame / clip.fps * clip.rate_hz)


def _sound_of(clip: Clip, start: int, stop: int) -> AudioCN:
    """What sounds while these frames are shown."""
    assert clip.audio_CN is not None
    return clip.audio_CN[:, _sample(clip, start) : _sample(clip, stop)]
