"""Settings by and in the water: beach, jetty, open sea, and below the surface.

Each draws its scenery and returns the base gradient's stops, from sky to the nearest ground.
"""

from __future__ import annotations

from moviegen.backlot.exact import fraction, sine
from moviegen.backlot.palette import Color, darker, lighter, mix
from moviegen.backlot.scenery import BOTTOM_V, TOP_V, Scenery, Stops, depth_of, ground_stops, pebbles, ridge, sky


def beach(s: Scenery) -> Stops:
    sky(s)
    water, deep = s.color((64, 178, 206), 0.35), s.color((40, 124, 190), 0.2)
    far = s.at(0.15)
    s.stage.box(far, -3.0, 0.0, 3.0, 0.05, deep)
    s.stage.box(s.at(0.3), -3.0, 0.035, 3.0, 0.115, water)
    _swell(s, 0.02, 0.2, 0.10, mix(deep, (255, 255, 255), 0.28))
    _swell(s, 0.055, 0.35, 0.16, mix(water, (255, 255, 255), 0.35))
    wash = 0.012 * sine(0.22 * s.time_s_T)
    for u, (one, _, _, _) in s.cells("beach/foam", 0.2):
        pose = s.at(0.42).move(0.0, wash)
        s.stage.ellipse(pose, u, 0.108, 0.15, 0.016 + 0.012 * one, s.color((248, 252, 250), 0.7))
    for u, (one, _, _, _) in s.cells("beach/edge", 0.2):
        s.stage.ellipse(
            s.at(0.5).move(0.0, wash * 0.6), u, 0.128, 0.16, 0.018 + 0.01 * one, s.color((226, 200, 146), 0.7)
        )
    s.stage.box(s.at(0.5), -3.0, 0.132, 3.0, 0.20, s.color((240, 216, 160), 0.7))
    side = 1.0 if s.number("beach/side") < 0.5 else -1.0
    _palm(s, side * 0.40, 0.17, 0.52, side)
    _parasol(s, -side * 0.36, 0.19)
    pebbles(s, "beach/shells", (222, 190, 138), 0.18, 0.44)
    return [
        *ground_stops(s, (64, 178, 206), (242, 212, 150))[:4],
        (0.13, water),
        (0.1301, s.color((240, 216, 160), 0.7)),
        (BOTTOM_V, s.color((244, 208, 142), 1.0)),
    ]


def _swell(s: Scenery, v: float, depth: float, spacing: float, color: Color) -> None:
    """Crests that glide along the water."""
    for k, (u, (one, two, _, _)) in enumerate(s.cells(f"swell/{v}", spacing)):
        drift = 0.02 * sine(0.3 * s.time_s_T + one)
        pose = s.at(depth).move(u + drift, v + 0.02 * (two - 0.5) + 0.004 * sine(0.5 * s.time_s_T + two))
        if k % 2 == 0:
            s.stage.ellipse(pose, 0.0, 0.0, 0.3 * spacing + 0.02, 0.0035 + 0.006 * depth, color)


def _palm(s: Scenery, u: float, v: float, h: float, side: float) -> None:
    depth = depth_of(v)
    pose = s.sway(s.at(depth).move(u, v), 0.3)
    bark, leaf, light = (s.color(c, depth) for c in ((158, 112, 70), (54, 146, 84), (104, 186, 92)))
    s.stage.polygon(
        pose,
        (
            (-0.025, 0.0),
            (0.025, 0.0),
            (-side * 0.05 + 0.012, -0.55 * h),
            (-side * 0.10, -h),
            (-side * 0.12, -h),
            (-side * 0.07 - 0.012, -0.5 * h),
        ),
        bark,
        convex=False,
    )
    crown = pose.move(-side * 0.11, -h)
    for k, turns in enumerate((-0.46, -0.36, -0.18, -0.04, 0.06, -0.56)):
        frond = crown.turn(turns)
        tone = light if k % 2 else leaf
        s.stage.polygon(
            frond,
            ((0.0, -0.012), (0.09, -0.035), (0.21, 0.03), (0.1, 0.012), (0.0, 0.014)),
            tone,
            convex=False,
        )


def _parasol(s: Scenery, u: float, v: float) -> None:
    depth = depth_of(v)
    pose = s.at(depth).move(u, v).turn(0.02)
    s.stage.box(pose, -0.005, -0.2, 0.005, 0.0, s.color((236, 232, 224), depth))
    stripes: tuple[Color, Color] = ((232, 84, 82), (250, 246, 236))
    if s.number("beach/parasol") < 0.5:
        stripes = ((72, 132, 214), (250, 246, 236))
    for k, (left, right) in enumerate(
        ((-0.14, -0.085), (-0.085, -0.028), (-0.028, 0.028), (0.028, 0.085), (0.085, 0.14))
    ):
        s.stage.polygon(
            pose,
            ((left, -0.17), (left * 0.62, -0.225), (right * 0.62, -0.225), (right, -0.17)),
            s.color(stripes[k % 2], depth),
        )
    s.stage.polygon(pose, ((-0.0868, -0.225), (0.0, -0.252), (0.0868, -0.225)), s.color(stripes[0], depth))


def sea(s: Scenery) -> Stops:
    """Open water; whoever cannot swim stands on a jetty."""
    _water(s)
    plank, gap = (186, 140, 96), (128, 90, 64)
    pose = s.at(1.0)
    s.stage.polygon(pose, ((-4.0, 0.19), (4.0, 0.19), (4.0, 0.62), (-4.0, 0.62)), s.color(plank, 1.0))
    s.stage.box(pose, -4.0, 0.175, 4.0, 0.192, s.color(lighter(plank, 0.3), 1.0))
    for v in (0.245, 0.315, 0.40, 0.50):
        s.stage.box(pose, -4.0, v, 4.0, v + 0.008 + 0.012 * v, s.color(gap, 1.0))
    for u, (one, two, _, _) in s.cells("sea/joints", 0.3):
        row = int(one * 3)
        low, high = (0.192, 0.253, 0.323)[row], (0.245, 0.315, 0.40)[row]
        s.stage.box(pose, u, low, u + 0.008, high, s.color(gap, 1.0))
        del two
    for u, _ in s.cells("sea/posts", 0.5):
        s.stage.box(pose, u + 0.20, 0.06, u + 0.245, 0.23, s.color((118, 84, 62), 1.0))
        s.stage.ellipse(pose, u + 0.2225, 0.06, 0.0225, 0.008, s.color((206, 170, 128), 1.0))
    return ground_stops(s, (58, 150, 196), (30, 104, 168))


def open_water(s: Scenery) -> Stops:
    """The sea as boats meet it."""
    _water(s)
    for v, depth in ((0.16, 0.55), (0.24, 0.8), (0.40, 1.0), (0.5, 1.1)):
        _swell(s, v, depth, 0.2 + 0.1 * depth, s.color((126, 202, 226), 0.9))
    return ground_stops(s, (58, 150, 196), (30, 104, 168))


def _water(s: Scenery) -> None:
    sky(s)
    ridge(s, "sea/isle", 0.08, 0.012, 0.045, (96, 142, 132), 0.75)
    side = 0.3 if s.number("sea/side") < 0.5 else -0.3
    _lighthouse(s, side)
    shine = mix(s.color((58, 150, 196), 0.2), s.look.glow, 0.4)
    for v, depth in ((0.02, 0.15), (0.05, 0.25), (0.10, 0.4)):
        _swell(s, v, depth, 0.12 + 0.2 * depth, shine)


def _lighthouse(s: Scenery, u: float) -> None:
    pose = s.at(0.1).move(u, 0.0)
    s.stage.ellipse(pose, 0.0, 0.012, 0.09, 0.03, s.color((110, 112, 116), 0.3))
    for k in range(4):
        low, high = -0.035 * k, -0.035 * (k + 1)
        a, b = 0.026 - 0.003 * k, 0.026 - 0.003 * (k + 1)
        tone: Color = (246, 242, 236) if k % 2 == 0 else (214, 70, 66)
        s.stage.polygon(pose, ((-a, low), (a, low), (b, high), (-b, high)), s.color(tone, 0.45))
    lamp: Color = (255, 240, 170) if s.look.dark else (250, 220, 140)
    s.stage.box(pose, -0.010, -0.163, 0.010, -0.14, lamp)
    s.stage.polygon(pose, ((-0.014, -0.163), (0.0, -0.182), (0.014, -0.163)), s.color((96, 60, 62), 0.4))


def underwater(s: Scenery) -> Stops:
    """Below the surface, for fish."""
    top, deep, sand = _under_colors(s)
    for u, (one, two, three, _) in s.cells("under/rays", 0.34):
        ray = mix(top, (255, 255, 255), 0.12 + 0.1 * one)
        w = 0.03 + 0.03 * two
        lean = 0.14 + 0.02 * sine(0.12 * s.time_s_T + three)
        s.stage.polygon(
            s.at(0.1).move(u, -0.7).shear(-lean),
            ((-w, 0.0), (w, 0.0), (2.0 * w, 0.62), (-1.2 * w, 0.62)),
            mix(ray, deep, 0.45),
            solid=False,
        )
    ridge(s, "under/rocks", 0.2, 0.16, 0.14, mix(deep, (70, 110, 130), 0.5), 0.4)
    s.stage.box(s.at(0.5), -4.0, 0.17, 4.0, 0.7, sand)
    ridge(s, "under/dunes", 0.5, 0.19, 0.035, sand, 0.3)
    for u, (one, two, three, four) in s.cells("under/weed", 0.2):
        _weed(s, u, 0.20 + 0.10 * one, 0.16 + 0.2 * two, four, (52, 150, 110) if three < 0.6 else (186, 92, 128))
    for u, (one, two, three, four) in s.cells("under/bubbles", 0.2):
        rise = fraction(one + (0.07 + 0.05 * two) * s.time_s_T)
        pose = s.at(0.7).move(u + 0.012 * sine(0.7 * s.time_s_T + four), 0.35 - 0.95 * rise)
        r = 0.007 + 0.009 * three
        s.stage.ellipse(pose, 0.0, 0.0, r, color=mix(deep, (220, 248, 255), 0.6), solid=False)
        s.stage.ellipse(pose, -0.3 * r, -0.3 * r, 0.4 * r, color=(240, 252, 255), solid=False)
    pebbles(s, "under/stones", mix(sand, deep, 0.35), 0.21, 0.44)
    return [(TOP_V, top), (0.0, mix(top, deep, 0.6)), (0.20, deep), (BOTTOM_V, sand)]


def _under_colors(s: Scenery) -> tuple[Color, Color, Color]:
    dim = 0.62 if s.look.dark else 0.0
    tint = mix(s.look.sky[1], (70, 190, 220), 0.72)
    top, deep, sand = tint, (24, 96, 160), (196, 186, 142)
    night: Color = (8, 20, 60)
    return mix(top, night, dim), mix(deep, night, dim), mix(mix(sand, (60, 140, 170), 0.35), night, dim)


def _weed(s: Scenery, u: float, v: float, h: float, phase: float, color: Color) -> None:
    _, deep, _ = _under_colors(s)
    depth = depth_of(v)
    tone = mix(color, deep, 0.25)
    base = s.at(depth).move(u, v)
    for k, side in enumerate((-0.35, 0.0, 0.4)):
        lean = side + 0.14 * sine(0.35 * s.time_s_T + phase + 0.2 * k)
        pose = base.shear(lean)
        part = h * (1.0 - 0.25 * abs(side))
        s.stage.polygon(
            pose,
            ((-0.014, 0.0), (0.014, 0.0), (0.018, -0.5 * part), (0.0, -part), (-0.012, -0.5 * part)),
            darker(tone, 0.1 * k),
        )
