"""Animals: dog, cat, horse, rabbit and elephant on four legs; bird; fish.

Each is drawn about 1 unit high, facing right, standing on the origin (bird and fish in flight hang above it).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from moviegen.backlot.actions import Motion
from moviegen.backlot.exact import cosine, sine
from moviegen.backlot.palette import Color, Look, darker, lighter, mix
from moviegen.backlot.pose import Pose
from moviegen.backlot.stage import Stage

INK = 0.022
Bar = tuple[float, float, float, float, float, float]
"""A limb: x0, y0, x1, y1, r0, r1."""


@dataclass(frozen=True, slots=True)
class Build:
    """The proportions of a four-legged animal."""

    body: Bar
    hips: tuple[float, float]
    shoulders: tuple[float, float]
    leg: float
    leg_r: tuple[float, float]
    neck: Bar
    head: tuple[float, float, float]
    snout: Bar
    ear: str
    tail: str
    belly: bool = True


BUILDS: dict[str, Build] = {
    "dog": Build(
        (-0.36, -0.53, 0.26, -0.57, 0.185, 0.20),
        (-0.36, -0.44),
        (0.27, -0.44),
        0.44,
        (0.085, 0.055),
        (0.30, -0.62, 0.46, -0.80, 0.13, 0.11),
        (0.50, -0.82, 0.18),
        (0.56, -0.77, 0.73, -0.75, 0.095, 0.075),
        "floppy",
        "up",
    ),
    "cat": Build(
        (-0.34, -0.46, 0.24, -0.48, 0.165, 0.16),
        (-0.34, -0.38),
        (0.25, -0.38),
        0.38,
        (0.07, 0.048),
        (0.26, -0.52, 0.40, -0.70, 0.11, 0.11),
        (0.44, -0.76, 0.195),
        (0.52, -0.70, 0.58, -0.70, 0.085, 0.07),
        "pointed",
        "curl",
    ),
    "horse": Build(
        (-0.36, -0.60, 0.24, -0.60, 0.16, 0.165),
        (-0.38, -0.52),
        (0.26, -0.52),
        0.52,
        (0.065, 0.035),
        (0.26, -0.64, 0.46, -0.90, 0.13, 0.085),
        (0.49, -0.92, 0.09),
        (0.50, -0.91, 0.68, -0.78, 0.085, 0.06),
        "horse",
        "long",
    ),
    "rabbit": Build(
        (-0.24, -0.30, 0.14, -0.33, 0.235, 0.18),
        (-0.24, -0.20),
        (0.18, -0.22),
        0.21,
        (0.085, 0.06),
        (0.18, -0.38, 0.28, -0.50, 0.12, 0.12),
        (0.31, -0.56, 0.17),
        (0.38, -0.52, 0.44, -0.51, 0.08, 0.07),
        "long",
        "puff",
    ),
    "elephant": Build(
        (-0.34, -0.58, 0.22, -0.60, 0.29, 0.27),
        (-0.38, -0.42),
        (0.26, -0.42),
        0.42,
        (0.125, 0.105),
        (0.26, -0.66, 0.42, -0.72, 0.2, 0.2),
        (0.48, -0.74, 0.215),
        (0.60, -0.70, 0.66, -0.50, 0.115, 0.085),
        "fan",
        "thin",
        False,
    ),
}


def quadruped(stage: Stage, pose: Pose, motion: Motion, color: Color, look: Look, kind: str) -> None:
    build = BUILDS[kind]
    coat = look.subject(color)
    far, pale = darker(coat, 0.30), lighter(coat, 0.42 if color[0] + color[1] + color[2] < 620 else 0.1)
    pose = pose.scale(motion.facing, 1.0)
    trunk = pose.turn(
        np.asarray(motion.air) * -0.03 + 0.012 * np.asarray(motion.pace) * sine(2.0 * np.asarray(motion.stride))
    )
    with stage.ink(INK):
        _leg(stage, trunk, build, motion, build.hips, 0.62, far, -0.03)
        _leg(stage, trunk, build, motion, build.shoulders, 0.12, far, 0.05)
    _tail(stage, trunk, build, motion, coat, pale)
    if build.ear in ("pointed", "horse", "long"):
        with stage.ink(INK):
            _ear(stage, trunk, build, motion, far, -0.09)
    with stage.ink(INK):
        _leg(stage, trunk, build, motion, build.hips, 0.0, coat, 0.0)
        _leg(stage, trunk, build, motion, build.shoulders, 0.5, coat, 0.0)
        stage.limb(trunk, *build.body, coat)
        stage.limb(trunk, *build.neck, coat)
    if build.belly:
        x0, y0, x1, y1, r0, r1 = build.body
        stage.limb(trunk, x0 + 0.05, y0 + 0.6 * r0, x1 - 0.05, y1 + 0.6 * r1, 0.3 * r0, 0.3 * r1, pale)
    _head(stage, trunk, build, motion, kind, coat, pale, look)


def _leg(
    stage: Stage,
    trunk: Pose,
    build: Build,
    motion: Motion,
    at: tuple[float, float],
    phase: float,
    color: Color,
    shift: float,
) -> None:
    swing = sine(np.asarray(motion.stride) + phase)
    bend = np.maximum(0.0, cosine(np.asarray(motion.stride) + phase))
    rear = at[0] < 0
    tuck = np.asarray(motion.air) * (0.10 if rear else -0.10)
    upper = trunk.move(at[0] + shift, at[1]).turn(-0.115 * motion.pace * swing + tuck)
    half = 0.5 * build.leg
    r0, r1 = build.leg_r
    knee = upper.move(0.0, half).turn((0.13 if rear else 0.15) * motion.pace * bend + 0.5 * np.abs(tuck))
    stage.limb(upper, 0.0, 0.0, 0.0, half, r0, 0.5 * (r0 + r1), color)
    stage.limb(knee, 0.0, 0.0, 0.0, half - r1, 0.5 * (r0 + r1), r1, color)
    stage.limb(knee, 0.0, half - 0.8 * r1, 0.55 * r1, half - 0.8 * r1, 0.8 * r1, 0.7 * r1, darker(color, 0.25))


def _tail(stage: Stage, trunk: Pose, build: Build, motion: Motion, coat: Color, pale: Color) -> None:
    x, y = build.body[0] - 0.8 * build.body[4], build.body[1] - 0.35 * build.body[4]
    wag = 0.05 * sine(2.0 * np.asarray(motion.stride) + 0.1)
    root = trunk.move(x, y).turn(wag)
    with stage.ink(INK):
        if build.tail == "up":
            stage.limb(root, 0.04, 0.02, -0.16, -0.26, 0.055, 0.035, coat)
        elif build.tail == "curl":
            stage.limb(root, 0.04, 0.02, -0.20, -0.14, 0.05, 0.042, coat)
            stage.limb(root.move(-0.20, -0.14).turn(wag), 0.0, 0.0, -0.02, -0.25, 0.042, 0.035, coat)
        elif build.tail == "long":
            dark = darker(coat, 0.45)
            stage.polygon(
                root,
                ((0.05, -0.04), (-0.06, -0.05), (-0.15, 0.12), (-0.14, 0.36), (-0.07, 0.26), (-0.02, 0.08)),
                dark,
                convex=False,
            )
        elif build.tail == "puff":
            stage.ellipse(root, -0.02, 0.02, 0.085, color=lighter(pale, 0.5))
        else:
            stage.limb(root, 0.03, 0.02, -0.07, 0.22, 0.022, 0.016, coat)
            stage.ellipse(root, -0.075, 0.25, 0.03, 0.045, darker(coat, 0.5))


def _ear(stage: Stage, trunk: Pose, build: Build, motion: Motion, color: Color, shift: float) -> None:
    x, y, r = build.head
    nod = 0.02 * sine(2.0 * np.asarray(motion.stride))
    base = trunk.move(x + shift, y - 0.75 * r).turn(nod)
    if build.ear == "pointed":
        stage.polygon(base, ((-0.085, 0.04), (-0.045, -0.17), (0.075, 0.0)), color)
    elif build.ear == "horse":
        stage.polygon(base, ((-0.045, 0.03), (-0.025, -0.11), (0.04, 0.02)), color)
    elif build.ear == "long":
        stage.limb(base.turn(-0.045), 0.0, 0.05, 0.0, -0.31, 0.05, 0.045, color)


def _head(
    stage: Stage, trunk: Pose, build: Build, motion: Motion, kind: str, coat: Color, pale: Color, look: Look
) -> None:
    x, y, r = build.head
    nose = darker(coat, 0.75) if kind not in {"cat", "rabbit"} else look.subject((232, 138, 142))
    head = trunk
    if build.ear == "horse":
        _mane(stage, trunk, coat)
    with stage.ink(INK):
        if build.ear in ("pointed", "horse", "long"):
            _ear(stage, head, build, motion, coat, -0.01)
        stage.ellipse(head, x, y, r, 0.94 * r, coat)
        stage.limb(head, *build.snout, coat if kind in ("elephant", "horse") else pale)
        if kind == "elephant":
            curl = head.move(0.66, -0.50).turn(0.035 * sine(np.asarray(motion.stride)))
            stage.limb(curl, 0.0, 0.0, 0.02, 0.20, 0.085, 0.062, coat)
            stage.limb(curl.move(0.02, 0.20).turn(-0.08), 0.0, 0.0, 0.06, 0.09, 0.062, 0.048, coat)
    if kind in ("dog", "cat", "rabbit", "horse"):
        x1, y1, r1 = build.snout[2], build.snout[3], build.snout[5]
        if kind == "horse":
            stage.limb(head, x1 - 0.03, y1 - 0.02, x1, y1, 0.055, 0.055, pale)
            stage.ellipse(head, x1 + 0.02, y1 - 0.015, 0.014, 0.018, darker(coat, 0.7))
        else:
            stage.ellipse(head, x1 + 0.55 * r1, y1 - 0.45 * r1, 0.6 * r1, 0.45 * r1, nose)
    if kind == "elephant":
        stage.polygon(head, ((0.56, -0.58), (0.61, -0.60), (0.74, -0.48), (0.72, -0.45)), look.subject((250, 246, 226)))
    if build.ear == "floppy":
        ear = head.move(x - 0.09, y - 0.10).turn(0.03 * sine(2.0 * np.asarray(motion.stride) + 0.3))
        with stage.ink(INK):
            stage.limb(ear, 0.0, 0.0, -0.05, 0.21, 0.055, 0.08, darker(coat, 0.35))
    elif build.ear == "fan":
        ear = head.move(x - 0.12, y - 0.04).scale(1.0 + 0.10 * sine(np.asarray(motion.stride) + 0.2), 1.0)
        with stage.ink(INK):
            stage.ellipse(ear, -0.05, 0.02, 0.19, 0.235, lighter(coat, 0.12))
        stage.ellipse(ear, -0.05, 0.03, 0.125, 0.165, mix(coat, (232, 160, 160), 0.35))
    elif build.ear == "pointed":
        stage.polygon(
            head.move(x - 0.02, y - 0.72 * r),
            ((-0.05, 0.0), (-0.03, -0.10), (0.035, -0.01)),
            look.subject((236, 160, 158)),
        )
    elif build.ear == "long":
        stage.limb(
            head.move(x - 0.01, y - 0.75 * r).turn(-0.045),
            0.0,
            0.0,
            0.0,
            -0.27,
            0.022,
            0.022,
            look.subject((238, 172, 172)),
        )
    _eye(
        stage,
        head,
        x + 0.30 * r,
        y - 0.14 * r,
        (0.26 if kind not in ("horse", "elephant") else 0.17) * max(r, 0.12),
    )


def _mane(stage: Stage, trunk: Pose, coat: Color) -> None:
    stage.curve(
        trunk,
        ((0.47, -1.02), (0.52, -0.98), (0.40, -0.84), (0.24, -0.66), (0.14, -0.74), (0.30, -0.93)),
        darker(coat, 0.5),
    )


def _eye(stage: Stage, pose: Pose, x: float, y: float, r: float) -> None:
    stage.ellipse(pose, x, y, r * 1.05, r * 1.15, (252, 252, 248))
    stage.ellipse(pose, x + 0.18 * r, y, 0.72 * r, 0.86 * r, (34, 28, 36))
    stage.ellipse(pose, x + 0.38 * r, y - 0.34 * r, 0.26 * r, color=(255, 255, 255))


def bird(stage: Stage, pose: Pose, motion: Motion, color: Color, look: Look) -> None:
    coat = look.subject(color)
    pale, dark = lighter(coat, 0.5), darker(coat, 0.3)
    beak = look.subject((248, 176, 52))
    flying = motion.doing in ("fly", "collide", "idle")
    pose = (
        pose.move(0.0, -0.42 if not flying else 0.0)
        .scale(motion.facing, 1.0)
        .turn(np.asarray(motion.roll) * motion.facing)
    )
    body = pose.turn(-0.03)
    beat: Any = sine(np.asarray(motion.stride)) if flying else np.asarray(motion.air) * 0.9 - 0.75
    if not flying:
        for x in (-0.02, 0.10):
            stage.limb(pose, x, 0.20, x, 0.40, 0.022, 0.022, beak)
            stage.limb(pose, x, 0.405, x + 0.09, 0.405, 0.022, 0.016, beak)
    with stage.ink(INK):
        stage.polygon(body, ((-0.30, -0.05), (-0.72, -0.10), (-0.74, 0.08), (-0.32, 0.10)), dark)
        _wing(stage, body.move(0.10, -0.10), beat, dark)
    with stage.ink(INK):
        stage.ellipse(body, 0.0, 0.0, 0.40, 0.25, coat)
        stage.ellipse(body, 0.34, -0.19, 0.20, 0.19, coat)
        stage.polygon(body, ((0.51, -0.25), (0.74, -0.15), (0.50, -0.10)), beak)
    stage.ellipse(body, 0.08, 0.10, 0.27, 0.13, pale)
    _eye(stage, body, 0.40, -0.24, 0.055)
    with stage.ink(INK):
        _wing(stage, body.move(-0.02, -0.08), beat, mix(coat, dark, 0.4))


def _wing(stage: Stage, at: Pose, beat: Any, color: Color) -> None:
    wing = at.scale(1.0, -0.95 * beat)
    stage.curve(wing, ((0.16, 0.0), (-0.02, 0.42), (-0.26, 0.60), (-0.34, 0.44), (-0.24, 0.0)), color)


def fish(stage: Stage, pose: Pose, motion: Motion, color: Color, look: Look) -> None:
    coat = look.subject(color)
    pale, dark = lighter(coat, 0.5), darker(coat, 0.3)
    turn = cosine(np.asarray(motion.yaw)) if motion.doing == "spin" else 1.0
    turn = np.where(np.abs(turn) < 0.12, np.where(np.asarray(turn) < 0, -0.12, 0.12), turn)
    body = pose.scale(motion.facing * turn, 1.0).turn(
        np.asarray(motion.roll) * motion.facing - 0.06 * np.asarray(motion.air)
    )
    beat = (
        np.asarray(motion.stride)
        if motion.doing in ("swim", "collide", "idle")
        else 4.0 * np.asarray(motion.yaw) + 2.0 * np.asarray(motion.beat)
    )
    flick = 1.0 + 0.32 * sine(beat)
    tail = body.move(-0.52, 0.0).scale(flick, 1.0)
    with stage.ink(INK):
        stage.polygon(tail, ((0.06, 0.0), (-0.34, -0.34), (-0.26, 0.0), (-0.34, 0.34)), dark, convex=False)
        stage.polygon(body, ((0.16, -0.30), (-0.14, -0.56), (-0.34, -0.40), (-0.26, -0.20)), dark)
        stage.polygon(body, ((0.02, 0.30), (-0.22, 0.50), (-0.26, 0.22)), dark)
    with stage.ink(INK):
        stage.ellipse(body, 0.0, 0.0, 0.60, 0.36, coat)
    stage.ellipse(body, 0.06, 0.13, 0.42, 0.19, pale)
    for x, h in ((-0.30, 0.27), (-0.05, 0.34)):
        stage.polygon(
            body,
            ((x, -h), (x + 0.10, -h * 1.02), (x + 0.06, 0.0), (x + 0.10, h), (x, h * 0.98), (x - 0.05, 0.0)),
            mix(coat, (255, 255, 255), 0.72),
            convex=False,
        )
    fin = body.move(0.04, 0.08).turn(0.07 * sine(beat + 0.25))
    stage.polygon(fin, ((0.08, 0.0), (-0.20, 0.20), (-0.22, 0.0)), dark)
    _eye(stage, body, 0.36, -0.09, 0.095)
    stage.limb(body, 0.50, 0.10, 0.56, 0.08, 0.014, 0.014, darker(coat, 0.6))
