"""Painting: the stage's shapes, placed for every frame at once, then filled frame by frame with OpenCV.

OpenCV fills polygons in fixed point (4 fractional bits here), so the same numbers give the same bytes everywhere.

Shape legend: T frames, N points of all shapes, K shapes, H height, W width, C channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
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
    for (v0, one), (v1, two) in pairwise(stops):
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
    """The shapes of a stage that are seen, on the canvas.

    outlines: per shape, fixed-point pixels (T, N, 2), or (1, N, 2) where it never moves. visible_TK: touches the
    canvas. fixed_K: the same in every frame. poses_6KT: a, b, c, d, x, y of each shape's pose.
    """

    shapes: list[Shape]
    outlines: list[npt.NDArray[np.int32]]
    visible_TK: Bools
    fixed_K: Bools
    poses_6KT: Floats

    def outline(self, k: int, frame: int) -> npt.NDArray[np.int32]:
        """Shape k's points in a frame, (N, 2)."""
        points_TN2 = self.outlines[k]
        points_N2: npt.NDArray[np.int32] = points_TN2[frame if len(points_TN2) > 1 else 0]
        return points_N2


def place(shapes: Sequence[Shape], frames: int, width: int, height: int, factor: int) -> Placed:
    """Apply every shape's pose in every frame and keep what can be seen.

    The canvas is `factor` times as large as the picture; round shapes get as many corners as the picture can show.
    """
    poses, which = _pose_table(shapes, frames)
    points = [shape.points_P2 for shape in shapes]
    half_across, half_down, across, down = _extents(points, poses, which)
    touches = (np.abs(across - 0.5 * width) < half_across + 0.5 * width + 1.0) & (
        np.abs(down - 0.5 * height) < half_down + 0.5 * height + 1.0
    )
    reach = np.maximum(half_across, half_down) / factor
    visible = touches & (reach > _SPECK)
    for k, shape in enumerate(shapes):
        if shape.shown_T is not None:
            visible[k] &= shape.shown_T
    seen = np.flatnonzero(visible.any(axis=1)).tolist()
    still_U = (poses == poses[:, :, :1]).all(axis=(0, 2))
    still = still_U[which]
    # Judged at time 0, which every clip begins with, so that clips of all lengths and rates agree.
    largest = reach[:, 0] * np.where(still, 1.0, 1.6)
    kept = [shapes[k] for k in seen]
    thinned = [_thin(shapes[k], float(largest[k])) for k in seen]
    outlines = _outlines(thinned, poses, which[seen], still[seen])
    unconditional = np.array([shape.shown_T is None for shape in kept], bool)
    return Placed(kept, outlines, visible[seen].T, still[seen] & unconditional, poses[:, which[seen]])


_SPECK = 0.28
"""Picture pixels: shapes reaching less far than this from their middle are left out."""
_BAR = {step: np.concatenate([np.arange(0, 17, step), np.arange(17, 34, step)]) for step in (2, 4, 8)}


def _thin(shape: Shape, reach: float) -> Floats:
    """Fewer corners for a small round shape (reach in picture pixels): the chord's error stays near 0.15 pixels."""
    points = shape.points_P2
    if shape.coarse_P2 is not None:
        return shape.coarse_P2 if reach < 20.0 else points
    if not shape.rounded or reach > 40.0:
        return points
    if len(points) == 48:
        step = 2 if reach > 12.0 else 4 if reach > 4.0 else 6
        ring: Floats = points[::step]
        return ring
    bar: Floats = points[_BAR[2 if reach > 14.0 else 4 if reach > 5.0 else 8]]
    return bar


def _pose_table(shapes: Sequence[Shape], frames: int) -> tuple[Floats, npt.NDArray[np.int64]]:
    """All different poses as (6, U, T), and which one each shape has."""
    index: dict[int, int] = {}
    rows: list[Pose] = []
    which = np.empty(len(shapes), np.int64)
    for k, shape in enumerate(shapes):
        key = id(shape.pose)
        if key not in index:
            index[key] = len(rows)
            rows.append(shape.pose)
        which[k] = index[key]
    table = np.empty((6, len(rows), frames))
    for u, pose in enumerate(rows):
        for e, entry in enumerate(pose.entries()):
            table[e, u] = entry
    return table, which


def _extents(
    points: Sequence[Floats], poses: Floats, which: npt.NDArray[np.int64]
) -> tuple[Floats, Floats, Floats, Floats]:
    """Half width, half height and middle of each shape's bounding box on the canvas, each (K, T)."""
    starts = np.zeros(len(points), np.int64)
    np.cumsum([len(p) for p in points[:-1]], out=starts[1:])
    every = np.concatenate(points)
    low, high = np.minimum.reduceat(every, starts, axis=0), np.maximum.reduceat(every, starts, axis=0)
    middle, half = 0.5 * (low + high), 0.5 * (high - low)
    a, b, c, d, x, y = poses[:, which]
    u, v, hu, hv = middle[:, :1], middle[:, 1:], half[:, :1], half[:, 1:]
    return np.abs(a) * hu + np.abs(b) * hv, np.abs(c) * hu + np.abs(d) * hv, a * u + b * v + x, c * u + d * v + y


def _outlines(
    points: Sequence[Floats], poses: Floats, which: npt.NDArray[np.int64], still: Bools
) -> list[npt.NDArray[np.int32]]:
    """Each shape's points on the canvas; those that never move in one frame only."""
    outlines: list[npt.NDArray[np.int32]] = [np.zeros((1, 0, 2), np.int32)] * len(points)
    for kind, table in ((still, poses[:, :, :1]), (~still, poses)):
        group = np.flatnonzero(kind).tolist()
        if not group:
            continue
        lengths = [len(points[k]) for k in group]
        placed = _transform(np.concatenate([points[k] for k in group]), np.repeat(which[group], lengths), table)
        first = 0
        for k, length in zip(group, lengths, strict=True):
            outlines[k] = placed[:, first : first + length]
            first += length
    return outlines


def _transform(points_N2: Floats, which_N: npt.NDArray[np.int64], poses: Floats) -> npt.NDArray[np.int32]:
    """Points under their poses, (T, N, 2), rounded to fixed-point pixels."""
    by_frame = np.ascontiguousarray(poses.transpose(0, 2, 1))
    a, b, c, d, x, y = (np.take(entry, which_N, axis=1) for entry in by_frame)
    u, v = points_N2[:, 0], points_N2[:, 1]
    out = np.empty((*a.shape, 2), np.int32)
    out[:, :, 0] = _fixed_point(a, b, x, u, v)
    out[:, :, 1] = _fixed_point(c, d, y, u, v)
    return out


def _fixed_point(a: Floats, b: Floats, x: Floats, u: Floats, v: Floats) -> Floats:
    """Compute a u + b v + x as fixed-point pixels, in place of a. OpenCV's pixel centres are whole, ours are halves."""
    a *= u
    b *= v
    a += b
    a += x
    a -= 0.5
    np.clip(a, -_FAR, _FAR, out=a)
    a *= _ONE
    return np.rint(a, out=a)


def fill(canvas: npt.NDArray[Any], points_N2: npt.NDArray[np.int32], shape: Shape, color: Any, line: int) -> None:
    """Fill one polygon on a canvas."""
    if shape.convex:
        cv2.fillConvexPoly(canvas, points_N2, color, line, SHIFT)
    else:
        cv2.fillPoly(canvas, [points_N2], color, line, SHIFT)


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
    still = bool((columns == columns[:1]).all())
    first = _fixed_prefix(placed) if still else 0
    base = np.empty_like(canvas)
    _spread(columns[0], base)
    _fill_range(base, placed, 0, 0, first)
    for t in range(frames):
        if still:
            np.copyto(canvas, base)
        else:
            _spread(columns[t], canvas)
        _fill_range(canvas, placed, t, first, len(placed.shapes))
        for kind in particles:
            kind.onto(canvas, t)
        cv2.resize(canvas, (width, height), dst=out[t], interpolation=cv2.INTER_AREA)
    return out


def _spread(column_H3: Bytes, canvas: Bytes) -> None:
    """Give every row its colour."""
    cv2.repeat(column_H3[:, None], 1, canvas.shape[1], dst=canvas)


def _fixed_prefix(placed: Placed) -> int:
    moving = np.flatnonzero(~placed.fixed_K)
    return int(moving[0]) if len(moving) else len(placed.shapes)


def _fill_range(canvas: Bytes, placed: Placed, t: int, first: int, last: int) -> None:
    """Fill the visible shapes from `first` up to `last`. The innermost loop: its calls are spelt out for speed."""
    shapes, outlines, line = placed.shapes, placed.outlines, cv2.LINE_AA
    for k in (np.flatnonzero(placed.visible_TK[t, first:last]) + first).tolist():
        shape, points_TN2 = shapes[k], outlines[k]
        points_N2 = points_TN2[t if len(points_TN2) > 1 else 0]
        if shape.convex:
            cv2.fillConvexPoly(canvas, points_N2, shape.color, line, SHIFT)
        else:
            cv2.fillPoly(canvas, [points_N2], shape.color, line, SHIFT)
