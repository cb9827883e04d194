"""Training the face detector: canvases with several faces of all sizes, which anchor answers for which, the loss.

Shape legend: B pictures, H height, W width, F faces of a picture, R rows of a level, 2 = (across, down).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from moviegen.networks.faces import ANCHORS, STRIDES, Detector, Found
from moviegen.training.faces_data import FaceFrames
from moviegen.training.faces_part import FacePart, PartTraining
from moviegen.training.faces_scenes import WHOLE, State
from moviegen.training.reader_augment import augmented
from moviegen.training.step_order import StepOrder

Random = np.random.Generator
Floats = npt.NDArray[np.float32]

SIDE, LARGE_SIDE = 128, 256
"""Pixels of a canvas; every LARGE_EVERY-th step has a quarter as many large ones, for faces beyond 128 pixels."""
LARGE_EVERY = 6
MOSAIC = 0.3
"""Share of canvases of four pictures: several people, and small ones."""
ZOOMED, LEAST_ZOOM, MOST_ZOOM = 0.6, 0.55, 1.8
LEAST = 11.0
"""Faces less high than this, in pixels of the canvas, are doubtful."""

_BOUNDS = (0.0, 21.0, 35.0, 54.0, 83.0, 140.0, float("inf"))
"""Between the anchors' sizes: geometric means."""
_OVERLAP = 1.12
"""Faces within this factor of a bound belong to both anchors; within its fourth power they are nothing to the other."""
_CORE, _RIM = 0.22, 0.45
"""Places within this share of a face's size from its middle answer for it; those of the rim need not know."""
_POINTS_WEIGHT, _BOX_WEIGHT = 10.0, 2.0
MIRRORED = [1, 0, 2, 4, 3]
"""The landmarks of a mirrored face."""


class Canvas(NamedTuple):
    """A picture to learn from: uint8 H,W,3, and its faces: boxes F,4, points F,5,2, states F (never State.NONE)."""

    picture_HWC: npt.NDArray[np.uint8]
    boxes_F4: Floats
    points_F52: Floats
    states_F: npt.NDArray[np.int64]


class Answers(NamedTuple):
    """What the rows of one level should say: labels R (1 face, 0 none, -1 either), and of faces sides R,4 and points
    R,10 in strides, and sizes R of the faces in strides.
    """

    labels_R: Floats
    sides_R4: Floats
    points_R10: Floats
    sizes_R: Floats


class Wanted(NamedTuple):
    """The answers of one level for all pictures of a batch."""

    labels_BR: Tensor
    sides_BR4: Tensor
    points_BR10: Tensor
    sizes_BR: Tensor


class Batch(NamedTuple):
    """One step's canvases B,3,H,W as the network takes them, and the answers of each level."""

    pictures_BCHW: Tensor
    wanted: list[Wanted]


@dataclass(frozen=True, slots=True)
class DetectorBatches:
    """batch(step) for any step, in any order."""

    frames: FaceFrames
    order: StepOrder
    seed: int

    def __call__(self, step: int) -> Batch:
        _, rows = self.order(step)
        random = np.random.default_rng((self.seed, step))
        large = step % LARGE_EVERY == LARGE_EVERY - 1
        side = LARGE_SIDE if large else SIDE
        canvases = [canvas(self.frames, row, side, random) for row in rows[: len(rows) // 4 if large else None]]
        each = [answers(one, side) for one in canvases]
        wanted = [
            Wanted(*(torch.from_numpy(np.stack(column)) for column in zip(*level, strict=True)))
            for level in zip(*each, strict=True)
        ]
        return Batch(as_input([one.picture_HWC for one in canvases], 128.0), wanted)


def as_input(pictures: Sequence[npt.NDArray[np.uint8]], std: float) -> Tensor:
    """uint8 RGB H,W,3 each → float B,3,H,W, (x - 127.5) / std, channels last in memory."""
    blob_BHWC = torch.from_numpy(np.stack(pictures)).float().sub_(127.5).div_(std)
    return blob_BHWC.permute(0, 3, 1, 2)


def canvas(frames: FaceFrames, row: int, side: int, random: Random) -> Canvas:
    """A square of `side` pixels with frame `row`, or with it and three others; half of them mirrored."""
    if random.random() < MOSAIC:
        half = side // 2
        others = random.integers(0, len(frames), 3)
        spots = [(row, 0, 0), *zip(others.tolist(), (half, 0, half), (0, half, half), strict=True)]
        parts = [_put(frames, one, half, random) for one, _, _ in spots]
        picture_HWC = np.zeros((side, side, 3), np.uint8)
        for part, (_, x, y) in zip(parts, spots, strict=True):
            picture_HWC[y : y + half, x : x + half] = part.picture_HWC
        moves = [np.array([x, y], np.float32) for _, x, y in spots]
        whole = Canvas(
            picture_HWC,
            np.concatenate([p.boxes_F4 + np.tile(by, 2) for p, by in zip(parts, moves, strict=True)]),
            np.concatenate([p.points_F52 + by for p, by in zip(parts, moves, strict=True)]),
            np.concatenate([p.states_F for p in parts]),
        )
    else:
        whole = _put(frames, row, side, random)
    return mirrored(whole) if random.random() < 0.5 else whole


def mirrored(seen: Canvas) -> Canvas:
    """Left for right; the landmarks keep their order as the viewer sees them."""
    width = seen.picture_HWC.shape[1]
    boxes_F4 = seen.boxes_F4.copy()
    boxes_F4[:, [0, 2]] = width - seen.boxes_F4[:, [2, 0]]
    points_F52 = seen.points_F52[:, MIRRORED].copy()
    points_F52[..., 0] = width - points_F52[..., 0]
    return Canvas(np.ascontiguousarray(seen.picture_HWC[:, ::-1]), boxes_F4, points_F52, seen.states_F)


def _put(frames: FaceFrames, row: int, side: int, random: Random) -> Canvas:
    """One frame, damaged by chance, fitted into a square or zoomed to somewhere in it."""
    zoom = float(np.exp(random.uniform(np.log(LEAST_ZOOM), np.log(MOST_ZOOM)))) if random.random() < ZOOMED else 1.0
    return fitted(frames, row, side, random, zoom)


def fitted(frames: FaceFrames, row: int, side: int, random: Random, zoom: float = 1.0) -> Canvas:
    """One frame, damaged by chance, fitted into a square as insightface does; with a zoom, to somewhere in it."""
    picture_HWC = augmented(frames.picture(row)[None], random)[0]
    height, width = picture_HWC.shape[:2]
    scale = zoom * side / max(width, height)
    room_2 = np.array([side - width * scale, side - height * scale])
    move_2 = np.zeros(2) if zoom == 1.0 else random.random(2) * room_2
    # OpenCV's pixel centres are whole, ours are halves: a shift of (scale - 1) / 2.
    matrix = np.array([[scale, 0, move_2[0] + (scale - 1) / 2], [0, scale, move_2[1] + (scale - 1) / 2]])
    shown_HWC = np.asarray(cv2.warpAffine(picture_HWC, matrix, (side, side), flags=cv2.INTER_LINEAR), np.uint8)
    state = int(frames.states_N[row])
    if state == State.NONE:
        return Canvas(shown_HWC, np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32), np.zeros(0, np.int64))
    box_4 = (frames.boxes_N4[row] * scale + np.tile(move_2, 2)).astype(np.float32)
    points_52 = (frames.points_N52[row] * scale + move_2).astype(np.float32)
    inside_4 = np.clip(box_4, 0, side)
    share = np.prod(inside_4[2:] - inside_4[:2]) / np.prod(box_4[2:] - box_4[:2])
    doubtful = state == State.DOUBTFUL or share < WHOLE or box_4[3] - box_4[1] < LEAST
    kept = 1 if share > 0 else 0
    states_F = np.array([State.DOUBTFUL if doubtful else State.FACE], np.int64)
    return Canvas(shown_HWC, box_4[None][:kept], points_52[None][:kept], states_F[:kept])


def answers(seen: Canvas, side: int) -> list[Answers]:
    """What each level should say of a canvas."""
    found = []
    for level, stride in enumerate(STRIDES):
        count = side // stride
        down, across = np.mgrid[:count, :count]
        places_R2 = np.repeat(np.stack([across, down], axis=-1).reshape(-1, 2) * stride, ANCHORS, axis=0)
        found.append(_level_answers(seen, level, places_R2.astype(np.float32)))
    return found


def _level_answers(seen: Canvas, level: int, places_R2: Floats) -> Answers:
    rows, stride = len(places_R2), STRIDES[level]
    labels_R = np.zeros(rows, np.float32)
    sides_R4, points_R10 = np.ones((rows, 4), np.float32), np.zeros((rows, 10), np.float32)
    sizes_R = np.ones(rows, np.float32)
    anchors_R = np.tile(np.arange(ANCHORS), rows // ANCHORS) + ANCHORS * level
    for box_4, points_52, state in zip(seen.boxes_F4, seen.points_F52, seen.states_F, strict=True):
        size = float(np.sqrt(np.prod(box_4[2:] - box_4[:2])))
        away_R = np.abs(places_R2 - (box_4[:2] + box_4[2:]) / 2).max(axis=1)
        if state == State.DOUBTFUL:
            labels_R[(away_R <= max(0.6 * size, stride)) & (labels_R == 0)] = -1
            continue
        low_R, high_R = np.array(_BOUNDS)[anchors_R], np.array(_BOUNDS)[anchors_R + 1]
        fits_R = (low_R / _OVERLAP <= size) & (size < high_R * _OVERLAP)
        nearly_R = (low_R / _OVERLAP**4 <= size) & (size < high_R * _OVERLAP**4)
        core_R = (away_R <= max(_CORE * size, 0.5 * stride)) & fits_R
        labels_R[(away_R <= max(_RIM * size, stride)) & nearly_R & (labels_R == 0)] = -1
        labels_R[core_R] = 1
        here_K2 = places_R2[core_R]
        sides_R4[core_R] = np.concatenate([here_K2 - box_4[:2], box_4[2:] - here_K2], axis=1) / stride
        points_R10[core_R] = ((points_52[None] - here_K2[:, None]) / stride).reshape(-1, 10)
        sizes_R[core_R] = size / stride
    return Answers(labels_R, sides_R4, points_R10, sizes_R)


class DetectorPart(FacePart):
    """Focal loss for scores, logarithms of sides, landmarks in shares of the face's size."""

    def __init__(self, training: PartTraining) -> None:
        torch.manual_seed(training.seed)
        super().__init__(training, Detector().to(memory_format=torch.channels_last))  # type: ignore[call-overload]

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        assert isinstance(self.network, Detector)
        return detection_losses(self.network.levels(batch.pictures_BCHW), batch.wanted)


def detection_losses(found: Sequence[Found], wanted: Sequence[Wanted]) -> dict[str, Tensor]:
    """Scores summed, boxes and landmarks averaged, over the rows that answer for faces."""
    labels = torch.cat([one.labels_BR.flatten() for one in wanted])
    logits = torch.cat([one.logits_BR.flatten() for one in found])
    faces = labels == 1
    count = faces.sum().clamp_min(1)
    sides_K4 = torch.cat([one.sides_BR4.flatten(0, 1) for one in found])[faces].log()
    true_sides_K4 = torch.cat([one.sides_BR4.flatten(0, 1) for one in wanted])[faces].clamp_min(0.05).log()
    sizes_K1 = torch.cat([one.sizes_BR.flatten() for one in wanted])[faces, None]
    points_K10 = torch.cat([one.points_BR10.flatten(0, 1) for one in found])[faces] / sizes_K1
    true_points_K10 = torch.cat([one.points_BR10.flatten(0, 1) for one in wanted])[faces] / sizes_K1
    box = functional.smooth_l1_loss(sides_K4, true_sides_K4, beta=0.05, reduction="sum") / (4 * count)
    points = functional.smooth_l1_loss(points_K10, true_points_K10, beta=0.02, reduction="sum") / (10 * count)
    return {"score": focal(logits, labels).sum() / count, "box": _BOX_WEIGHT * box, "points": _POINTS_WEIGHT * points}


def focal(logits: Tensor, labels: Tensor, alpha: float = 0.4, gamma: float = 2.0) -> Tensor:
    """Focal loss (Lin et al., arXiv 1708.02002) of labels 1 and 0; -1 counts nothing."""
    right = torch.where(labels == 1, logits, -logits)
    weight = torch.where(labels == 1, alpha, 1 - alpha) * (labels >= 0)
    return weight * torch.sigmoid(-right) ** gamma * functional.softplus(-right)
