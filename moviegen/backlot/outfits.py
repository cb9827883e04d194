"""Clothes, hats and tools of the roles.

Units: the adult body of people.py (1 high) for clothes; half head heights for hats.
"""

from __future__ import annotations

from dataclasses import dataclass

from moviegen.backlot.exact import draw
from moviegen.backlot.palette import COLORS, Color, Look, darker, lighter
from moviegen.backlot.pose import Pose
from moviegen.backlot.stage import Stage

WHITE: Color = (248, 248, 246)
WIG: Color = (236, 232, 222)


@dataclass(frozen=True, slots=True)
class Outfit:
    """Colours of what a person wears, already lit. coat: an open garment over the shirt; robe: reaches the feet."""

    shirt: Color
    sleeve: Color
    trousers: Color
    shoes: Color
    coat: Color | None = None
    robe: Color | None = None


_TROUSERS: tuple[Color, ...] = ((58, 70, 108), (84, 82, 92), (120, 96, 76), (70, 90, 84))


def outfit(role: str, color: str, face: int, look: Look) -> Outfit:
    """What somebody in a role wears when their clothes are of a colour."""
    own = COLORS[color]
    legs = _TROUSERS[int(draw(face, "trousers") * len(_TROUSERS))]
    if max(abs(a - b) for a, b in zip(own, legs, strict=True)) < 40:
        legs = (196, 180, 150)
    shoes: Color = (70, 52, 50)
    coats: dict[str, Color] = {"doctor": WHITE, "manager": (52, 56, 74)}
    robes: dict[str, Color] = {"judge": (40, 36, 48)}
    sleeves = {
        "doctor": WHITE,
        "chef": WHITE,
        "manager": (52, 56, 74),
        "judge": (40, 36, 48),
        "farmer": (232, 222, 200),
    }
    shirts = {"chef": WHITE, "farmer": (232, 222, 200), "manager": WHITE}
    trousers = {
        "nurse": own,
        "police officer": darker(own, 0.4),
        "farmer": own,
        "firefighter": own,
        "manager": (52, 56, 74),
        "chef": (70, 70, 80),
        "judge": (40, 36, 48),
    }

    def lit(tone: Color) -> Color:
        return look.subject(tone)

    return Outfit(
        shirt=lit(shirts.get(role, own)),
        sleeve=lit(sleeves.get(role, own)),
        trousers=lit(trousers.get(role, legs)),
        shoes=lit(shoes),
        coat=lit(coats[role]) if role in coats else None,
        robe=lit(robes[role]) if role in robes else None,
    )


def draw_cross(stage: Stage, pose: Pose, x: float, y: float, r: float, color: Color) -> None:
    """A red-cross shape: two bars, 2 r long."""
    stage.box(pose, x - r, y - 0.33 * r, x + r, y + 0.33 * r, color)
    stage.box(pose, x - 0.33 * r, y - r, x + 0.33 * r, y + r, color)


def draw_hat(stage: Stage, head: Pose, role: str, color: str, look: Look) -> None:
    """The role's hat on a head 2 high about the origin."""
    own, white = look.subject(COLORS[color]), look.subject(WHITE)
    ink = 0.045
    if role == "chef":
        with stage.ink(ink):
            for x, y, r in ((-0.52, -1.42, 0.40), (0.52, -1.42, 0.40), (0.0, -1.58, 0.48)):
                stage.ellipse(head, x, y, r, color=white)
            stage.polygon(head, ((-0.72, -0.68), (0.72, -0.68), (0.78, -1.3), (-0.78, -1.3)), white)
        stage.box(head, -0.73, -0.86, 0.73, -0.68, darker(white, 0.14))
    elif role == "nurse":
        with stage.ink(ink):
            stage.polygon(head, ((-0.58, -0.74), (0.58, -0.74), (0.66, -1.18), (0.0, -1.30), (-0.66, -1.18)), white)
        draw_cross(stage, head, 0.0, -0.98, 0.15, look.subject((222, 58, 62)))
    elif role == "farmer":
        straw = look.subject((236, 196, 108))
        with stage.ink(ink):
            stage.polygon(
                head,
                ((-0.62, -0.70), (-0.56, -1.22), (-0.2, -1.34), (0.2, -1.34), (0.56, -1.22), (0.62, -0.70)),
                straw,
            )
            stage.ellipse(head, 0.0, -0.66, 1.42, 0.20, straw)
        stage.polygon(head, ((-0.63, -0.86), (0.63, -0.86), (0.64, -0.70), (-0.64, -0.70)), look.subject((182, 70, 60)))
    elif role in ("builder", "firefighter"):
        shell = look.subject((250, 204, 40)) if role == "builder" else look.subject((206, 44, 44))
        with stage.ink(ink):
            stage.polygon(
                head,
                (
                    (-0.95, -0.56),
                    (-0.92, -0.92),
                    (-0.62, -1.24),
                    (0.0, -1.36),
                    (0.62, -1.24),
                    (0.92, -0.92),
                    (0.95, -0.56),
                ),
                shell,
            )
            stage.limb(head, -1.04, -0.56, 1.04, -0.56, 0.08, 0.08, darker(shell, 0.12))
        if role == "builder":
            stage.box(head, -0.11, -1.36, 0.11, -0.64, lighter(shell, 0.45))
        else:
            stage.polygon(
                head,
                ((-0.24, -1.12), (0.24, -1.12), (0.18, -0.76), (0.0, -0.66), (-0.18, -0.76)),
                look.subject((248, 214, 92)),
            )
    elif role == "police officer":
        cap = look.subject(darker(COLORS[color], 0.35))
        with stage.ink(ink):
            stage.polygon(
                head,
                ((-0.88, -0.70), (-1.12, -1.10), (-0.5, -1.34), (0.5, -1.34), (1.12, -1.10), (0.88, -0.70)),
                cap,
            )
            stage.polygon(
                head, ((-0.82, -0.60), (0.82, -0.60), (0.5, -0.44), (-0.5, -0.44)), look.subject((30, 28, 36))
            )
        stage.box(head, -0.88, -0.76, 0.88, -0.60, look.subject((30, 28, 36)))
        stage.ellipse(head, 0.0, -0.98, 0.15, 0.17, look.subject((244, 204, 84)))
    elif role == "artist":
        with stage.ink(ink):
            stage.limb(head, 0.1, -1.26, 0.18, -1.40, 0.06, 0.06, darker(own, 0.2))
            stage.polygon(
                head,
                (
                    (-1.02, -0.66),
                    (-1.08, -0.92),
                    (-0.5, -1.26),
                    (0.4, -1.30),
                    (1.1, -1.02),
                    (1.12, -0.78),
                    (0.8, -0.62),
                ),
                own,
            )
    elif role == "judge":
        curl = look.subject(WIG)
        with stage.ink(ink):
            for x in (-1.0, 1.0):
                for y in (0.62, 0.24, -0.14):
                    stage.ellipse(head, x * 1.0, y, 0.24, 0.22, curl)
            stage.polygon(
                head,
                (
                    (-1.02, -0.20),
                    (-1.06, -0.72),
                    (-0.6, -1.16),
                    (0.6, -1.16),
                    (1.06, -0.72),
                    (1.02, -0.20),
                    (0.6, -0.56),
                    (0.0, -0.68),
                    (-0.6, -0.56),
                ),
                curl,
                convex=False,
            )


def draw_tool(stage: Stage, hand: Pose, role: str, look: Look) -> None:
    """What the role holds. Origin in the hand, the forearm coming from above."""
    wood, steel = look.subject((158, 112, 70)), look.subject((176, 184, 194))
    if role == "chef":
        stage.limb(hand, 0.0, 0.0, 0.0, 0.13, 0.009, 0.009, wood)
        stage.ellipse(hand, 0.0, 0.155, 0.026, 0.034, wood)
    elif role == "teacher":
        stage.box(hand, -0.055, -0.03, 0.055, 0.11, look.subject((64, 126, 186)))
        stage.box(hand, -0.045, 0.10, 0.055, 0.118, look.subject((250, 246, 234)))
    elif role == "farmer":
        stage.limb(hand, 0.0, -0.30, 0.0, 0.20, 0.009, 0.009, wood)
        for x in (-0.045, 0.0, 0.045):
            stage.limb(hand, x, -0.30, x, -0.40, 0.007, 0.005, steel)
        stage.box(hand, -0.05, -0.31, 0.05, -0.295, steel)
    elif role == "builder":
        stage.limb(hand, 0.0, -0.02, 0.0, 0.15, 0.011, 0.011, wood)
        stage.box(hand, -0.05, 0.13, 0.05, 0.175, steel)
    elif role == "judge":
        stage.limb(hand, 0.0, 0.0, 0.0, 0.13, 0.009, 0.009, wood)
        stage.box(hand, -0.045, 0.12, 0.045, 0.175, darker(wood, 0.2))
    elif role == "artist":
        stage.limb(hand, 0.0, 0.0, 0.0, 0.13, 0.007, 0.007, wood)
        stage.ellipse(hand, 0.0, 0.145, 0.013, 0.025, look.subject((222, 66, 92)))
    elif role == "manager":
        stage.box(hand, -0.085, 0.03, 0.085, 0.14, look.subject((120, 82, 58)))
        stage.box(hand, -0.085, 0.075, 0.085, 0.085, look.subject((84, 56, 44)))
    elif role == "doctor":
        stage.box(hand, -0.05, 0.0, 0.05, 0.12, look.subject((176, 132, 88)))
        stage.box(hand, -0.042, 0.015, 0.042, 0.112, look.subject(WHITE))
