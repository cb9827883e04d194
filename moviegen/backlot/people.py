"""People: bodies that walk, run, jump, dance, wave and turn; heads come from faces.py, clothes from outfits.py.

An adult is 1 high, standing on the origin. Joints: hips at -0.42, shoulders at -0.70, head centre at -0.845.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from moviegen.backlot.actions import Motion
from moviegen.backlot.exact import Floats, cosine, sine
from moviegen.backlot.faces import TURNED, Features, Head, draw_head
from moviegen.backlot.hair import draw_back_hair
from moviegen.backlot.outfits import WIG, Outfit, draw_hat, draw_tool, outfit
from moviegen.backlot.palette import MONK, Color, Look, darker
from moviegen.backlot.pose import Pose
from moviegen.backlot.scene import Person
from moviegen.backlot.stage import Stage
from moviegen.backlot.uniforms import draw_chest

INK = 0.011
STATURE = {"child": 0.72, "adult": 1.0, "senior": 0.95}
HEAD = {"child": 1.28, "adult": 1.0, "senior": 1.02}
"""Head size against the body's: children have larger ones."""
HEAD_RADIUS = 0.128
HEAD_Y = 0.845
"""Height of the head's middle on an adult."""


def head_height(age: str) -> float:
    """Height of the middle of the head above the ground, in world units."""
    return STATURE[age] * (0.72 + (HEAD_Y - 0.72) * HEAD[age])


def person(
    stage: Stage, pose: Pose, motion: Motion, who: Person, role: str, color: str, look: Look, time_s_T: Floats
) -> Head:
    """Draw somebody; returns where the face is."""
    wear = outfit(role, color, who.face, look)
    skin = look.subject(MONK[who.skin - 1])
    stature, feminine = STATURE[who.age], who.presentation == "feminine" and who.age != "child"
    yaw = np.asarray(motion.yaw) if motion.doing == "spin" else np.float64(0.0)
    body = pose.scale(stature).turn(
        np.asarray(motion.roll) + 0.012 * np.asarray(motion.pace) * np.asarray(motion.facing)
    )
    turned = (
        body.scale(np.where(np.abs(cosine(yaw)) < 0.45, 0.45, np.abs(cosine(yaw))), 1.0)
        if motion.doing == "spin"
        else body
    )
    glance = np.asarray(motion.facing) * (0.9 if motion.doing in ("walk", "run") else 0.25)
    pace = np.asarray(motion.pace)
    neck = body.move(0.0, -0.72).turn(_nod(motion))
    head = neck.move(0.0, -(HEAD_Y - 0.72) * HEAD[who.age]).scale(HEAD_RADIUS * HEAD[who.age])
    draw_back_hair(stage, head, who, Features.of(who).width, look)
    side = np.asarray(motion.facing)
    legs = (_leg_angles(motion, 0.0), _leg_angles(motion, 0.5))
    arms = (_arm_angles(motion, 0.5, -1.0), _arm_angles(motion, 0.0, 1.0))
    gap = 0.048 if not feminine else 0.044
    if pace.any() or motion.doing == "jump":
        gap *= 0.6
    with stage.ink(INK):
        _arm(stage, turned, -0.115 if not feminine else -0.10, arms[0], wear, skin, far=True)
    with stage.ink(INK):
        _leg(stage, turned, -gap, legs[1], side, wear, True)
    with stage.ink(INK):
        _leg(stage, turned, gap, legs[0], side, wear, False)
    hips = turned.move(0.0, -0.42)
    with stage.ink(INK):
        stage.limb(hips, 0.0, -0.26, 0.0, -0.34, 0.042, 0.042, darker(skin, 0.2))
        if wear.robe is not None:
            stage.polygon(hips, ((-0.11, -0.27), (0.11, -0.27), (0.155, 0.34), (-0.155, 0.34)), wear.robe)
        stage.curve(hips, _torso(feminine), wear.shirt)
    if wear.robe is not None:
        stage.polygon(hips, ((-0.115, -0.27), (0.115, -0.27), (0.15, 0.33), (-0.15, 0.33)), wear.robe)
    else:
        stage.box(hips, -0.085, -0.005, 0.085, 0.025, darker(wear.trousers, 0.35))
    before = stage.shown_T
    if motion.doing == "spin":
        stage.shown_T = np.asarray(cosine(yaw) > TURNED)
    draw_chest(stage, hips, role, color, wear, look)
    stage.shown_T = before
    placed = draw_head(stage, head, who, look, yaw, time_s_T, glance)
    draw_hat(stage, head, role, color, look)
    if role == "judge" and motion.doing == "spin":
        stage.shown_T = ~np.asarray(cosine(yaw) > TURNED)
        stage.ellipse(head, 0.0, -0.14, 1.0, 0.98, look.subject(darker(WIG, 0.1)))
        stage.shown_T = before
    with stage.ink(INK):
        hand = _arm(
            stage,
            turned,
            0.115 if not feminine else 0.10,
            arms[1],
            wear,
            skin,
            far=False,
            waving=motion.doing == "wave",
        )
    if motion.doing != "wave":
        draw_tool(stage, hand, role, look)
    return placed


def _torso(feminine: bool) -> tuple[tuple[float, float], ...]:
    if feminine:
        return (
            (-0.105, -0.265),
            (-0.05, -0.295),
            (0.05, -0.295),
            (0.105, -0.265),
            (0.10, -0.16),
            (0.082, -0.08),
            (0.108, 0.035),
            (-0.108, 0.035),
            (-0.082, -0.08),
            (-0.10, -0.16),
        )
    return (
        (-0.13, -0.26),
        (-0.06, -0.295),
        (0.06, -0.295),
        (0.13, -0.26),
        (0.122, -0.12),
        (0.102, 0.035),
        (-0.102, 0.035),
        (-0.122, -0.12),
    )


def _nod(motion: Motion) -> Any:
    if motion.doing == "dance":
        return 0.02 * sine(np.asarray(motion.beat) + 0.1)
    if motion.doing == "wave":
        return 0.012 * sine(0.5 * np.asarray(motion.beat))
    return 0.008 * sine(2.0 * np.asarray(motion.stride))


Angles = tuple[Any, Any]


def _leg_angles(motion: Motion, phase: float) -> Angles:
    """Turns of hip and knee; positive swings back on a figure that faces right."""
    pace, stride, side = np.asarray(motion.pace), np.asarray(motion.stride), np.asarray(motion.facing)
    if motion.doing in ("walk", "run"):
        swing = sine(stride + phase)
        lifted = np.maximum(0.0, cosine(stride + phase))
        return -side * 0.125 * pace * swing, side * (0.02 + 0.24 * pace * lifted)
    if motion.doing == "jump":
        squat = 1.0 - np.asarray(motion.tall)
        bend = np.maximum(0.0, squat) * 0.9 + 0.10 * np.asarray(motion.air) * (1.0 if phase == 0.0 else 0.4)
        return -side * bend, side * 2.0 * bend
    if motion.doing == "dance":
        kick = np.maximum(0.0, sine(np.asarray(motion.beat) + phase))
        return (-1.0 if phase == 0.0 else 1.0) * 0.06 * kick, (1.0 if phase == 0.0 else -1.0) * 0.10 * kick
    return 0.0, 0.0


def _arm_angles(motion: Motion, phase: float, side: float) -> Angles:
    """Turns of shoulder and elbow; `side` is -1 for the arm at the left of the picture."""
    pace, stride = np.asarray(motion.pace), np.asarray(motion.stride)
    heading = np.asarray(motion.facing)
    if motion.doing in ("walk", "run"):
        return -heading * 0.13 * pace * sine(stride + phase), -heading * (0.03 + 0.20 * pace)
    if motion.doing == "wave" and side > 0:
        return -0.395 + 0.02 * sine(np.asarray(motion.beat)), -0.10 + 0.085 * sine(np.asarray(motion.beat))
    if motion.doing == "jump":
        return -side * (0.05 + 0.36 * np.asarray(motion.air)), -side * 0.04
    if motion.doing == "dance":
        up = 0.5 + 0.5 * sine(np.asarray(motion.beat) + (0.25 if side > 0 else 0.75))
        return -side * (0.06 + 0.34 * up), -side * (0.05 + 0.08 * sine(2.0 * np.asarray(motion.beat)))
    if motion.doing == "spin":
        return -side * 0.16, -side * 0.02
    return -side * 0.03, -side * 0.01


def _leg(stage: Stage, body: Pose, x: float, angles: Angles, side: Any, wear: Outfit, far: bool) -> None:
    cloth = darker(wear.trousers, 0.22) if far else wear.trousers
    thigh = body.move(x, -0.43).turn(angles[0])
    shin = thigh.move(0.0, 0.205).turn(angles[1])
    foot = shin.move(0.0, 0.195).scale(np.where(np.asarray(side) < 0, -1.0, 1.0), 1.0)
    stage.limb(foot, -0.008, 0.006, 0.042, 0.012, 0.024, 0.020, darker(wear.shoes, 0.2) if far else wear.shoes)
    stage.limb(shin, 0.0, 0.0, 0.0, 0.17, 0.042, 0.033, cloth)
    stage.limb(thigh, 0.0, 0.0, 0.0, 0.205, 0.055, 0.043, cloth)


def _arm(
    stage: Stage, body: Pose, x: float, angles: Angles, wear: Outfit, skin: Color, *, far: bool, waving: bool = False
) -> Pose:
    cloth = darker(wear.sleeve, 0.2) if far else wear.sleeve
    upper = body.move(x, -0.665).turn(angles[0])
    fore = upper.move(0.0, 0.135).turn(angles[1])
    hand = fore.move(0.0, 0.15)
    tone = skin if not far else darker(skin, 0.15)
    if waving:
        for turns in (-0.10, -0.035, 0.03, 0.095):
            finger = hand.turn(turns)
            stage.limb(finger, 0.0, 0.02, 0.0, 0.064, 0.0115, 0.0095, tone)
        stage.limb(hand, 0.015, 0.0, 0.048, 0.018, 0.0125, 0.010, tone)
    stage.ellipse(hand, 0.0, 0.004, 0.033, 0.034, tone)
    stage.limb(fore, 0.0, 0.0, 0.0, 0.115, 0.036, 0.030, cloth)
    stage.limb(upper, 0.0, 0.0, 0.0, 0.135, 0.041, 0.036, cloth)
    return hand
