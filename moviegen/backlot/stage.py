"""The stage: an ordered list of shapes, each a polygon carried by a pose, painted back to front.

Pictures, masks and flow are all made from this one list, so the truth cannot drift from the picture.

Shape legend: T frames, P points of a polygon, 2 = (across, down).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from moviegen.backlot.exact import Floats, cosine, sine
from moviegen.backlot.palette import Color, darker
from moviegen.backlot.pose import Pose

Bools = npt.NDArray[np.bool_]
PointsP2 = Floats
Corners = tuple[tuple[float, float], ...]


@dataclass(slots=True)
class Shape:
    """One flat polygon.

    points_P2 are local to `pose`. instance: 0 scenery, 1, 2, … subjects. shown_T: frames in which it is there.
    convex: drawn by the faster filler. solid: False for shadows and glows, which belong to nobody in masks.
    rounded: a ring or capsule, whose corners may be thinned out when it is small. coarse_P2: the same with fewer
    corners, for small pictures.
    """

    pose: Pose
    points_P2: PointsP2
    color: Color
    instance: int
    convex: bool
    shown_T: Bools | None
    solid: bool
    rounded: bool = False
    coarse_P2: PointsP2 | None = None


class Stage:
    """Collects shapes. Set `instance` before drawing a subject; `ink` gives shapes an outline while it is open."""

    def __init__(self) -> None:
        self.shapes: list[Shape] = []
        self.instance = 0
        self.shown_T: Bools | None = None
        self._ink: float = 0.0
        self._inked: list[Shape] | None = None

    @contextmanager
    def ink(self, width: float) -> Iterator[None]:
        """Outline what is drawn inside as one silhouette: all outlines lie under all fills. Width in local units."""
        outer_width, outer = self._ink, self._inked
        self._ink, self._inked = width, []
        fills, start = self._inked, len(self.shapes)
        yield
        # Outlines went straight to the list; fills waited.
        assert len(self.shapes) >= start
        self._ink, self._inked = outer_width, outer
        (self.shapes if outer is None else outer).extend(fills)

    def polygon(
        self,
        pose: Pose,
        points_P2: Any,
        color: Color,
        *,
        convex: bool = True,
        solid: bool = True,
        rounded: bool = False,
    ) -> None:
        """A polygon; convex unless said otherwise. Not solid: shadows, glows, reflections."""
        points = np.asarray(points_P2, dtype=np.float64)
        outline = None
        if self._inked is not None:
            known = isinstance(points_P2, tuple)
            outline = grown(points_P2, self._ink) if known else grow(points, self._ink)
        self._add(Shape(pose, points, color, self.instance, convex, self.shown_T, solid, rounded), outline, None)

    def curve(self, pose: Pose, corners: Corners, color: Color, *, convex: bool = False) -> None:
        """A closed curve drawn towards its corners (a quadratic B-spline); it has fewer corners when it is small."""
        fine, coarse = rounded_off(corners, 3, 0.0), rounded_off(corners, 1, 0.0)
        shape = Shape(pose, fine, color, self.instance, convex, self.shown_T, True, False, coarse)
        if self._inked is None:
            self._add(shape, None, None)
        else:
            self._add(shape, rounded_off(corners, 3, self._ink), rounded_off(corners, 1, self._ink))

    def ellipse(
        self,
        pose: Pose,
        x: float,
        y: float,
        rx: float,
        ry: float | None = None,
        color: Color = (0, 0, 0),
        *,
        solid: bool = True,
    ) -> None:
        """An ellipse about (x, y); a circle when ry is left out."""
        ry = rx if ry is None else ry
        outline = None if self._inked is None else ring(x, y, rx + self._ink, ry + self._ink)
        points = ring(x, y, rx, ry)
        self._add(Shape(pose, points, color, self.instance, True, self.shown_T, solid, True), outline, None)

    def limb(self, pose: Pose, x0: float, y0: float, x1: float, y1: float, r0: float, r1: float, color: Color) -> None:
        """A rounded bar from (x0, y0) with radius r0 to (x1, y1) with radius r1."""
        outline = None if self._inked is None else capsule(x0, y0, x1, y1, r0 + self._ink, r1 + self._ink)
        points = capsule(x0, y0, x1, y1, r0, r1)
        self._add(Shape(pose, points, color, self.instance, True, self.shown_T, True, True), outline, None)

    def _add(self, shape: Shape, outline: PointsP2 | None, coarse_outline: PointsP2 | None) -> None:
        """Put a shape on the list; inside ink() its outline now, and itself when the ink is closed."""
        if self._inked is None or outline is None:
            self.shapes.append(shape)
            return
        ink = darker(shape.color, 0.55)
        self.shapes.append(replace(shape, points_P2=outline, color=ink, coarse_P2=coarse_outline))
        self._inked.append(shape)

    def box(self, pose: Pose, x0: float, y0: float, x1: float, y1: float, color: Color) -> None:
        """A rectangle with corners (x0, y0) and (x1, y1)."""
        self.polygon(pose, ((x0, y0), (x1, y0), (x1, y1), (x0, y1)), color)


def _unit_circle(points: int) -> PointsP2:
    turns = np.arange(points) / points
    return np.stack([cosine(turns), sine(turns)], axis=1)


_CIRCLE = _unit_circle(48)
_CAP = _unit_circle(32)


@lru_cache(maxsize=4096)
def ring(x: float, y: float, rx: float, ry: float) -> PointsP2:
    """An ellipse as 48 points."""
    points: PointsP2 = _CIRCLE * np.array([rx, ry]) + np.array([x, y])
    return points


@lru_cache(maxsize=4096)
def capsule(x0: float, y0: float, x1: float, y1: float, r0: float, r1: float) -> PointsP2:
    """The outline of a rounded bar, 34 points, clockwise on the screen."""
    along = np.array([x1 - x0, y1 - y0])
    length = np.sqrt(along[0] * along[0] + along[1] * along[1])
    cos, sin = (along / length) if length > 0 else (1.0, 0.0)
    half = np.roll(_CAP, 8, axis=0)[:17]
    front = half * r1
    back = -half * r0
    points = np.concatenate([front + np.array([length, 0.0]), back])
    return np.stack(
        [points[:, 0] * cos - points[:, 1] * sin + x0, points[:, 0] * sin + points[:, 1] * cos + y0], axis=1
    )


@lru_cache(maxsize=2048)
def rounded_off(corners: Corners, times: int, width: float) -> PointsP2:
    """Chaikin's corner cutting: every cut replaces a corner by two, a quarter of the way along its edges.

    The result is grown by `width`.
    """
    points: PointsP2 = np.array(corners, dtype=np.float64)
    for _ in range(times):
        after = np.roll(points, -1, axis=0)
        cut = np.empty((2 * len(points), 2))
        cut[0::2] = 0.75 * points + 0.25 * after
        cut[1::2] = 0.25 * points + 0.75 * after
        points = cut
    return points if width == 0.0 else grow(points, width)


@lru_cache(maxsize=2048)
def grown(corners: Corners, width: float) -> PointsP2:
    """grow(), remembered: bodies and props are the same from scene to scene."""
    return grow(np.array(corners, dtype=np.float64), width)


def grow(points_P2: PointsP2, width: float) -> PointsP2:
    """The polygon with every corner pushed outwards, its edges by `width`."""
    before = points_P2 - np.roll(points_P2, 1, axis=0)
    after = np.roll(points_P2, -1, axis=0) - points_P2
    x, y = points_P2[:, 0], points_P2[:, 1]
    twice_area = float(np.add.accumulate(x * after[:, 1] - y * after[:, 0])[-1])
    side = width if twice_area > 0 else -width
    normals = _left_normals(before) + _left_normals(after)
    square = normals[:, 0] * normals[:, 0] + normals[:, 1] * normals[:, 1]
    # |n1 + n2|^2 / 2 is 1 + cos(angle): dividing by it keeps the edges parallel; the floor limits sharp corners.
    return points_P2 + normals * (side / np.maximum(square / 2.0, 0.5))[:, None]


def _left_normals(edges_P2: PointsP2) -> PointsP2:
    length = np.sqrt(edges_P2[:, 0] * edges_P2[:, 0] + edges_P2[:, 1] * edges_P2[:, 1])
    length = np.maximum(length, 1e-12)
    return np.stack([edges_P2[:, 1] / length, -edges_P2[:, 0] / length], axis=1)
