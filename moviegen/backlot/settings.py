"""The settings: park, beach, city, desert, snow, forest, sea and studio.

Each function draws its scenery and returns the base gradient's stops, (v, colour), from sky to the nearest ground.
"""

from __future__ import annotations

from collections.abc import Callable

from moviegen.backlot.exact import fraction, sine
from moviegen.backlot.palette import Color, darker, lighter, mix
from moviegen.backlot.scenery import (
    Scenery,
    depth_of,
    pebbles,
    peaks,
    pine,
    ridge,
    round_tree,
    sky,
    tufts,
)

Stops = list[tuple[float, Color]]
_TOP, _BOTTOM = -0.62, 0.62


def _stops(s: Scenery, far: Color, near: Color) -> Stops:
    look = s.look
    return [
        (_TOP, look.sky[0]),
        (-0.22, look.sky[1]),
        (0.0, look.sky[2]),
        (0.0001, s.color(far, 0.15)),
        (0.12, s.color(mix(far, near, 0.5), 0.6)),
        (_BOTTOM, s.color(near, 1.0)),
    ]


def park(s: Scenery) -> Stops:
    sky(s)
    ridge(s, "park/hills", 0.10, 0.0, 0.10, (104, 168, 118), 0.42)
    ridge(s, "park/trees", 0.18, 0.012, 0.055, (72, 142, 84), 0.11)
    path = s.color((232, 214, 172), 0.7)
    s.stage.polygon(
        s.at(0.6),
        ((0.10, 0.02), (0.16, 0.02), (0.02, 0.16), (-0.10, 0.62), (-0.62, 0.62), (-0.16, 0.15)),
        path,
        convex=False,
    )
    for u, (one, two, three, four) in s.cells("park/round", 0.47):
        if abs(u) > 0.16:
            green: Color = (86, 166, 78) if two < 0.6 else (148, 182, 70)
            round_tree(s, u, 0.05 + 0.07 * one, 0.30 + 0.16 * three, green, four)
    tufts(s, "park/grass", (66, 142, 66), 0.07, 0.42)
    for u, (one, two, three, _) in s.cells("park/flowers", 0.22):
        v = 0.14 + 0.28 * one
        flower: Color = ((250, 240, 120), (246, 130, 150), (250, 250, 250))[int(two * 3)]
        s.stage.ellipse(s.at(depth_of(v)), u, v, 0.007 + 0.006 * three, color=s.color(flower, 1.0))
    return _stops(s, (150, 204, 104), (96, 172, 74))


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
    return _stops(s, (64, 178, 206), (242, 212, 150))[:4] + [
        (0.13, water),
        (0.1301, s.color((240, 216, 160), 0.7)),
        (_BOTTOM, s.color((244, 208, 142), 1.0)),
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
        ((-0.025, 0.0), (0.025, 0.0), (-side * 0.05 + 0.012, -0.55 * h), (-side * 0.10, -h), (-side * 0.12, -h), (-side * 0.07 - 0.012, -0.5 * h)),
        bark, convex=False,
    )  # fmt: skip
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


def city(s: Scenery) -> Stops:
    sky(s, clouds=2)
    for u, (one, two, _, _) in s.cells("city/far", 0.10):
        h = 0.10 + 0.20 * one
        s.stage.box(s.at(0.12), u - 0.045 - 0.02 * two, -h, u + 0.045, 0.02, s.color((128, 142, 172), 0.1))
    for index, (u, numbers) in enumerate(s.cells("city/near", 0.235)):
        _building(s, u, numbers, index)
    kerb = s.color((176, 176, 180), 0.7)
    s.stage.box(s.at(0.5), -3.0, 0.03, 3.0, 0.115, s.color((204, 200, 196), 0.7))
    s.stage.box(s.at(0.5), -3.0, 0.115, 3.0, 0.132, kerb)
    for u, _ in s.cells("city/lamps", 0.62):
        _lamp(s, u + 0.24)
    line = s.color((236, 226, 180), 1.0)
    for u, _ in s.cells("city/dashes", 0.3):
        s.stage.polygon(s.at(1.0), ((u - 0.06, 0.375), (u + 0.06, 0.375), (u + 0.07, 0.395), (u - 0.07, 0.395)), line)
    return _stops(s, (150, 150, 156), (92, 94, 106))[:4] + [
        (0.13, s.color((112, 112, 122), 0.7)),
        (_BOTTOM, s.color((78, 80, 92), 1.0)),
    ]


def _building(s: Scenery, u: float, numbers: tuple[float, float, float, float], index: int) -> None:
    one, two, three, four = numbers
    walls: tuple[Color, ...] = (
        (206, 122, 96),
        (222, 190, 140),
        (132, 158, 182),
        (188, 148, 160),
        (164, 176, 150),
    )
    depth, w, h = 0.34, 0.10 + 0.025 * two, 0.20 + 0.26 * one
    wall = walls[(int(three * 5) + index) % 5]
    pose = s.at(depth)
    s.stage.box(pose, u - w, -h, u + w, 0.04, s.color(wall, depth + 0.2))
    s.stage.box(pose, u + 0.6 * w, -h, u + w, 0.04, s.color(darker(wall, 0.22), depth + 0.2))
    s.stage.box(pose, u - w * 1.06, -h - 0.012, u + w * 1.06, -h + 0.008, s.color(darker(wall, 0.4), depth + 0.2))
    lit: Color = (255, 218, 128)
    pane = s.color((176, 208, 226), depth + 0.3)
    rows = int(h / 0.075)
    for row in range(rows):
        for column in range(3):
            on = s.look.dark and (row * 5 + column * 3 + int(four * 17)) % 4 != 0
            tone = lit if on else (pane if not s.look.dark else s.color((70, 80, 110), depth + 0.3))
            x, y = u + (column - 1) * 0.56 * w, -h + 0.035 + 0.075 * row
            s.stage.box(pose, x - 0.16 * w, y, x + 0.16 * w, y + 0.036, tone)


def _lamp(s: Scenery, u: float) -> None:
    pose, post = s.at(0.6), s.color((62, 66, 78), 0.9)
    if s.look.dark:
        glow = mix(s.color((150, 150, 156), 0.5), (255, 214, 130), 0.35)
        s.stage.ellipse(pose, u, -0.235, 0.055, color=mix(s.look.sky[1], (255, 214, 130), 0.4), solid=False)
        s.stage.ellipse(pose, u, 0.10, 0.13, 0.018, glow, solid=False)
    s.stage.box(pose, u - 0.006, -0.22, u + 0.006, 0.10, post)
    s.stage.ellipse(pose, u, -0.235, 0.024, color=(255, 240, 196) if s.look.dark else s.color((236, 236, 226), 0.8))


def desert(s: Scenery) -> Stops:
    sky(s, clouds=1)
    mesa, side = s.color((206, 116, 84), 0.15), s.color((170, 88, 76), 0.15)
    for u, (one, two, three, _) in s.cells("desert/mesas", 0.46):
        h, w = 0.07 + 0.12 * one, 0.07 + 0.08 * two
        s.stage.polygon(s.at(0.12), ((u - w * 1.3, 0.02), (u - w, -h), (u + w, -h), (u + w * 1.35, 0.02)), mesa)
        s.stage.polygon(s.at(0.12), ((u + w * 0.4, -h), (u + w, -h), (u + w * 1.35, 0.02), (u + w * 0.6, 0.02)), side)
        del three
    ridge(s, "desert/far", 0.25, 0.03, 0.05, (240, 186, 118), 0.36)
    ridge(s, "desert/mid", 0.4, 0.09, 0.07, (236, 172, 100), 0.5)
    for u, (one, two, three, four) in s.cells("desert/cacti", 0.5):
        if abs(u) > 0.14:
            _cactus(s, u, 0.09 + 0.10 * one, 0.17 + 0.11 * two, three < 0.5)
        del four
    pebbles(s, "desert/stones", (206, 138, 88), 0.12, 0.44, 0.15)
    return _stops(s, (240, 186, 118), (232, 162, 88))


def _cactus(s: Scenery, u: float, v: float, h: float, mirrored: bool) -> None:
    depth = depth_of(v)
    pose = s.at(depth).move(u, v).scale(-1.0 if mirrored else 1.0, 1.0)
    green, light = s.color((72, 140, 88), depth), s.color((122, 182, 106), depth)
    r = 0.10 * h
    s.stage.ellipse(pose, 0.1 * h, 0.0, 0.3 * h, 0.04 * h, s.color((178, 116, 72), depth), solid=False)
    s.stage.limb(pose, 0.0, 0.0, 0.0, -h, r * 1.05, r, green)
    s.stage.limb(pose, 0.0, -0.38 * h, 0.27 * h, -0.42 * h, r * 0.6, r * 0.66, green)
    s.stage.limb(pose, 0.27 * h, -0.42 * h, 0.27 * h, -0.68 * h, r * 0.66, r * 0.6, green)
    s.stage.limb(pose, 0.0, -0.55 * h, -0.23 * h, -0.58 * h, r * 0.5, r * 0.6, green)
    s.stage.limb(pose, -0.23 * h, -0.58 * h, -0.23 * h, -0.80 * h, r * 0.6, r * 0.5, green)
    s.stage.limb(pose, -0.35 * r, -0.1 * h, -0.35 * r, -0.98 * h, r * 0.2, r * 0.2, light)


def snow(s: Scenery) -> Stops:
    sky(s)
    peaks(s, "snow/peaks", 0.08, 0.26, (128, 148, 184), (248, 251, 255))
    ridge(s, "snow/drifts", 0.22, 0.02, 0.045, (216, 228, 242), 0.34)
    for u, (one, two, three, _) in s.cells("snow/pines", 0.21):
        if abs(u) > 0.1:
            pine(s, u, 0.02 + 0.11 * one * one, 0.17 + 0.15 * two, (52, 112, 96), True, three)
    ridge(s, "snow/near", 0.6, 0.22, 0.05, (236, 243, 250), 0.5)
    pebbles(s, "snow/dents", (206, 220, 238), 0.2, 0.44)
    return _stops(s, (220, 232, 244), (244, 248, 252))


def forest(s: Scenery) -> Stops:
    sky(s, clouds=1)
    ridge(s, "forest/back", 0.08, 0.02, 0.24, (108, 158, 122), 0.16)
    for depth, base, spacing, bark in ((0.2, 0.03, 0.15, (124, 118, 96)), (0.42, 0.085, 0.24, (112, 84, 62))):
        for u, (one, two, three, _) in s.cells(f"forest/trunks{depth}", spacing):
            w = (0.014 + 0.010 * one) * (1.0 + 1.6 * depth)
            tone = s.color(bark, depth + 0.15)
            pose = s.at(depth)
            s.stage.polygon(pose, ((u - w * 1.5, base), (u - w, -0.62), (u + w, -0.62), (u + w * 1.5, base)), tone)
            s.stage.polygon(
                pose,
                ((u + 0.35 * w, base), (u + 0.3 * w, -0.62), (u + w, -0.62), (u + w * 1.5, base)),
                s.color(darker(bark, 0.25), depth + 0.15),
            )
            del two, three
    for k, (u, (one, two, three, four)) in enumerate(s.cells("forest/leaves", 0.17)):
        green: Color = (62, 136, 74) if k % 2 else (88, 158, 76)
        pose = s.sway(s.at(0.42), four)
        s.stage.ellipse(pose, u, -0.50 - 0.08 * one, 0.13 + 0.04 * two, 0.10 + 0.05 * three, s.color(green, 0.6))
    for u, (one, two, _, _) in s.cells("forest/bushes", 0.24):
        if abs(u) > 0.12:
            v = 0.09 + 0.05 * one
            s.stage.ellipse(s.at(0.45), u, v, 0.09 + 0.04 * two, 0.05 + 0.03 * one, s.color((58, 124, 70), 0.6))
            s.stage.ellipse(s.at(0.45), u - 0.02, v - 0.015, 0.055, 0.03, s.color((92, 158, 82), 0.6))
    tufts(s, "forest/ferns", (58, 120, 62), 0.10, 0.42, 0.14)
    for u, (one, two, _, _) in s.cells("forest/mushrooms", 0.44):
        v = 0.16 + 0.24 * one
        pose = s.at(depth_of(v)).move(u, v)
        s.stage.box(pose, -0.007, -0.022, 0.007, 0.0, s.color((244, 236, 220), 1.0))
        s.stage.polygon(
            pose, ((-0.024, -0.02), (-0.014, -0.036), (0.0, -0.042), (0.014, -0.036), (0.024, -0.02)),
            s.color((212, 62, 54) if two < 0.6 else (226, 160, 84), 1.0),
        )  # fmt: skip
    return _stops(s, (128, 160, 92), (104, 132, 70))


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
    return _stops(s, (58, 150, 196), (30, 104, 168))


def open_water(s: Scenery) -> Stops:
    """The sea as boats meet it."""
    _water(s)
    for v, depth in ((0.16, 0.55), (0.24, 0.8), (0.40, 1.0), (0.5, 1.1)):
        _swell(s, v, depth, 0.2 + 0.1 * depth, s.color((126, 202, 226), 0.9))
    return _stops(s, (58, 150, 196), (30, 104, 168))


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
    return [(_TOP, top), (0.0, mix(top, deep, 0.6)), (0.20, deep), (_BOTTOM, sand)]


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


def studio(s: Scenery) -> Stops:
    walls: tuple[Color, ...] = (
        (246, 206, 170),
        (176, 214, 226),
        (214, 200, 236),
        (196, 226, 196),
        (250, 222, 150),
        (244, 190, 190),
    )
    wall = walls[int(s.number("studio/wall") * len(walls))]
    other = walls[(int(s.number("studio/wall") * len(walls)) + 2) % len(walls)]
    side = 1.0 if s.number("studio/side") < 0.5 else -1.0
    s.stage.ellipse(s.at(0.12), 0.0, -0.16, 0.46, color=lighter(wall, 0.32), solid=False)
    s.stage.ellipse(s.at(0.12), side * 0.30, -0.30, 0.13, color=mix(wall, other, 0.8))
    s.stage.polygon(
        s.at(0.2),
        ((-side * 0.52, 0.0), (-side * 0.20, 0.0), (-side * 0.36, -0.34)),
        mix(wall, darker(other, 0.1), 0.75),
    )
    s.stage.box(s.at(0.26), side * 0.42 - 0.07, -0.14, side * 0.42 + 0.07, 0.02, mix(wall, (255, 255, 255), 0.55))
    s.stage.ellipse(s.at(0.9), 0.0, 0.30, 0.5, 0.10, lighter(wall, 0.28), solid=False)
    for u, (one, two, _, _) in s.cells("studio/dots", 0.16):
        tone = mix(wall, lighter(other, 0.4), 0.6)
        s.stage.ellipse(s.at(0.1), u, -0.52 + 0.45 * one, 0.006 + 0.008 * two, color=tone)
    floor = darker(wall, 0.16)
    return [
        (_TOP, darker(wall, 0.10)), (-0.1, wall), (0.0, wall), (0.0001, floor), (0.2, mix(floor, wall, 0.7)), (_BOTTOM, darker(wall, 0.08)),
    ]  # fmt: skip


SETTINGS: dict[str, Callable[[Scenery], Stops]] = {
    "park": park,
    "beach": beach,
    "city": city,
    "desert": desert,
    "snow": snow,
    "forest": forest,
    "sea": sea,
    "studio": studio,
    "open water": open_water,
    "underwater": underwater,
}
"""Setting -> its painter. The sea is three places: a jetty, the open water for boats, and underwater for fish."""


def place_of(setting: str, subject: str) -> str:
    """The painter's name for a subject in a setting."""
    return {"boat": "open water", "fish": "underwater"}.get(subject, setting)


GROUND: dict[str, Color] = {
    "park": (102, 176, 78), "beach": (242, 212, 150), "city": (92, 94, 106), "desert": (234, 166, 94), "snow": (240, 245, 250),
    "forest": (112, 140, 76), "sea": (186, 140, 96), "studio": (226, 206, 190), "open water": (36, 112, 174), "underwater": (150, 170, 160),
}  # fmt: skip
"""The ground under the subject's feet, for shadows and splashes."""
