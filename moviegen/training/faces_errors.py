"""What the trained detector gets wrong: the errors with which the other networks are trained, as they will meet them.

A recogniser that learnt from exact landmarks lost a third of its hits on detected ones; one that learnt from noise as
large as the detector's errors did not.

Shape legend: K faces, R rows, 2 = (across, down).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from moviegen.networks.faces import ANCHORS, STRIDES, Detector
from moviegen.training.faces_data import FaceFrames
from moviegen.training.faces_detection import SIDE, Canvas, as_input, fitted
from moviegen.training.faces_part import FacesTrainingError
from moviegen.training.faces_scenes import State

Random = np.random.Generator
Floats = npt.NDArray[np.float32]

BINS = 6
"""Errors are kept apart by the size of the face, in so many equally filled bins."""
_STRENGTHS = (0.6, 1.3)
_BATCH = 64
_NEAR = 0.5
"""A detection is of a face if it overlaps it by this share of their union."""


@dataclass(frozen=True, slots=True)
class Errors:
    """Errors of landmarks (K,5,2) and boxes (K,4) in shares of the face's size, by bin of sizes.

    bounds: sizes between the bins, as shares of the longer side of the picture.
    """

    bounds: Floats
    points: tuple[Floats, ...]
    boxes: tuple[Floats, ...]

    def draw(self, share: float, random: Random) -> tuple[Floats, Floats]:
        """Errors of the landmarks and the box of one face whose size is this share of the picture's longer side."""
        at = int(np.searchsorted(self.bounds, share))
        row = int(random.integers(len(self.points[at])))
        strength = np.float32(random.uniform(*_STRENGTHS))
        return strength * self.points[at][row], strength * self.boxes[at][row]


def face_size(box_4: Floats) -> float:
    """Square root of a box's area, pixels."""
    return float(np.sqrt(np.prod(box_4[2:] - box_4[:2])))


def measure_errors(detector: Detector, frames: FaceFrames, count: int, seed: int) -> Errors:
    """The errors on `count` faces of the training frames, damaged as in training; missed ones left out.

    Raises FacesTrainingError where the detector finds hardly any.
    """
    random = np.random.default_rng((seed, 1))
    faces_N = np.flatnonzero(frames.states_N == State.FACE)
    rows = random.choice(faces_N, min(count, len(faces_N)), replace=False)
    canvases = [fitted(frames, int(row), SIDE, random) for row in rows]
    found: list[tuple[float, Floats, Floats]] = []
    for first in range(0, len(canvases), _BATCH):
        part = [one for one in canvases[first : first + _BATCH] if (one.states_F == State.FACE).any()]
        if part:
            found += errors_on(detector, part)
    if len(found) < BINS:
        raise FacesTrainingError("the detector finds next to no face: train it for more steps, in another folder")
    shares_K = np.array([share for share, _, _ in found], np.float32)
    bounds = np.quantile(shares_K, np.arange(1, BINS) / BINS).astype(np.float32)
    bins_K = np.searchsorted(bounds, shares_K)
    points_K52, boxes_K4 = np.stack([p for _, p, _ in found]), np.stack([b for _, _, b in found])
    return Errors(
        bounds,
        tuple(points_K52[bins_K == b] for b in range(BINS)),
        tuple(boxes_K4[bins_K == b] for b in range(BINS)),
    )


@torch.inference_mode()
def errors_on(detector: Detector, canvases: list[Canvas]) -> list[tuple[float, Floats, Floats]]:
    """For each face that is found: its size as a share of the canvas, and the errors of landmarks and box."""
    levels = detector.levels(as_input([one.picture_HWC for one in canvases], 128.0))
    found = []
    for k, one in enumerate(canvases):
        box_4, points_52 = one.boxes_F4[0], one.points_F52[0]
        logits_R = torch.cat([level.logits_BR[k] for level in levels])
        best = int(logits_R.argmax())
        place_2, stride = _place(best)
        sides_4 = torch.cat([level.sides_BR4[k] for level in levels])[best].numpy() * stride
        points = torch.cat([level.points_BR10[k] for level in levels])[best].numpy().reshape(5, 2) * stride + place_2
        box = np.concatenate([place_2 - sides_4[:2], place_2 + sides_4[2:]]).astype(np.float32)
        if overlap(box, box_4) >= _NEAR:
            size = face_size(box_4)
            found.append((size / SIDE, ((points - points_52) / size).astype(np.float32), (box - box_4) / size))
    return found


def _place(row: int) -> tuple[Floats, int]:
    """Where on a canvas of SIDE pixels a row is, counted over all levels, and its stride."""
    for stride in STRIDES:
        count = SIDE // stride
        if row < count * count * ANCHORS:
            down, across = divmod(row // ANCHORS, count)
            return np.array([across * stride, down * stride], np.float32), stride
        row -= count * count * ANCHORS
    raise AssertionError


def overlap(one_4: Floats, other_4: Floats) -> float:
    """Intersection over union of two boxes."""
    low, high = np.maximum(one_4[:2], other_4[:2]), np.minimum(one_4[2:], other_4[2:])
    shared = float(np.prod(np.maximum(high - low, 0)))
    return shared / (face_size(one_4) ** 2 + face_size(other_4) ** 2 - shared)
