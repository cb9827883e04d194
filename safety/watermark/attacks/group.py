"""Attacks that need more than the clip: others that carry the same mark, the marker itself, or its detector.

The attacker has marked clips, an unmarked one, and two callables: `embed` (with a key and a message of his own) and
`score` (the owner's detector, how surely a clip is marked). He never sees the owner's key or message. The attack that
copies a clip's latent noise onto another needs a generative model and comes as a `LatentCopy` from whoever has one.

Shape legend: T frames, C channels, H height, W width, N sound samples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from eval.clip import AudioCN, Clip, FramesTCHW
from safety.watermark.attacks.attack import AttackError, Stream

Embed = Callable[[Clip], Clip]
Score = Callable[[Clip], float]
Goal = Literal["remove", "forge"]
Floats = npt.NDArray[np.float32]

RESIDUAL_SIGMA_PX = 2.0
"""What a Gaussian of this width leaves over is taken for the mark: between the carriers of picture marks, which sit in
8×8 blocks, and the scene."""
RESIDUAL_SIGMA_SAMPLES = 2.0
LARGEST_SHARE, SMALLEST_PX = 0.3, 4
"""Sides of the squares that a search by queries changes: from this share of the picture down to this many pixels."""


class LatentCopy(Protocol):
    """Forgery through the generator: an unmarked target that inverts to the noise of a marked clip.

    Source: Müller et al., "Black-box forgery attacks on semantic watermarks for diffusion models", CVPR 2025.
    """

    def __call__(self, marked: Clip, target: Clip, rng: np.random.Generator) -> Clip: ...


def collude(copies: Sequence[Clip]) -> Clip:
    """The mean of copies of one clip that carry different messages: what a group of its buyers can make.

    Raises AttackError for fewer than two copies, or copies of different sizes.
    """
    if len(copies) < 2:
        raise AttackError(f"collusion: needs at least two copies of a clip; got {len(copies)}")
    first = copies[0]
    if any(copy.frames_TCHW.shape != first.frames_TCHW.shape or _samples(copy) != _samples(first) for copy in copies):
        raise AttackError("collusion: the copies differ in size or length; give copies of one clip")
    total_TCHW = np.zeros(first.frames_TCHW.shape, np.float32)
    for copy in copies:
        total_TCHW += copy.frames_TCHW
    mean = replace(first, frames_TCHW=_as_uint8(total_TCHW / np.float32(len(copies))))
    if first.audio_CN is None:
        return mean
    return replace(mean, audio_CN=np.mean([_sound(copy) for copy in copies], axis=0).astype(np.float32))


def subtract_average(marked: Clip, others: Sequence[Clip], *, stream: Stream = "picture", gain: float = 1.0) -> Clip:
    """Removal: what many marked clips have in common beyond their scenes, taken off one of them.

    Works against marks that add the same pattern to every clip (one key, one message). The estimate is the mean
    residual of all frames of `others`; of other sizes they are scaled. gain: how many times it is taken off.
    Source: Yang et al., "Steganalysis on digital watermarking: is your defense truly impervious?", 2024.
    """
    return _with_added(marked, _common(others, marked, stream), stream, -gain)


def add_average(target: Clip, others: Sequence[Clip], *, stream: Stream = "picture", gain: float = 1.0) -> Clip:
    """Forgery: what many marked clips have in common beyond their scenes, put onto an unmarked one. See above."""
    return _with_added(target, _common(others, target, stream), stream, gain)


def copy_residual(marked: Clip, target: Clip, *, stream: Stream = "picture", gain: float = 1.0) -> Clip:
    """Forgery from a single sample: the residual of one marked clip put onto an unmarked one, frame by frame.

    The residual is what a low-pass leaves over, since the attacker has no unmarked original; it repeats in a longer
    target, and is scaled to one of another size. gain: how many times it is added.
    Source: Kutter, Voloshynovskiy, Herrigel, "The watermark copy attack", 2000.
    """
    if stream == "sound":
        return _with_added(target, _sound_residual(_sound(marked), _channels(target)), stream, gain)
    residual_TCHW = _residual(marked.frames_TCHW)
    times = np.arange(len(target.frames_TCHW)) % len(residual_TCHW)
    return _with_added(target, _scaled(residual_TCHW, target)[times], stream, gain)


def overwrite(marked: Clip, embed: Embed, times: int = 1) -> Clip:
    """Removal by the mark itself: another message under another key, embedded on top, `times` times."""
    for _ in range(times):
        marked = embed(marked)
    return marked


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search by queries found. before, after: the detector's score of the clip as given and as returned."""

    clip: Clip
    queries: int
    before: float
    after: float


def search_by_queries(
    clip: Clip, score: Score, rng: np.random.Generator, *, goal: Goal, budget: int, most: float = 8.0
) -> Searched:
    """Random search with the owner's detector: squares that make the score fall (remove) or rise (forge) are kept.

    The change is the same in every frame, within ±`most` grey levels of the clip. budget: calls of the detector,
    the one for the clip as given among them; never exceeded. Squares shrink as the budget is used up.
    Source: Andriushchenko et al., "Square attack", ECCV 2020 (L∞, vertical stripes first), on the score alone.
    Raises AttackError for a budget below two.
    """
    if budget < 2:
        raise AttackError(f"query search: a budget of {budget} leaves no query for a change; give at least 2")
    wanted = 1.0 if goal == "forge" else -1.0
    height, width = clip.frames_TCHW.shape[2:]
    before = score(clip)
    change_CHW = np.zeros((3, height, width), np.float32)
    best, best_score = clip, before
    for query in range(1, budget):
        if query == 1:
            proposal_CHW = np.repeat(rng.choice([-most, most], (3, 1, width)), height, axis=1).astype(np.float32)
        else:
            proposal_CHW = _with_square(change_CHW, _side(query / budget, min(height, width)), most, rng)
        tried = replace(clip, frames_TCHW=_as_uint8(clip.frames_TCHW + proposal_CHW))
        found = score(tried)
        if wanted * found > wanted * best_score:
            best, best_score, change_CHW = tried, found, proposal_CHW
    return Searched(best, budget, before, best_score)


def _side(used: float, shorter: int) -> int:
    """Pixels of a square's side when this share of the budget is used."""
    return max(min(SMALLEST_PX, shorter), round(shorter * LARGEST_SHARE * (1 - used) ** 2))


def _with_square(change_CHW: Floats, side: int, most: float, rng: np.random.Generator) -> Floats:
    top = int(rng.integers(0, change_CHW.shape[1] - side + 1))
    left = int(rng.integers(0, change_CHW.shape[2] - side + 1))
    changed_CHW = change_CHW.copy()
    changed_CHW[:, top : top + side, left : left + side] = rng.choice([-most, most], (3, 1, 1))
    return changed_CHW


def _common(others: Sequence[Clip], target: Clip, stream: Stream) -> Floats:
    """The mean residual of all frames of several clips (of all seconds alike, for sound), in the target's size."""
    if not others:
        raise AttackError("averaging: no other marked clips; give at least one")
    if stream == "sound":
        rows = [_sound_residual(_sound(clip), _channels(target)) for clip in others]
        length = min(row.shape[1] for row in rows)
        return np.asarray(np.mean([row[:, :length] for row in rows], axis=0), np.float32)
    means = [_scaled(_residual(clip.frames_TCHW).mean(axis=0, keepdims=True), target)[0] for clip in others]
    return np.asarray(np.mean(means, axis=0), np.float32)


def _residual(frames_TCHW: FramesTCHW) -> Floats:
    """What a spatial low-pass leaves over of each frame."""
    residual_TCHW = np.empty(frames_TCHW.shape, np.float32)
    for time, frame_CHW in enumerate(frames_TCHW):
        frame_HWC = np.ascontiguousarray(frame_CHW.transpose(1, 2, 0), np.float32)
        smooth_HWC = cv2.GaussianBlur(frame_HWC, (0, 0), RESIDUAL_SIGMA_PX)
        residual_TCHW[time] = (frame_HWC - smooth_HWC).transpose(2, 0, 1)
    return residual_TCHW


def _scaled(residual_TCHW: Floats, target: Clip) -> Floats:
    height, width = target.frames_TCHW.shape[2:]
    if residual_TCHW.shape[2:] == (height, width):
        return residual_TCHW
    pictures = [cv2.resize(np.ascontiguousarray(r.transpose(1, 2, 0)), (width, height)) for r in residual_TCHW]
    return np.asarray(np.stack(pictures).transpose(0, 3, 1, 2), np.float32)


def _sound_residual(audio_CN: AudioCN, channels: int) -> Floats:
    """What a low-pass leaves over, in as many channels as the target has: its own, or their mean."""
    residual_CN = audio_CN - ndimage.gaussian_filter1d(audio_CN, RESIDUAL_SIGMA_SAMPLES, axis=1)
    if len(residual_CN) != channels:
        residual_CN = np.repeat(residual_CN.mean(axis=0, keepdims=True), channels, axis=0)
    return np.asarray(residual_CN, np.float32)


def _with_added(clip: Clip, change: Floats, stream: Stream, gain: float) -> Clip:
    if stream == "picture":
        return replace(clip, frames_TCHW=_as_uint8(clip.frames_TCHW + np.float32(gain) * change))
    audio_CN = _sound(clip)
    tiled_CN = np.tile(change, (1, -(-audio_CN.shape[1] // change.shape[1])))[:, : audio_CN.shape[1]]
    return replace(clip, audio_CN=np.clip(audio_CN + np.float32(gain) * tiled_CN, -1, 1).astype(np.float32))


def _as_uint8(frames: npt.NDArray[Any]) -> FramesTCHW:
    return np.asarray(np.clip(np.rint(frames), 0, 255), np.uint8)


def _sound(clip: Clip) -> AudioCN:
    if clip.audio_CN is None or not clip.audio_CN.size:
        raise AttackError("an attack on sound: the clip has no sound; give clips with sound")
    return clip.audio_CN


def _channels(clip: Clip) -> int:
    return int(_sound(clip).shape[0])


def _samples(clip: Clip) -> tuple[int, ...] | None:
    return None if clip.audio_CN is None else clip.audio_CN.shape
