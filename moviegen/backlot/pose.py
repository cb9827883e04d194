"""Poses: affine maps that change over time, composed like the joints of a puppet.

Each entry is a number, or one number per frame (T,). Only single IEEE operations: see exact.py.
"""

from __future__ import annotations

from typing import Any

from moviegen.backlot.exact import Value, cosine, sine


class Pose:
    """The map (u, v) -> (a u + b v + x, c u + d v + y), v pointing down. Methods return the pose of a child."""

    __slots__ = ("a", "b", "c", "d", "x", "y")

    def __init__(
        self, a: Value = 1.0, b: Value = 0.0, c: Value = 0.0, d: Value = 1.0, x: Value = 0.0, y: Value = 0.0
    ) -> None:
        self.a, self.b, self.c, self.d, self.x, self.y = a, b, c, d, x, y

    def place(self, u: Value, v: Value) -> tuple[Any, Any]:
        """Where the point (u, v) is."""
        return self.a * u + self.b * v + self.x, self.c * u + self.d * v + self.y

    def move(self, u: Value, v: Value) -> Pose:
        """A child whose origin is at (u, v)."""
        x, y = self.place(u, v)
        return Pose(self.a, self.b, self.c, self.d, x, y)

    def scale(self, u: Value, v: Value | None = None) -> Pose:
        """A child stretched by u across and v down (v = u when left out)."""
        w = u if v is None else v
        return Pose(self.a * u, self.b * w, self.c * u, self.d * w, self.x, self.y)

    def turn(self, turns: Value) -> Pose:
        """A child rotated about its origin; positive is clockwise on the screen."""
        cos, sin = cosine(turns), sine(turns)
        return Pose(
            self.a * cos + self.b * sin,
            self.b * cos - self.a * sin,
            self.c * cos + self.d * sin,
            self.d * cos - self.c * sin,
            self.x,
            self.y,
        )

    def shear(self, amount: Value) -> Pose:
        """A child that leans: its points move across by amount times their height above the origin."""
        return Pose(self.a, self.b - self.a * amount, self.c, self.d - self.c * amount, self.x, self.y)

    def entries(self) -> tuple[Value, Value, Value, Value, Value, Value]:
        """a, b, c, d, x, y."""
        return self.a, self.b, self.c, self.d, self.x, self.y
