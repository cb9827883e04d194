"""Hair styles, behind and in front of a head 2 units high about the origin."""

from __future__ import annotations

from moviegen.backlot.exact import draw
from moviegen.backlot.palette import HAIR, MONK, Color, Look, darker, lighter
from moviegen.backlot.pose import Pose
from moviegen.backlot.scene import Person
from moviegen.backlot.stage import Stage

INK = 0.05


def draw_back_hair(stage: Stage, pose: Pose, person: Person, width: float, look: Look) -> None:
    """Hair behind a head `width` wide."""
    hair = darker(look.subject(HAIR[person.hair_color]), 0.22)
    style = person.hair_style
    with stage.ink(INK):
        if style == "long":
            w = width + 0.22
            stage.curve(
                pose,
                (
                    (-0.7 * w, -0.9),
                    (0.7 * w, -0.9),
                    (w, -0.2),
                    (w * 1.08, 1.35),
                    (0.5 * w, 1.6),
                    (-0.5 * w, 1.6),
                    (-w * 1.08, 1.35),
                    (-w, -0.2),
                ),
                hair,
            )
        elif style == "ponytail":
            stage.curve(
                pose,
                (
                    (0.5, -0.75),
                    (0.9, -0.9),
                    (1.28, -0.45),
                    (1.32, 0.3),
                    (1.12, 0.95),
                    (0.98, 0.3),
                    (0.8, -0.2),
                ),
                hair,
            )
        elif style == "bun":
            stage.ellipse(pose, 0.0, -1.16, 0.40, 0.36, hair)
        elif style == "afro":
            stage.ellipse(pose, 0.0, -0.38, 1.28, 1.14, hair)
        elif style == "curly":
            for x, y, r in ((-0.88, -0.1, 0.36), (0.88, -0.1, 0.36), (-0.86, 0.38, 0.30), (0.86, 0.38, 0.30)):
                stage.ellipse(pose, x, y, r, color=hair)


def draw_front_hair(stage: Stage, pose: Pose, person: Person, w: float, hair: Color) -> None:
    """Hair over the forehead and temples of a head w wide."""
    style = person.hair_style
    shine = lighter(hair, 0.22)
    if style == "bald":
        stage.ellipse(pose, -0.24, -0.66, 0.17, 0.09, lighter(MONK[person.skin - 1], 0.25))
        return
    cap = pose
    with stage.ink(INK * 0.8):
        if style == "curly":
            for x, y, r in (
                (-0.74, -0.48, 0.34),
                (-0.34, -0.80, 0.38),
                (0.14, -0.88, 0.38),
                (0.58, -0.66, 0.36),
                (0.82, -0.34, 0.28),
                (-0.88, -0.16, 0.26),
            ):
                stage.ellipse(cap, x, y, r, color=hair)
        elif style == "afro":
            stage.curve(
                cap,
                (
                    (-w * 1.02, -0.10),
                    (-w * 1.12, -0.6),
                    (-0.5, -1.12),
                    (0.5, -1.12),
                    (w * 1.12, -0.6),
                    (w * 1.02, -0.10),
                    (0.62 * w, -0.44),
                    (0.0, -0.54),
                    (-0.62 * w, -0.44),
                ),
                hair,
            )
        else:
            drop = {"short": 0.06, "long": 0.55, "bun": 0.02, "ponytail": 0.04}[style]
            part = 0.32 if draw(person.face, "parting") < 0.5 else -0.32
            stage.curve(
                cap,
                (
                    (-w * 1.06, drop),
                    (-w * 1.10, -0.42),
                    (-w * 0.82, -0.88),
                    (-w * 0.36, -1.10),
                    (w * 0.36, -1.10),
                    (w * 0.82, -0.88),
                    (w * 1.10, -0.42),
                    (w * 1.06, drop),
                    (w * 0.88, -0.20),
                    (w * 0.62, -0.46),
                    (part, -0.64),
                    (-w * 0.62, -0.42),
                    (-w * 0.88, -0.18),
                ),
                hair,
            )
    if style not in ("curly", "afro"):
        stage.curve(
            cap,
            ((-0.52 * w, -0.86), (-0.12, -0.98), (0.16, -0.95), (-0.16, -0.86), (-0.5 * w, -0.74)),
            shine,
        )
    else:
        stage.ellipse(cap, -0.3, -0.86, 0.16, 0.09, shine)
