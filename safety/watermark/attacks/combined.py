"""Several attacks at once, as people do without a thought: posted and cropped, filmed from a screen.

Shape legend: T frames, C channels, H height, W width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from eval.clip import Clip, FramesTCHW
from safety.watermark.attacks.codec import through
from safety.watermark.attacks.declare import PICTURE, ChangePictures, clip_attack, picture_attack
from safety.watermark.attacks.photometric import blur, brightness, contrast, gamma, jpeg, noise, saturation
from safety.watermark.attacks.spatial import crop, crop_resize, erase, perspective, rotate
from safety.watermark.attacks.temporal import change_fps

LEVELS = (0.25, 0.5, 0.75, 1.0)
"""Shares of the way from nothing to each part's strongest, as WAVES combines them."""

Part = tuple[ChangePictures, float, float]
"""A change, the strength that does nothing, and the strongest."""


@clip_attack(
    "h264-crop-brightness",
    "combined",
    unit="CRF",
    ladder=(23, 30, 40, 50),
    random=True,
    streams=PICTURE,
    summary="H.264, then a crop to .71 of the edges, then half the brightness",
    source="Video Seal, OmniSeal",
)
def h264_crop_brightness(clip: Clip, strength: float, rng: np.random.Generator) -> Clip:
    frames_TCHW = through(clip.frames_TCHW, clip.fps, "h264", strength)
    return replace(clip, frames_TCHW=brightness(crop(frames_TCHW, 0.71, rng), 0.5))


def _graded(frames_TCHW: FramesTCHW, parts: Sequence[Part], level: float, rng: np.random.Generator) -> FramesTCHW:
    for change, nothing, most in parts:
        frames_TCHW = change(frames_TCHW, nothing + level * (most - nothing), rng)
    return frames_TCHW


def _brighter(frames_TCHW: FramesTCHW, strength: float, rng: np.random.Generator) -> FramesTCHW:  # noqa: ARG001
    return brightness(frames_TCHW, strength)


def _starker(frames_TCHW: FramesTCHW, strength: float, rng: np.random.Generator) -> FramesTCHW:  # noqa: ARG001
    return contrast(frames_TCHW, strength)


def _blurred(frames_TCHW: FramesTCHW, strength: float, rng: np.random.Generator) -> FramesTCHW:
    return blur(frames_TCHW, 2 * round(strength / 2) + 1, rng)


GEOMETRIC: tuple[Part, ...] = ((rotate, 0, 20), (crop_resize, 1, 0.71), (erase, 0, 0.25))
PHOTOMETRIC: tuple[Part, ...] = ((_brighter, 1, 1.5), (_starker, 1, 1.5))
DEGRADING: tuple[Part, ...] = ((_blurred, 0, 8), (noise, 0, 0.05), (jpeg, 100, 25))


@picture_attack(
    "waves-geometric",
    "combined",
    unit="level",
    ladder=LEVELS,
    identity=0,
    random=True,
    summary="turned (to 20°), cropped and resized (to .71) and erased (to .25) together",
    source="WAVES (geometric)",
)
def geometric(frames_TCHW: FramesTCHW, strength: float, rng: np.random.Generator) -> FramesTCHW:
    return _graded(frames_TCHW, GEOMETRIC, strength, rng)


@picture_attack(
    "waves-photometric",
    "combined",
    unit="level",
    ladder=LEVELS,
    identity=0,
    summary="brightness and contrast together (to 1.5)",
    source="WAVES (photometric)",
)
def photometric(frames_TCHW: FramesTCHW, strength: float, rng: np.random.Generator) -> FramesTCHW:
    return _graded(frames_TCHW, PHOTOMETRIC, strength, rng)


@picture_attack(
    "waves-degradation",
    "combined",
    unit="level",
    ladder=LEVELS,
    random=True,
    summary="blur (to a kernel of 9), noise (to .05) and JPEG (to 25) together",
    source="WAVES (degradation)",
)
def degradation(frames_TCHW: FramesTCHW, strength: float, rng: np.random.Generator) -> FramesTCHW:
    return _graded(frames_TCHW, DEGRADING, strength, rng)


@picture_attack(
    "waves-all",
    "combined",
    unit="level",
    ladder=LEVELS,
    random=True,
    summary="geometric, photometric and degradation, one after another",
    source="WAVES (all)",
)
def everything(frames_TCHW: FramesTCHW, strength: float, rng: np.random.Generator) -> FramesTCHW:
    return _graded(frames_TCHW, (*GEOMETRIC, *PHOTOMETRIC, *DEGRADING), strength, rng)


@clip_attack(
    "camera",
    "combined",
    unit="level",
    ladder=LEVELS,
    random=True,
    streams=PICTURE,
    summary="filmed from a screen: slanted (to .2), pale and dark, soft, noisy, fewer frames (to .8), H.264",
    source="ours",
)
def camera(clip: Clip, strength: float, rng: np.random.Generator) -> Clip:
    frames_TCHW = perspective(clip.frames_TCHW, 0.2 * strength, rng)
    frames_TCHW = gamma(saturation(frames_TCHW, 1 - 0.4 * strength), 1 + 0.4 * strength)
    frames_TCHW = noise(_blurred(frames_TCHW, 4 * strength, rng), 0.03 * strength, rng)
    filmed = change_fps(replace(clip, frames_TCHW=frames_TCHW), 1 - 0.2 * strength, rng)
    return replace(filmed, frames_TCHW=through(filmed.frames_TCHW, filmed.fps, "h264", 20 + 10 * strength))
