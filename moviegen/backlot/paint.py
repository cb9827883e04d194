"""Painting: the stage's shapes, placed for every frame at once, then filled frame by frame with OpenCV.

OpenCV fills polygons in fixed point (4 fractional bits here), so the same numbers give the same bytes everywhere.

Shape legend: T frames, N points of all shapes, K shapes, H height, W width, C channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from moviegen.backlot.exact import Floats
from moviegen.backlot.palette import Color
from moviegen.backlot.pose import Pose
from moviegen.backlot.stage import Bools, Shape

SHIFT = 4
_ONE = 1 << SHIFT
_FAR = 1 << 14
"""Pixels: points farther out than this are drawn here instead, inside the filler's integer range."""

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Gradient:
    """The base of the picture: colours by height, `table` from v=top to v=bottom in backdrop units."""

    table_L3: Bytes
    top: float
    bottom: float
    pose: Pose

    def columns(self, height: int, frames: int) -> Bytes:
        """One column of colours per frame, (T, H, 3)."""
        rows = np.arange(height) + 0.5
        y = np.broadcast_to(np.asarray(self.pose.y), (frames,))[:, None]
        d = np.broadcast_to(np.asarray(self.pose.d), (frames,))[:, None]
        place = ((rows[None, :] - y) / d - self.top) * (len(self.table_L3) / (self.bottom - self.top))
        index = np.minimum(np.maximum(place, 0.0), len(self.table_L3) - 1.0).astype(np.int64)
        columns: Bytes = self.table_L3[index]
        return columns


def gradient_table(stops: Sequence[tuple[float, Color]], entries: int = 512) -> tuple[Bytes, float, float]:
    """Colours between (position, colour) stops, evenly sampled; and the first and last position."""
    top, bottom = stops[0][0], stops[-1][0]
    table = np.zeros((entries, 3), np.uint8)
    positions = top + (np.arange(entries) + 0.5) * ((bottom - top) / entries)
    for (v0, one), (v1, two) in zip(stops, stops[1:], strict=False):
        inside = (positions >= v0) & (positions <= v1)
        share = ((positions[inside] - v0) / (v1 - v0))[:, None]
        table[inside] = np.floor(np.array(one) * (1.0 - share) + np.array(two) * share + 0.5)
    return table, top, bottom


@dataclass(frozen=True, slots=True)
class Particles:
    """Specks over the whole picture: the same little stamp at many places, blended.

    x_TM, y_TM: whole pixels of the canvas. stamp_S2: pixel offsets (across, down). share: opacity in 1/256.
    """

    x_TM: npt.NDArray[np.int64]
    y_TM: npt.NDArray[np.int64]
    stamp_S2: npt.NDArray[np.int64]
    color: Color
    share: int

    def onto(self, canvas_HW3: Bytes, frame: int) -> None:
        height, width = canvas_HW3.shape[:2]
        x = (self.x_TM[frame][:, None] + self.stamp_S2[:, 0]).ravel()
        y = (self.y_TM[frame][:, None] + self.stamp_S2[:, 1]).ravel()
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        at = y[inside] * width + x[inside]
        flat = canvas_HW3.reshape(-1, 3)
        under = flat[at].astype(np.int32)
        flat[at] = under + (((np.array(self.color) - under) * self.share) >> 8)


@dataclass(frozen=True, slots=True)
class Placed:
    """The shapes of a stage on the canvas.

    points_TN2: fixed-point pixels. starts: where shape k's points begin, K+1. visible_TK: touches the canvas.
    fixed_K: does not change over time.
    """

    shapes: list[Shape]
    points_TN2: npt.NDArray[np.int32]
    starts: list[int]
    visible_TK: Bools
    fixed_K: Bools


def _pose_table(shapes: Sequence[Shape], frames: int) -> tuple[Floats, list[int]]:
    """All different poses as (6, U, T), and which one each shape has."""
    index: dict[int, int] = {}
    rows: list[Pose] = []
    which = []
    for shape in shapes:
        key = id(shape.pose)
        if key not in index:
            index[key] = len(rows)
            rows.append(shape.pose)
        which.append(index[key])
    table = np.empty((6, len(rows), frames))
    for u, pose in enumerate(rows):
        for e, entry in enumerate(pose.entries()):
            table[e, u] = entry
    return table, which


def place(shapes: list[Shape], frames: int, width: int, height: int) -> Placed:
    """Apply every shape's pose in every frame and find what can be seen. Units: canvas pixels."""
    poses, which = _pose_table(shapes, frames)
    lengths = [len(shape.points_P2) for shape in shapes]
    starts = [0, *np.add.accumulate(lengths).tolist()] if shapes else [0]
    if not shapes:
        empty = np.zeros((frames, 0), bool)
        return Placed(shapes, np.zeros((frames, 0, 2), np.int32), starts, empty, empty[0])
    points = np.concatenate([shape.points_P2 for shape in shapes])
    per_point = np.repeat(np.array(which), lengths)
    a, b, c, d, x, y = (np.ascontiguousarray(entry.T)[:, per_point] for entry in poses)
    across = a * points[:, 0] + b * points[:, 1] + x
    down = c * points[:, 0] + d * points[:, 1] + y
    placed = np.empty((frames, len(points), 2))
    placed[:, :, 0], placed[:, :, 1] = across, down
    # OpenCV's pixel centres are whole numbers; ours are halves.
    fixed_point = np.rint(np.minimum(np.maximum(placed - 0.5, -_FAR), _FAR) * _ONE).astype(np.int32)
    visible = _visible(fixed_point, starts, width, height)
    for k, shape in enumerate(shapes):
        if shape.shown_T is not None:
            visible[:, k] &= shape.shown_T
    still = (poses == poses[:, :, :1]).all(axis=(0, 2))[which]
    unconditional = np.array([shape.shown_T is None for shape in shapes])
    return Placed(shapes, fixed_point, starts, visible, still & unconditional)


def _visible(points_TN2: npt.NDArray[np.int32], starts: list[int], width: int, height: int) -> Bools:
    """Whether a shape's bounding box touches the canvas and is not a mere speck (under a quarter pixel)."""
    low = np.minimum.reduceat(points_TN2, starts[:-1], axis=1)
    high = np.maximum.reduceat(points_TN2, starts[:-1], axis=1)
    limit = np.array([width, height]) * _ONE
    touches = ((high > -_ONE) & (low < limit)).all(axis=2)
    speck = ((high - low) < _ONE // 4).all(axis=2)
    seen: Bools = touches & ~speck
    return seen


def fill(
    canvas: npt.NDArray[Any], points_P2: npt.NDArray[np.int32], shape: Shape, color: Any, line: int
) -> None:
    """Fill one polygon on a canvas."""
    if shape.convex:
        cv2.fillConvexPoly(canvas, points_P2, color, line, SHIFT)
    else:
        cv2.fillPoly(canvas, [points_P2], color, line, SHIFT)


def paint(
    placed: Placed,
    gradient: Gradient,
    particles: Sequence[Particles],
    frames: int,
    width: int,
    height: int,
    factor: int,
) -> Bytes:
    """Paint all frames on a canvas `factor` times as large and average down: (T, H, W, 3) RGB."""
    columns = gradient.columns(height * factor, frames)
    canvas = np.empty((height * factor, width * factor, 3), np.uint8)
    out = np.empty((frames, height, width, 3), np.uint8)
    first = _fixed_prefix(placed) if bool((columns == columns[:1]).all()) else 0
    base: Bytes | None = None
    if first:
        base = np.empty_like(canvas)
        base[:] = columns[0][:, None]
        _fill_range(base, placed, 0, 0, first)
    for t in range(frames):
        canvas[:] = columns[t][:, None] if base is None else base
        _fill_range(canvas, placed, t, first, len(placed.shapes))
        for kind in particles:
            kind.onto(canvas, t)
        cv2.resize(canvas, (width, height), dst=out[t], interpolation=cv2.INTER_AREA)
    return out


def _fixed_prefix(placed: Placed) -> int:
    moving = np.flatnonzero(~placed.fixed_K)
    return int(moving[0]) if len(moving) else len(placed.shapes)


def _fill_range(canvas: Bytes, placed: Placed, t: int, first: int, last: int) -> None:
    points, starts, shapes = placed.points_TN2[t], placed.starts, placed.shapes
    for k in np.flatnonzero(placed.visible_TK[t, first:last]) + first:
        shape = shapes[k]
        fill(canvas, points[starts[k] : starts[k + 1]], shape, shape.color, cv2.LINE_AA)
