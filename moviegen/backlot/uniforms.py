"""What roles wear on the chest.

The origin lies between the hips, shoulders at -0.28, in adult heights; `own` is the colour of the person's clothes.
"""

from __future__ import annotations

from collections.abc import Callable

from moviegen.backlot.outfits import WHITE, Outfit, draw_cross
from moviegen.backlot.palette import COLORS, Color, Look, darker
from moviegen.backlot.pose import Pose
from moviegen.backlot.stage import Stage

GOLD: Color = (244, 204, 84)


def draw_chest(stage: Stage, chest: Pose, role: str, color: str, wear: Outfit, look: Look) -> None:
    """Draw what the role wears over the shirt; a collar for those without a role."""
    if wear.coat is not None:
        _coat(stage, chest, wear.coat)
    if role in _CHESTS:
        _CHESTS[role](stage, chest, look.subject(COLORS[color]), look)
    else:
        stage.polygon(chest, ((-0.04, -0.29), (0.04, -0.29), (0.0, -0.25)), darker(wear.shirt, 0.3))


def _coat(stage: Stage, chest: Pose, coat: Color) -> None:
    for x in (-1.0, 1.0):
        stage.polygon(
            chest,
            (
                (x * 0.128, -0.27),
                (x * 0.05, -0.285),
                (x * 0.03, -0.10),
                (x * 0.045, 0.10),
                (x * 0.125, 0.10),
                (x * 0.115, -0.05),
            ),
            coat,
            convex=False,
        )
        stage.polygon(chest, ((x * 0.05, -0.285), (x * 0.085, -0.22), (x * 0.032, -0.12)), darker(coat, 0.18))


def _doctor(stage: Stage, chest: Pose, _own: Color, look: Look) -> None:
    for x in (-0.045, 0.045):
        stage.limb(chest, x, -0.28, 0.5 * x, -0.17, 0.008, 0.008, look.subject((58, 66, 80)))
    stage.ellipse(chest, 0.0, -0.155, 0.02, color=look.subject((150, 160, 172)))


def _nurse(stage: Stage, chest: Pose, _own: Color, look: Look) -> None:
    stage.polygon(chest, ((-0.045, -0.285), (0.045, -0.285), (0.0, -0.21)), look.subject(WHITE))
    draw_cross(stage, chest, 0.065, -0.20, 0.022, look.subject((222, 58, 62)))


def _chef(stage: Stage, chest: Pose, own: Color, look: Look) -> None:
    stage.polygon(chest, ((-0.06, -0.29), (0.06, -0.29), (0.0, -0.20)), own)
    for y in (-0.17, -0.10, -0.03):
        for x in (-0.035, 0.035):
            stage.ellipse(chest, x, y, 0.011, color=look.subject((84, 84, 96)))


def _farmer(stage: Stage, chest: Pose, own: Color, look: Look) -> None:
    stage.box(chest, -0.075, -0.16, 0.075, 0.02, own)
    for x in (-0.065, 0.065):
        stage.limb(chest, x, -0.28, x, -0.15, 0.014, 0.014, own)
        stage.ellipse(chest, x, -0.145, 0.011, color=look.subject(GOLD))
    stage.box(chest, -0.035, -0.10, 0.035, -0.04, darker(own, 0.25))


def _teacher(stage: Stage, chest: Pose, own: Color, look: Look) -> None:
    stage.polygon(chest, ((-0.05, -0.29), (0.05, -0.29), (0.0, -0.17)), look.subject(WHITE))
    stage.box(chest, -0.006, -0.17, 0.006, 0.04, darker(own, 0.35))


def _builder(stage: Stage, chest: Pose, own: Color, look: Look) -> None:
    stage.polygon(chest, ((-0.10, -0.275), (0.10, -0.275), (0.105, 0.03), (-0.105, 0.03)), look.subject((252, 146, 32)))
    stage.polygon(chest, ((-0.03, -0.28), (0.03, -0.28), (0.0, -0.18)), own)
    _stripes(stage, chest, look.subject((232, 236, 240)))


def _firefighter(stage: Stage, chest: Pose, own: Color, look: Look) -> None:
    stage.box(chest, -0.012, -0.28, 0.012, -0.10, darker(own, 0.4))
    _stripes(stage, chest, look.subject((248, 236, 96)))


def _stripes(stage: Stage, chest: Pose, stripe: Color) -> None:
    stage.box(chest, -0.105, -0.10, 0.105, -0.065, stripe)
    for x in (-0.062, 0.062):
        stage.box(chest, x - 0.014, -0.275, x + 0.014, -0.10, stripe)


def _police(stage: Stage, chest: Pose, _own: Color, look: Look) -> None:
    stage.box(chest, -0.105, 0.0, 0.105, 0.03, look.subject((40, 38, 46)))
    stage.ellipse(chest, 0.0, 0.015, 0.018, color=look.subject(GOLD))
    stage.polygon(
        chest,
        (
            (0.04, -0.22),
            (0.065, -0.235),
            (0.09, -0.22),
            (0.085, -0.185),
            (0.065, -0.165),
            (0.045, -0.185),
        ),
        look.subject(GOLD),
    )
    stage.box(chest, -0.013, -0.28, 0.013, -0.06, look.subject((36, 40, 60)))


def _judge(stage: Stage, chest: Pose, own: Color, look: Look) -> None:
    stage.polygon(
        chest,
        ((-0.05, -0.29), (0.05, -0.29), (0.065, -0.12), (0.0, -0.14), (-0.065, -0.12)),
        look.subject(WHITE),
        convex=False,
    )
    stage.box(chest, -0.135, -0.27, -0.105, 0.20, own)
    stage.box(chest, 0.105, -0.27, 0.135, 0.20, own)


def _manager(stage: Stage, chest: Pose, own: Color, _look: Look) -> None:
    stage.polygon(chest, ((-0.016, -0.28), (0.016, -0.28), (0.024, -0.10), (0.0, -0.06), (-0.024, -0.10)), own)


def _artist(stage: Stage, chest: Pose, _own: Color, look: Look) -> None:
    stage.box(chest, -0.08, -0.18, 0.08, 0.06, look.subject(WHITE))
    for x, y, name in (
        (-0.04, -0.12, "red"),
        (0.03, -0.06, "blue"),
        (-0.02, 0.0, "yellow"),
        (0.045, -0.14, "green"),
    ):
        stage.ellipse(chest, x, y, 0.016, color=look.subject(COLORS[name]))


_CHESTS: dict[str, Callable[[Stage, Pose, Color, Look], None]] = {
    "doctor": _doctor,
    "nurse": _nurse,
    "chef": _chef,
    "farmer": _farmer,
    "teacher": _teacher,
    "builder": _builder,
    "firefighter": _firefighter,
    "police officer": _police,
    "judge": _judge,
    "manager": _manager,
    "artist": _artist,
}
