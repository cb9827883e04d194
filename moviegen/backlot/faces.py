"""Faces: a head 2 units high about the origin, from an identity's own proportions.

Units: half head heights. The face looks at the camera and may turn by `yaw`; behind a quarter turn one sees hair.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from moviegen.backlot.exact import Floats, cosine, draw, fraction, sine
from moviegen.backlot.hair import draw_back_hair, draw_front_hair
from moviegen.backlot.palette import EYES, HAIR, MONK, Color, Look, darker, lighter, mix
from moviegen.backlot.pose import Pose
from moviegen.backlot.scene import Person
from moviegen.backlot.stage import Stage, ring

INK = 0.05
TURNED = 0.18
"""Cosine of the yaw below which a face is turned away."""


@dataclass(frozen=True, slots=True)
class Features:
    """The proportions of one face, in half head heights."""

    width: float
    jaw: float
    eye_gap: float
    eye_y: float
    eye: float
    slant: float
    nose_w: float
    nose_h: float
    mouth_w: float
    mouth_y: float
    lips: float
    brow: float
    brow_tilt: float
    freckles: bool

    @classmethod
    def of(cls, person: Person) -> Features:
        """Drawn from the face's number alone, then shifted by presentation and age."""

        def number(name: str, low: float, high: float) -> float:
            return draw(person.face, f"face/{name}", low, high)

        feminine, child = person.presentation == "feminine", person.age == "child"
        return cls(
            width=number("width", 0.76, 0.90) + (0.05 if child else 0.0),
            jaw=number("jaw", 0.60, 0.86) + (-0.05 if feminine else 0.07),
            eye_gap=number("eye_gap", 0.31, 0.41),
            eye_y=number("eye_y", -0.10, 0.04) + (0.08 if child else 0.0),
            eye=number("eye", 0.125, 0.17) + (0.035 if child else 0.015 if feminine else 0.0),
            slant=number("slant", -0.02, 0.03),
            nose_w=number("nose_w", 0.08, 0.17) * (0.8 if child else 1.0),
            nose_h=number("nose_h", 0.22, 0.36) * (0.75 if child else 1.0),
            mouth_w=number("mouth_w", 0.22, 0.36),
            mouth_y=number("mouth_y", 0.50, 0.60),
            lips=number("lips", 0.045, 0.085) + (0.03 if feminine and not child else 0.0),
            brow=number("brow", 0.035, 0.065) + (0.0 if feminine or child else 0.025),
            brow_tilt=number("brow_tilt", -0.03, 0.03),
            freckles=number("freckles", 0.0, 1.0) < 0.22,
        )

    def landmarks_52(self) -> Floats:
        """Left eye, right eye, nose tip, left and right mouth corner as the viewer sees them (insightface's order)."""
        return np.array(
            [
                (-self.eye_gap, self.eye_y),
                (self.eye_gap, self.eye_y),
                (0.0, self.eye_y + self.nose_h + 0.06),
                (-self.mouth_w, self.mouth_y - 0.02),
                (self.mouth_w, self.mouth_y - 0.02),
            ]
        )


@dataclass(slots=True)
class Head:
    """Where a face is: pose of the features (for landmarks) and the frames in which they are seen."""

    pose: Pose
    features: Features
    shown_T: Any


def head_outline(f: Features) -> Floats:
    """The skull and jaw."""
    points = ring(0.0, 0.0, 1.0, 1.0).copy()
    x, y = points[:, 0], points[:, 1]
    low = np.maximum(0.0, y)
    points[:, 0] = x * (f.width + (f.jaw - f.width) * low * low * 0.8)
    points[:, 1] = np.where(y > 0, y * 0.98, y * 0.94)
    return points


def _jaw_shade(f: Features) -> Floats:
    """The part of the face turned from the light: between the outline and a copy moved towards the light."""
    outline = head_outline(f)
    rim = outline[:17]
    inner = rim[::-1] * np.array([0.90, 0.93]) + np.array([-0.05, -0.03])
    return np.concatenate([rim, inner])


def draw_head(stage: Stage, pose: Pose, person: Person, look: Look, yaw: Any, time_s_T: Floats, glance: Any) -> Head:
    """Head, face and the hair in front. yaw: turns; glance: a small turn to the side, -1 to 1."""
    f = Features.of(person)
    skin = look.subject(MONK[person.skin - 1])
    hair = look.subject(HAIR[person.hair_color])
    facing, side = cosine(yaw), sine(yaw)
    front = np.broadcast_to(np.asarray(facing > TURNED), time_s_T.shape)
    turning = bool((np.asarray(yaw) != 0.0).any())
    face = (
        pose.move(0.62 * side + 0.10 * glance, 0.0).scale(np.maximum(0.12, facing), 1.0)
        if turning
        else pose.move(0.10 * glance, 0.0)
    )
    # On the darkest skins lines are drawn lighter than the skin, so that all faces read equally well.
    shade = darker(skin, 0.22) if person.skin < 8 else lighter(skin, 0.15)
    with stage.ink(INK):
        if person.hair_style not in ("long",):
            for x in (-1.0, 1.0):
                ear = pose.move(x * (f.width + 0.01), f.eye_y + 0.14)
                stage.ellipse(ear, 0.0, 0.0, 0.13, 0.19, mix(skin, shade, 0.5))
        stage.polygon(pose, head_outline(f), skin)
    stage.polygon(pose, _jaw_shade(f), mix(skin, shade, 0.42), convex=False)
    before = stage.shown_T
    if turning:
        stage.shown_T = front if before is None else front & before
    _face(stage, face, person, f, look, skin, shade, time_s_T)
    stage.shown_T = before
    draw_front_hair(stage, pose, person, f.width, hair)
    if turning:
        back = ~front
        stage.shown_T = back if before is None else back & before
        if person.hair_style == "long":
            draw_back_hair(stage, pose, person, f.width, look)
        elif person.hair_style != "bald":
            stage.ellipse(pose, 0.0, -0.12, f.width * 1.05, 0.92, darker(hair, 0.12))
        stage.shown_T = before
    return Head(face, f, front if before is None else front & before)


def _face(
    stage: Stage,
    face: Pose,
    person: Person,
    f: Features,
    look: Look,
    skin: Color,
    shade: Color,
    time_s_T: Floats,
) -> None:
    blush = mix(skin, look.subject((232, 106, 96)), 0.30 if person.skin < 8 else 0.16)
    for x in (-1.0, 1.0):
        stage.ellipse(face, x * (f.eye_gap + 0.10), f.eye_y + 0.36, 0.15, 0.11, blush)
    if f.freckles and person.skin < 7:
        for x, y in ((-0.46, 0.30), (-0.34, 0.36), (-0.40, 0.24), (0.46, 0.30), (0.34, 0.36), (0.40, 0.24)):
            stage.ellipse(face, x, f.eye_y + y, 0.022, color=darker(skin, 0.3))
    if person.age == "senior":
        _wrinkles(stage, face, f, darker(skin, 0.30) if person.skin < 8 else lighter(skin, 0.2))
    hair = look.subject(HAIR[person.hair_color])
    if person.beard == "full":
        _beard(stage, face, f, hair)
    if person.glasses:
        _lenses(stage, face, person, f, skin)
    _eyes(stage, face, person, f, time_s_T)
    for x in (-1.0, 1.0):
        brow = face.move(x * f.eye_gap, f.eye_y - f.eye - 0.13).turn(x * (0.02 + f.brow_tilt))
        stage.limb(
            brow,
            -0.15,
            0.02,
            0.15,
            -0.01,
            f.brow * (0.8 if x > 0 else 1.0),
            f.brow,
            mix(darker(hair, 0.25), skin, 0.1),
        )
    _nose(stage, face, f, shade)
    if person.beard == "moustache":
        for x in (-1.0, 1.0):
            stage.limb(face, x * 0.05, f.mouth_y - 0.13, x * (f.mouth_w + 0.02), f.mouth_y - 0.07, 0.075, 0.035, hair)
    _mouth(stage, face, person, f, look, skin)


def _wrinkles(stage: Stage, face: Pose, f: Features, tone: Color) -> None:
    for x in (-1.0, 1.0):
        stage.limb(face, x * 0.20, f.eye_y + f.nose_h + 0.02, x * (f.mouth_w + 0.08), f.mouth_y, 0.018, 0.018, tone)
        stage.limb(
            face,
            x * (f.eye_gap - 0.1),
            f.eye_y + f.eye + 0.10,
            x * (f.eye_gap + 0.12),
            f.eye_y + f.eye + 0.08,
            0.016,
            0.016,
            tone,
        )
    for y in (0.40, 0.52):
        stage.limb(face, -0.3, f.eye_y - y, 0.3, f.eye_y - y, 0.015, 0.015, tone)


def _beard(stage: Stage, face: Pose, f: Features, hair: Color) -> None:
    """Along the jaw and under the nose; the cheeks stay free."""
    w, j, y = f.width, f.jaw, f.mouth_y
    right = ((0.97 * w, 0.10), (0.96 * w, 0.44), (0.84 * j, 0.82), (0.40, 1.10))
    inner = ((0.42 * w, y - 0.10), (0.62 * w, y - 0.06), (0.82 * w, 0.42))
    stage.curve(
        face,
        (
            *right,
            (0.0, 1.17),
            *((-x, v) for x, v in reversed(right)),
            *((-x, v) for x, v in reversed(inner)),
            (0.0, y - 0.16),
            *inner,
        ),
        hair,
    )


def _lenses(stage: Stage, face: Pose, person: Person, f: Features, skin: Color) -> None:
    frame: Color = (44, 40, 52) if person.skin < 8 else (226, 186, 104)
    r = f.eye + 0.12
    stage.box(face, -f.eye_gap, f.eye_y - 0.035, f.eye_gap, f.eye_y + 0.02, frame)
    for x in (-1.0, 1.0):
        stage.box(
            face,
            min(x * f.eye_gap, x * f.width * 0.98),
            f.eye_y - 0.04,
            max(x * f.eye_gap, x * f.width * 0.98),
            f.eye_y + 0.015,
            frame,
        )
    for x in (-1.0, 1.0):
        stage.ellipse(face, x * f.eye_gap, f.eye_y, r + 0.045, r * 0.95 + 0.045, frame)
        stage.ellipse(face, x * f.eye_gap, f.eye_y, r, r * 0.95, lighter(skin, 0.30 if person.skin < 8 else 0.16))


def _eyes(stage: Stage, face: Pose, person: Person, f: Features, time_s_T: Floats) -> None:
    beat = fraction(time_s_T / 2.9 + draw(person.face, "blink", 0.05, 0.95))
    open_T = np.where(beat < 0.045, 0.12, 1.0)
    iris = EYES[person.eye_color]
    lash: Color = (38, 26, 32)
    feminine = person.presentation == "feminine"
    for x in (-1.0, 1.0):
        eye = face.move(x * f.eye_gap, f.eye_y).turn(x * f.slant).scale(1.0, open_T)
        r = f.eye
        stage.ellipse(eye, 0.0, -0.12 * r, 1.20 * r, 1.02 * r, lash)
        if feminine:
            stage.polygon(eye, ((x * 0.7 * r, -0.8 * r), (x * 1.7 * r, -1.15 * r), (x * 1.1 * r, -0.2 * r)), lash)
        stage.ellipse(eye, 0.0, 0.05 * r, 1.10 * r, 0.90 * r, (252, 252, 250))
        stage.ellipse(eye, 0.0, 0.02 * r, 0.76 * r, 0.82 * r, darker(iris, 0.35))
        stage.ellipse(eye, 0.0, 0.06 * r, 0.66 * r, 0.72 * r, iris)
        stage.ellipse(eye, 0.0, 0.05 * r, 0.36 * r, 0.40 * r, (20, 16, 22))
        stage.ellipse(eye, 0.24 * r, -0.26 * r, 0.22 * r, color=(255, 255, 255))


def _nose(stage: Stage, face: Pose, f: Features, shade: Color) -> None:
    top, tip = f.eye_y + 0.10, f.eye_y + f.nose_h + 0.06
    stage.polygon(face, ((0.0, top), (f.nose_w, tip), (0.0, tip + 0.055), (-0.6 * f.nose_w, tip)), shade)


def _mouth(stage: Stage, face: Pose, person: Person, f: Features, look: Look, skin: Color) -> None:
    """A smile: lips, the dark of the mouth, and teeth."""
    w, y, lip = f.mouth_w, f.mouth_y, f.lips
    red = mix(skin, look.subject((196, 46, 62)), 0.62 if person.presentation == "feminine" else 0.36)
    dark = darker(mix(skin, (120, 30, 44), 0.6), 0.3)
    low = y + 0.11
    stage.polygon(face, _smile(1.06 * w, y - 0.075 - 0.3 * lip, y - 0.01 - 0.6 * lip, low + lip), red, convex=False)
    stage.polygon(face, _smile(0.96 * w, y - 0.06, y - 0.005, low), dark, convex=False)
    stage.polygon(face, _smile(0.80 * w, y - 0.045, y - 0.002, y + 0.045), (252, 250, 246), convex=False)


_ARC = np.arange(-4, 5) / 4.0


def _smile(w: float, corner: float, upper: float, lower: float) -> Floats:
    """Two parabolas that meet in the corners."""
    dip = 1.0 - _ARC * _ARC
    top = np.stack([w * _ARC, corner + (upper - corner) * dip], axis=1)
    bottom = np.stack([w * _ARC[::-1], corner + (lower - corner) * dip], axis=1)
    return np.concatenate([top, bottom[1:-1]])
