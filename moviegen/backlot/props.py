"""Props: ball, box, balloon, car, boat and kite.

Each is drawn 1 unit high (the balloon and kite without their strings), standing on the origin.
"""

from __future__ import annotations

import numpy as np

from moviegen.backlot.actions import Motion
from moviegen.backlot.exact import Floats, cosine, sine
from moviegen.backlot.palette import Color, Look, darker, lighter, mix
from moviegen.backlot.pose import Pose
from moviegen.backlot.stage import Stage, ring

INK = 0.03
"""Outline width in heights."""


def ball(stage: Stage, pose: Pose, motion: Motion, color: Color, look: Look) -> None:
    tone = look.subject(color)
    stripe = look.subject((250, 246, 236) if color[0] + color[1] + color[2] < 660 else (206, 78, 84))
    centre = pose.move(0.0, -0.5)
    with stage.ink(INK):
        stage.ellipse(centre, 0.0, 0.0, 0.5, color=tone)
    turned = centre.turn(motion.roll)
    if motion.doing == "spin":
        _meridians(stage, centre, motion, stripe)
    else:
        for start in (0.0, 0.5):
            stage.polygon(turned.turn(start), _wedge(0.15), stripe)
        stage.ellipse(turned, 0.0, 0.0, 0.12, color=stripe)
    stage.polygon(centre, _crescent(), darker(tone, 0.28), convex=False)
    stage.ellipse(centre, -0.19, -0.22, 0.1, 0.075, lighter(tone, 0.75))


def _wedge(width: float) -> Floats:
    turns = np.array([-0.5, -0.25, 0.0, 0.25, 0.5]) * width
    rim = np.stack([0.485 * cosine(turns), 0.485 * sine(turns)], axis=1)
    return np.concatenate([rim, np.zeros((1, 2))])


def _crescent() -> Floats:
    """The shaded side of a ball of radius 0.5."""
    outer = np.linspace(-0.06, 0.31, 12)
    rim = np.stack([0.495 * cosine(outer), 0.495 * sine(outer)], axis=1)
    inner = np.stack([0.40 * cosine(outer[::-1]) - 0.02, 0.40 * sine(outer[::-1]) - 0.02], axis=1)
    return np.concatenate([rim, inner])


def _meridians(stage: Stage, centre: Pose, motion: Motion, color: Color) -> None:
    """Stripes that go round with the yaw; only those in front are shown."""
    before = stage.shown_T
    for k in range(3):
        angle = motion.yaw + k / 3.0
        front = np.asarray(cosine(angle) > 0.12)
        stage.shown_T = front if before is None else front & before
        across = centre.move(0.46 * sine(angle), 0.0).scale(np.maximum(0.05, cosine(angle)), 1.0)
        height = np.sqrt(np.maximum(0.04, 1.0 - 0.85 * sine(angle) * sine(angle)))
        stage.ellipse(across.scale(1.0, height), 0.0, 0.0, 0.085, 0.47, color)
    stage.shown_T = before


def box(stage: Stage, pose: Pose, motion: Motion, color: Color, look: Look) -> None:
    """A crate; it shows two sides as it spins."""
    tone = look.subject(color)
    pose = pose.turn(motion.roll)
    yaw = motion.yaw if motion.doing == "spin" else 0.055
    before = stage.shown_T
    top = lighter(tone, 0.32)
    with stage.ink(INK):
        for k in range(4):
            angle = np.asarray(yaw + 0.25 * k)
            facing = cosine(angle)
            front = np.atleast_1d(facing > 0.02)
            if front.size == 1:
                if not bool(front[0]):
                    continue
                stage.shown_T = before
            else:
                stage.shown_T = front if before is None else front & before
            side = pose.move(0.40 * sine(angle), 0.0).scale(facing, 1.0)
            # The same side keeps its shade on its way round, lighter when it looks left, to the light.
            shade = tone if k % 2 == 0 else darker(tone, 0.26)
            stage.box(side, -0.40, -0.86, 0.40, 0.0, shade)
            stage.box(side, -0.40, -0.50, 0.40, -0.36, mix(shade, look.subject((252, 244, 226)), 0.62))
        stage.shown_T = before
        stage.polygon(pose.move(0.0, -0.86), _LID, top)


_LID = ((-0.5, 0.0), (-0.39, -0.14), (0.39, -0.14), (0.5, 0.0))


def balloon(stage: Stage, pose: Pose, motion: Motion, color: Color, look: Look) -> None:
    tone = look.subject(color)
    swing = pose.move(0.0, -0.5).turn(motion.roll)
    string = swing.move(0.0, 0.56).shear(
        0.12 * sine(motion.beat if motion.doing == "wave" else 2.0 * motion.roll + 0.1)
    )
    line = look.subject((120, 110, 120))
    stage.polygon(
        string,
        ((-0.012, 0.0), (0.012, 0.0), (0.05, 0.35), (0.012, 0.75), (-0.012, 0.75), (0.026, 0.35)),
        line,
        convex=False,
    )
    with stage.ink(INK):
        stage.polygon(swing, ((0.0, 0.46), (0.075, 0.57), (-0.075, 0.57)), darker(tone, 0.2))
        stage.polygon(swing, _teardrop(), tone)
    stage.polygon(swing.scale(0.8, 0.98), _crescent(), darker(tone, 0.22), convex=False)
    stage.ellipse(swing.turn(-0.07), -0.13, -0.27, 0.07, 0.13, lighter(tone, 0.7))
    if motion.doing == "spin":
        star = look.subject((255, 248, 224))
        before, angle = stage.shown_T, np.asarray(motion.yaw)
        front = np.asarray(cosine(angle) > 0.1)
        stage.shown_T = front if before is None else front & before
        face = swing.move(0.38 * sine(angle), -0.04).scale(np.maximum(0.05, cosine(angle)), 1.0)
        stage.polygon(face, _star(0.19), star, convex=False)
        stage.shown_T = before


def _teardrop() -> Floats:
    points = ring(0.0, 0.0, 0.42, 0.5).copy()
    lower = points[:, 1] > 0
    points[lower, 0] *= 1.0 - 0.42 * points[lower, 1]
    return points


def _star(radius: float) -> Floats:
    turns = np.arange(10) / 10 - 0.25
    lengths = np.where(np.arange(10) % 2 == 0, radius, 0.45 * radius)
    return np.stack([lengths * cosine(turns), lengths * sine(turns)], axis=1)


def car(stage: Stage, pose: Pose, motion: Motion, color: Color, look: Look) -> None:
    tone = look.subject(color)
    pose = pose.scale(motion.facing, 1.0)
    glass = look.subject((168, 214, 236)) if not look.dark else (255, 226, 150)
    tyre, hub = look.subject((46, 44, 52)), look.subject((206, 208, 214))
    with stage.ink(0.035):
        stage.polygon(pose, ((-0.52, -0.56), (-0.36, -0.96), (0.20, -0.96), (0.50, -0.56)), tone)
        stage.polygon(
            pose,
            (
                (-1.0, -0.18),
                (-1.02, -0.44),
                (-0.92, -0.58),
                (0.50, -0.58),
                (0.94, -0.48),
                (1.03, -0.36),
                (1.02, -0.18),
            ),
            tone,
        )
    stage.polygon(pose, ((-0.40, -0.60), (-0.29, -0.87), (-0.08, -0.87), (-0.08, -0.60)), glass)
    stage.polygon(pose, ((0.0, -0.60), (0.0, -0.87), (0.16, -0.87), (0.37, -0.60)), glass)
    stage.polygon(pose, ((-1.0, -0.30), (1.02, -0.30), (1.02, -0.17), (-1.0, -0.17)), darker(tone, 0.3))
    stage.box(pose, -0.88, -0.545, 0.46, -0.505, lighter(tone, 0.4))
    stage.ellipse(pose, 0.95, -0.40, 0.06, 0.055, (255, 246, 190))
    stage.box(pose, -1.02, -0.45, -0.95, -0.36, look.subject((226, 66, 60)))
    for x in (-0.58, 0.58):
        wheel = pose.move(x, -0.18).turn(motion.stride)
        stage.ellipse(wheel, 0.0, 0.0, 0.215, color=darker(tone, 0.62))
        stage.ellipse(wheel, 0.0, 0.0, 0.18, color=tyre)
        stage.ellipse(wheel, 0.0, 0.0, 0.10, color=hub)
        stage.box(wheel, -0.10, -0.022, 0.10, 0.022, tyre)
        stage.box(wheel, -0.022, -0.10, 0.022, 0.10, tyre)


def boat(stage: Stage, pose: Pose, motion: Motion, color: Color, look: Look) -> None:
    tone = look.subject(color)
    rocking = pose.turn(motion.roll).scale(motion.facing, 1.0)
    sail = look.subject((250, 246, 234))
    with stage.ink(0.018):
        stage.box(rocking, -0.075, -0.98, -0.045, -0.2, look.subject((134, 94, 64)))
        stage.polygon(rocking, ((-0.02, -0.94), (0.46, -0.30), (-0.02, -0.30)), sail)
        stage.polygon(rocking, ((-0.10, -0.86), (-0.10, -0.30), (-0.40, -0.30)), mix(sail, tone, 0.45))
    stage.polygon(rocking, ((-0.02, -0.94), (0.10, -0.78), (-0.02, -0.70)), tone)
    with stage.ink(0.018):
        stage.polygon(rocking, ((-0.60, -0.22), (0.66, -0.22), (0.44, 0.06), (-0.46, 0.06)), tone)
    stage.polygon(rocking, ((-0.585, -0.20), (0.64, -0.20), (0.60, -0.145), (-0.56, -0.145)), lighter(tone, 0.5))
    stage.polygon(pose, ((-0.52, -0.04), (0.53, -0.04), (0.45, 0.075), (-0.47, 0.075)), darker(tone, 0.35))
    flag = rocking.move(-0.06, -0.98).scale(-1.0, 1.0)
    stage.polygon(
        flag.scale(1.0 + 0.15 * sine(1.3 * np.asarray(motion.stride)), 1.0),
        ((0.0, 0.0), (0.2, 0.05), (0.0, 0.1)),
        look.subject((226, 66, 60)),
    )


def waterline(stage: Stage, pose: Pose, motion: Motion, look: Look) -> None:
    """Water in front of a hull, with a bow wave."""
    water = look.scenery((36, 112, 174), 0.95)
    foam = look.scenery((232, 246, 250), 1.0)
    for k, x in enumerate((-0.5, -0.18, 0.14, 0.46)):
        rise = pose.move(x, 0.105 + 0.012 * sine(0.6 * np.asarray(motion.stride) + 0.31 * k))
        stage.ellipse(rise, 0.0, 0.0, 0.24, 0.085, water)
    for k, x in enumerate((-0.42, 0.0, 0.42)):
        rise = pose.move(x, 0.03 + 0.012 * sine(0.6 * np.asarray(motion.stride) + 0.31 * k))
        stage.ellipse(rise, 0.0, 0.0, 0.13, 0.014, foam)


def kite(stage: Stage, pose: Pose, motion: Motion, color: Color, look: Look) -> None:
    tone = look.subject(color)
    other = look.subject(lighter(color, 0.55) if color[0] + color[1] + color[2] < 640 else (232, 96, 92))
    centre = pose.move(0.0, -0.5).turn(motion.roll)
    line = look.subject((110, 104, 116))
    stage.polygon(pose.move(0.0, -0.5), ((0.0, 0.0), (0.016, 0.0), (-0.9, 3.4), (-0.925, 3.4)), line)
    tail = centre.move(0.0, 0.5)
    for k in range(3):
        tail = tail.turn(0.03 * sine(0.9 * np.asarray(motion.stride) + 0.2 * k))
        stage.box(tail, -0.01, 0.0, 0.01, 0.2, line)
        tail = tail.move(0.0, 0.2)
        stage.polygon(
            tail,
            ((-0.1, -0.05), (0.1, 0.05), (0.1, -0.05), (-0.1, 0.05)),
            tone if k % 2 else other,
            convex=False,
        )
    with stage.ink(INK):
        stage.polygon(centre, ((0.0, -0.5), (0.38, -0.1), (0.0, 0.5), (-0.38, -0.1)), tone)
    stage.polygon(centre, ((0.0, -0.5), (0.38, -0.1), (0.0, -0.1)), other)
    stage.polygon(centre, ((0.0, 0.5), (-0.38, -0.1), (0.0, -0.1)), other)
