"""Settings on land: park, city, desert, snow, forest and studio.

Each draws its scenery and returns the base gradient's stops, from sky to the nearest ground.
"""

from __future__ import annotations

from moviegen.backlot.palette import Color, darker, lighter, mix
from moviegen.backlot.scenery import (
    BOTTOM_V,
    TOP_V,
    Scenery,
    Stops,
    depth_of,
    ground_stops,
    peaks,
    pebbles,
    pine,
    ridge,
    round_tree,
    sky,
    tufts,
)


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
    return ground_stops(s, (150, 204, 104), (96, 172, 74))


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
    return [
        *ground_stops(s, (150, 150, 156), (92, 94, 106))[:4],
        (0.13, s.color((112, 112, 122), 0.7)),
        (BOTTOM_V, s.color((78, 80, 92), 1.0)),
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
    return ground_stops(s, (240, 186, 118), (232, 162, 88))


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
    return ground_stops(s, (220, 232, 244), (244, 248, 252))


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
            pose,
            ((-0.024, -0.02), (-0.014, -0.036), (0.0, -0.042), (0.014, -0.036), (0.024, -0.02)),
            s.color((212, 62, 54) if two < 0.6 else (226, 160, 84), 1.0),
        )
    return ground_stops(s, (128, 160, 92), (104, 132, 70))


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
        (TOP_V, darker(wall, 0.10)),
        (-0.1, wall),
        (0.0, wall),
        (0.0001, floor),
        (0.2, mix(floor, wall, 0.7)),
        (BOTTOM_V, darker(wall, 0.08)),
    ]
