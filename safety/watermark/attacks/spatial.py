"""Attacks on where things are in the picture. All frames of a clip are changed alike.

Shape legend: T frames, C channels, H height, W width.
"""

from __future__ import annotations

import cv2
import numpy as np

from eval.clip import FramesTCHW
from safety.watermark.attacks.attack import AttackError
from safety.watermark.attacks.declare import each_picture, picture_attack

LEAST_PX = 8
"""Nobody shows smaller pictures."""

RATIOS = (0.9, 0.71, 0.55, 0.35)
"""Ratios of edges, not areas: 0.71 keeps half the area. 0.71 and 0.55 are Video Seal's and OmniSeal's."""


@picture_attack(
    "hflip", "spatial", unit="flips", ladder=(1,), identity=0, summary="mirrored left to right", source="Video Seal"
)
def hflip(frames_TCHW: FramesTCHW, strength: float, rng: np.random.Generator) -> FramesTCHW:  # noqa: ARG001
    return frames_TCHW[..., ::-1] if round(strength) % 2 else frames_TCHW


@picture_attack(
    "rotate",
    "spatial",
    unit="degrees",
    ladder=(1, 3, 10, 20, 45, 90),
    identity=0,
    random=True,
    summary="turned about the centre to either side, black corners; quarter turns are exact and turn the shape too",
    source="Video Seal (10, 90); WAVES (to 45)",
)
def rotate(frames_TCHW: FramesTCHW, strength: float, rng: np.random.Generator) -> FramesTCHW:
    angle = float(strength) * rng.choice([-1, 1])
    if angle % 90 == 0:
        return np.rot90(frames_TCHW, round(angle / 90), axes=(2, 3))
    height, width = frames_TCHW.shape[2:]
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1.0)
    return each_picture(frames_TCHW, lambda picture: cv2.warpAffine(picture, turn, (width, height)))


@picture_attack(
    "resize",
    "spatial",
    unit="× edge",
    ladder=(0.9, 0.71, 0.55, 0.5, 0.35, 0.25),
    identity=1,
    summary="made smaller (area means) and brought back to its size (bicubic)",
    source="Video Seal (.71, .55), brought back as a player does",
)
def resize(frames_TCHW: FramesTCHW, strength: float, rng: np.random.Generator) -> FramesTCHW:
    return _resized(downscale(frames_TCHW, strength, rng), *frames_TCHW.shape[2:])


@picture_attack(
    "downscale",
    "spatial",
    unit="× edge",
    ladder=(0.9, 0.71, 0.55, 0.5, 0.35, 0.25),
    identity=1,
    summary="made smaller (area means) and left so",
    source="Video Seal (.71, .55)",
)
def downscale(frames_TCHW: FramesTCHW, strength: float, rng: np.random.Generator) -> FramesTCHW:  # noqa: ARG001
    return _resized(frames_TCHW, *_shrunk("downscale", frames_TCHW, strength))


@picture_attack(
    "crop",
    "spatial",
    unit="× edge",
    ladder=RATIOS,
    identity=1,
    random=True,
    summary="a window anywhere in the picture, the same in all frames, left in its size",
    source="Video Seal (.71, .55), placed by the shared seed",
)
def crop(frames_TCHW: FramesTCHW, strength: float, rng: np.random.Generator) -> FramesTCHW:
    height, width = _shrunk("crop", frames_TCHW, strength)
    top = int(rng.integers(0, frames_TCHW.shape[2] - height + 1))
    left = int(rng.integers(0, frames_TCHW.shape[3] - width + 1))
    return frames_TCHW[:, :, top : top + height, left : left + width]


@picture_attack(
    "crop-resize",
    "spatial",
    unit="× edge",
    ladder=RATIOS,
    identity=1,
    random=True,
    summary="a window anywhere in the picture, enlarged to the picture's size (bicubic)",
    source="WAVES (resized crop)",
)
def crop_resize(frames_TCHW: FramesTCHW, strength: float, rng: np.random.Generator) -> FramesTCHW:
    return _resized(crop(frames_TCHW, strength, rng), *frames_TCHW.shape[2:])


@picture_attack(
    "perspective",
    "spatial",
    unit="distortion",
    ladder=(0.05, 0.1, 0.25, 0.5),
    identity=0,
    random=True,
    summary="each corner moved inwards by up to this share of half an edge, black outside",
    source="Video Seal (.5), torchvision's RandomPerspective",
)
def perspective(frames_TCHW: FramesTCHW, strength: float, rng: np.random.Generator) -> FramesTCHW:
    height, width = frames_TCHW.shape[2:]
    edges = np.array([width - 1, height - 1], np.float64)
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64)
    inwards = rng.random((4, 2)) * strength / 2 * np.where(corners > 0, -1, 1)
    seen, moved = (corners * edges).astype(np.float32), ((corners + inwards) * edges).astype(np.float32)
    warp = cv2.getPerspectiveTransform(seen, moved)
    return each_picture(frames_TCHW, lambda picture: cv2.warpPerspective(picture, warp, (width, height)))


@picture_attack(
    "translate",
    "spatial",
    unit="× edge",
    ladder=(0.01, 0.05, 0.1, 0.25),
    identity=0,
    random=True,
    summary="moved by this share of both edges towards a corner, black where nothing is left",
    source="ours",
)
def translate(frames_TCHW: FramesTCHW, strength: float, rng: np.random.Generator) -> FramesTCHW:
    height, width = frames_TCHW.shape[2:]
    signs = rng.choice([-1, 1], 2)
    down, right = (int(sign) * round(strength * edge) for sign, edge in zip(signs, (height, width), strict=True))
    moved_TCHW = np.zeros_like(frames_TCHW)
    to_rows, from_rows = _overlap(down, height)
    to_columns, from_columns = _overlap(right, width)
    moved_TCHW[:, :, to_rows, to_columns] = frames_TCHW[:, :, from_rows, from_columns]
    return moved_TCHW


@picture_attack(
    "erase",
    "spatial",
    unit="of area",
    ladder=(0.05, 0.1, 0.25, 0.5),
    identity=0,
    random=True,
    summary="a black rectangle anywhere, between half and twice as wide as high",
    source="WAVES (to .25)",
)
def erase(frames_TCHW: FramesTCHW, strength: float, rng: np.random.Generator) -> FramesTCHW:
    height, width = frames_TCHW.shape[2:]
    shape = 2 ** rng.uniform(-0.5, 0.5)
    high = min(1.0, max(float(strength), np.sqrt(strength) * shape))  # as shares of the edges: high × wide = strength
    wide = strength / high if high else 0.0
    rows, columns = round(high * height), round(wide * width)
    top, left = int(rng.integers(0, height - rows + 1)), int(rng.integers(0, width - columns + 1))
    erased_TCHW = frames_TCHW.copy()
    erased_TCHW[:, :, top : top + rows, left : left + columns] = 0
    return erased_TCHW


def _shrunk(name: str, frames_TCHW: FramesTCHW, ratio: float) -> tuple[int, int]:
    """Height and width at this ratio of edges. Raises AttackError where hardly anything would be left."""
    height, width = frames_TCHW.shape[2:]
    left = round(height * ratio), round(width * ratio)
    if min(left) < min(LEAST_PX, height, width):
        raise AttackError(f"{name}: {width}×{height} at {ratio:g} is under {LEAST_PX} pixels; attack larger clips")
    return left


def _resized(frames_TCHW: FramesTCHW, height: int, width: int) -> FramesTCHW:
    if frames_TCHW.shape[2:] == (height, width):
        return frames_TCHW
    smaller = height < frames_TCHW.shape[2]
    way = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return each_picture(frames_TCHW, lambda picture: cv2.resize(picture, (width, height), interpolation=way))


def _overlap(shift: int, length: int) -> tuple[slice, slice]:
    """Where to and where from when something of this length is moved by `shift`."""
    return slice(max(0, shift), length + min(0, shift)), slice(max(0, -shift), length - max(0, shift))
