"""What all settings share: a stage seen in layers, skies, and the plants and stones that fill them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from moviegen.backlot.camera import Camera
from moviegen.backlot.exact import Floats, draw, draws, sine
from moviegen.backlot.palette import Color, Look, darker, lighter, mix
from moviegen.backlot.pose import Pose
from moviegen.backlot.stage import Stage, ring

Stops = list[tuple[float, Color]]
"""(v, colour) from the top of the sky to the nearest ground."""
TOP_V, BOTTOM_V = -0.62, 0.62
GROUND_V = 0.30
"""Where the subject stands in a wide shot: picture heights below the horizon."""


class Scenery:
    """A setting under construction: stage, camera, look, and numbers of its own.

    Units: picture heights; u across from the middle, v down from the horizon. depth 0 sky … 1 subject.
    """

    def __init__(self, stage: Stage, camera: Camera, look: Look, seed: int, wind: float, time_s_T: Floats) -> None:
        self.stage, self.camera, self.look, self.seed = stage, camera, look, seed
        self.wind, self.time_s_T = wind, time_s_T
        self.reach = camera.aspect * 0.62 + 0.3
        self._poses: dict[float, Pose] = {}

    def at(self, depth: float) -> Pose:
        """The pose of the layer at a depth."""
        if depth not in self._poses:
            self._poses[depth] = self.camera.layer(depth)
        return self._poses[depth]

    def color(self, color: Color, depth: float) -> Color:
        """A colour as it looks at a depth in this light and air."""
        return self.look.scenery(color, depth)

    def cells(self, purpose: str, spacing: float) -> Iterator[tuple[float, tuple[float, float, float, float]]]:
        """Places across the picture about `spacing` apart, from the middle outwards, with four numbers each."""
        count = 2 * int(self.reach / spacing + 1.0) + 1
        numbers = draws(self.seed, purpose, 5 * count)
        for k in range(count):
            side = (k + 1) // 2 * (1 if k % 2 else -1)
            jitter, one, two, three, four = (float(n) for n in numbers[5 * k : 5 * k + 5])
            yield (side + 0.7 * (jitter - 0.5)) * spacing, (one, two, three, four)

    def number(self, purpose: str, low: float = 0.0, high: float = 1.0) -> float:
        """One number of this scene."""
        return draw(self.seed, purpose, low, high)

    def sway(self, pose: Pose, phase: float) -> Pose:
        """A pose that leans in the wind; still when there is none."""
        if self.wind == 0.0:
            return pose
        return pose.shear(0.10 + 0.09 * sine(0.55 * self.time_s_T + phase))


def ground_stops(s: Scenery, far: Color, near: Color) -> Stops:
    """The base of an outdoor picture: the sky, then ground from far to near."""
    look = s.look
    return [
        (TOP_V, look.sky[0]),
        (-0.22, look.sky[1]),
        (0.0, look.sky[2]),
        (0.0001, s.color(far, 0.15)),
        (0.12, s.color(mix(far, near, 0.5), 0.6)),
        (BOTTOM_V, s.color(near, 1.0)),
    ]


def depth_of(v: float) -> float:
    """The depth of the ground at v below the horizon."""
    return min(1.15, max(0.05, v / GROUND_V))


def sky(s: Scenery, clouds: int = 3) -> None:
    """Sun or moon, stars, and clouds."""
    look, stage = s.look, s.stage
    u = s.number("sun/side", -1, 1) * 0.34
    v = {True: -0.42}.get(look.dark, -0.40 + 0.1 * s.number("sun/height"))
    low = look.sky[1][0] > 200
    if look.dark:
        _stars(s)
    if low:
        v = -0.10
    if look.haze_share < 0.9 and look.glow[0] > 200 and look.sky[0] != look.sky[1]:
        radius = 0.085 if low else 0.05
        halo = mix(look.sky[1], look.glow, 0.35)
        stage.ellipse(s.at(0.0), u, v, radius * 2.1, color=mix(look.sky[1], halo, 0.45), solid=False)
        stage.ellipse(s.at(0.0), u, v, radius * 1.5, color=halo, solid=False)
        stage.ellipse(s.at(0.0), u, v, radius, color=look.glow)
        if look.dark:
            stage.ellipse(s.at(0.0), u + 0.022, v - 0.012, radius * 0.86, color=mix(look.sky[0], halo, 0.5))
    _clouds(s, clouds)


def _stars(s: Scenery) -> None:
    for u, (one, two, three, _) in s.cells("stars", 0.085):
        size = 0.003 + 0.005 * three * three
        star = mix(s.look.sky[0], (255, 252, 236), 0.45 + 0.55 * two)
        s.stage.polygon(
            s.at(0.0),
            np.array([(u - size, -0.53 + 0.4 * one), (u, -0.53 + 0.4 * one - size), (u + size, -0.53 + 0.4 * one)])
            if three < 0.3
            else _diamond(u, -0.53 + 0.4 * one, size),
            star,
        )


def _diamond(u: float, v: float, size: float) -> Floats:
    return np.array([(u - size, v), (u, v - size), (u + size, v), (u, v + size)])


def _clouds(s: Scenery, count: int) -> None:
    white = mix(s.look.sky[2], (255, 255, 255) if not s.look.dark else (70, 80, 128), 0.62)
    under = mix(white, s.look.sky[1], 0.5)
    for u, (one, two, three, four) in s.cells("clouds", 1.5 / max(1, count)):
        size = 0.05 + 0.045 * two
        pose = s.at(0.06)
        if s.wind:
            pose = pose.move(0.035 * s.time_s_T * (1.0 + 0.4 * four), 0.0)
        v = -0.42 + 0.22 * one
        for du, dv, r in ((-1.1, 0.1, 0.62), (0.0, -0.25, 1.0), (1.05, 0.05, 0.7)):
            s.stage.ellipse(pose, u + du * size, v + dv * size + 0.02, r * size * 1.15, r * size * 0.78, under)
        for du, dv, r in ((-1.1, 0.1, 0.62), (0.0, -0.25, 1.0), (1.05, 0.05, 0.7)):
            s.stage.ellipse(pose, u + du * size, v + dv * size, r * size * 1.1, r * size * 0.7, white)
        del three


def ridge(s: Scenery, purpose: str, depth: float, base: float, height: float, color: Color, step: float) -> None:
    """Rolling hills: a row of wide domes that share a base line."""
    tone = s.color(color, depth)
    for u, (one, two, _, _) in s.cells(purpose, step):
        h = height * (0.55 + 0.7 * one)
        s.stage.polygon(s.at(depth), _dome(u, base + 0.02, step * (0.75 + 0.35 * two), h), tone, rounded=True)


def _dome(u: float, v: float, rx: float, ry: float) -> Floats:
    """An ellipse with a nearly flat underside."""
    points = ring(u, v, rx, ry).copy()
    below = points[:, 1] > v
    points[below, 1] = v + 0.12 * (points[below, 1] - v)
    return points


def peaks(s: Scenery, purpose: str, depth: float, height: float, color: Color, cap: Color | None) -> None:
    """Mountains with a lit and a shaded side, and snow on top if wanted."""
    lit, dark = s.color(lighter(color, 0.14), depth), s.color(darker(color, 0.16), depth)
    for u, (one, two, three, _) in s.cells(purpose, 0.36):
        h, w, lean = height * (0.6 + 0.7 * one), 0.24 + 0.14 * two, 0.08 * (three - 0.5)
        pose = s.at(depth)
        s.stage.polygon(pose, ((u - w, 0.02), (u + lean, -h), (u + w, 0.02)), lit)
        s.stage.polygon(pose, ((u + lean, -h), (u + w, 0.02), (u + lean + 0.02, 0.02)), dark)
        if cap is not None:
            c, k = s.color(cap, depth), 0.36
            s.stage.polygon(
                pose,
                (
                    (u + lean, -h),
                    (u + lean + (w - lean) * k, -h * (1 - k) + 0.01),
                    (u + lean + 0.1 * w, -h * (1 - 0.75 * k)),
                    (u + lean - 0.1 * w, -h * (1 - 1.1 * k)),
                    (u + lean - (w + lean) * k, -h * (1 - k) + 0.01),
                ),
                c,
                convex=False,
            )


def round_tree(s: Scenery, u: float, v: float, h: float, color: Color, phase: float) -> None:
    """A leafy tree standing at (u, v), h picture heights high."""
    depth = depth_of(v)
    pose = s.sway(s.at(depth).move(u, v), phase)
    shade, leaf, light = (s.color(c, depth) for c in (darker(color, 0.32), color, lighter(color, 0.2)))
    bark = s.color((112, 78, 54), depth)
    s.stage.ellipse(s.at(depth).move(u, v), 0.05 * h, 0.0, 0.3 * h, 0.045 * h, s.color(darker((84, 140, 72)), depth))
    s.stage.polygon(pose, ((-0.06 * h, 0.0), (0.06 * h, 0.0), (0.035 * h, -0.5 * h), (-0.035 * h, -0.5 * h)), bark)
    for du, dv, r in ((-0.17, -0.55, 0.22), (0.17, -0.56, 0.23), (0.0, -0.76, 0.25)):
        s.stage.ellipse(pose, du * h + 0.02 * h, dv * h + 0.03 * h, r * h * 1.06, color=shade)
    for du, dv, r in ((-0.17, -0.57, 0.2), (0.16, -0.58, 0.2), (0.0, -0.77, 0.23)):
        s.stage.ellipse(pose, du * h, dv * h, r * h, color=leaf)
    for du, dv, r in ((-0.19, -0.64, 0.09), (-0.04, -0.87, 0.10)):
        s.stage.ellipse(pose, du * h, dv * h, r * h, color=light)


def pine(s: Scenery, u: float, v: float, h: float, color: Color, snow: bool, phase: float) -> None:
    """A conifer standing at (u, v), h picture heights high."""
    depth = depth_of(v)
    pose = s.sway(s.at(depth).move(u, v), phase)
    leaf, shade, white = (
        s.color(color, depth),
        s.color(darker(color, 0.3), depth),
        s.color((240, 246, 252), depth),
    )
    s.stage.box(pose, -0.035 * h, -0.16 * h, 0.035 * h, 0.0, s.color((96, 68, 52), depth))
    for top, bottom, w in ((-0.62, -0.10, 0.27), (-0.82, -0.36, 0.21), (-1.0, -0.62, 0.15)):
        s.stage.polygon(pose, ((0.0, top * h), (w * h, bottom * h), (-w * h, bottom * h)), leaf)
        s.stage.polygon(pose, ((0.0, top * h), (w * h, bottom * h), (0.03 * h, bottom * h)), shade)
        if snow:
            k = 0.45
            y = (top + (bottom - top) * k) * h
            s.stage.polygon(
                pose,
                ((0.0, top * h), (w * h * k, y), (0.0, y - 0.04 * h), (-w * h * k, y)),
                white,
                convex=False,
            )


def tufts(s: Scenery, purpose: str, color: Color, low: float, high: float, spacing: float = 0.16) -> None:
    """Blades of grass over the ground between two heights."""
    for u, (one, two, three, _) in s.cells(purpose, spacing):
        v = low + (high - low) * one
        depth = depth_of(v)
        h = (0.018 + 0.03 * two) * (0.4 + depth)
        tone = s.color(color if three < 0.5 else lighter(color, 0.22), depth)
        s.stage.polygon(
            s.at(depth),
            ((u - 0.5 * h, v), (u - 0.3 * h, v - h), (u, v - 0.3 * h), (u + 0.4 * h, v - h), (u + 0.5 * h, v)),
            tone,
            convex=False,
        )


def pebbles(s: Scenery, purpose: str, color: Color, low: float, high: float, spacing: float = 0.2) -> None:
    """Flat stones, patches or ripples on the ground between two heights."""
    for u, (one, two, three, _) in s.cells(purpose, spacing):
        v = low + (high - low) * one
        depth = depth_of(v)
        r = (0.012 + 0.02 * two) * (0.35 + depth)
        s.stage.ellipse(s.at(depth), u, v, r * 1.6, r * 0.5, s.color(mix(color, darker(color), 0.5 * three), depth))
