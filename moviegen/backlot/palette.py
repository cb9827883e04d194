"""Colours: names, skin, hair and eyes, and how light and weather change them."""

from __future__ import annotations

from dataclasses import dataclass

Color = tuple[int, int, int]
"""RGB, 0-255."""

COLORS: dict[str, Color] = {
    "red": (222, 52, 56),
    "orange": (244, 140, 42),
    "yellow": (250, 208, 60),
    "green": (64, 168, 84),
    "blue": (52, 116, 222),
    "purple": (140, 84, 196),
    "pink": (244, 134, 178),
    "brown": (142, 92, 56),
    "black": (48, 46, 54),
    "grey": (142, 146, 154),
    "white": (244, 244, 240),
}

MONK: tuple[Color, ...] = (
    (0xF6, 0xED, 0xE4),
    (0xF3, 0xE7, 0xDB),
    (0xF7, 0xEA, 0xD0),
    (0xEA, 0xDA, 0xBA),
    (0xD7, 0xBD, 0x96),
    (0xA0, 0x7E, 0x56),
    (0x82, 0x5C, 0x43),
    (0x60, 0x41, 0x34),
    (0x3A, 0x31, 0x2A),
    (0x29, 0x24, 0x20),
)
"""The Monk Skin Tone scale, 1 to 10, as published (Ellis Monk, skintone.google)."""

HAIR: dict[str, Color] = {
    "black": (38, 32, 36),
    "brown": (102, 64, 40),
    "blond": (228, 188, 104),
    "red": (186, 78, 38),
    "grey": (178, 178, 182),
}
EYES: dict[str, Color] = {
    "brown": (106, 62, 30),
    "blue": (58, 128, 208),
    "green": (62, 146, 92),
    "grey": (120, 134, 148),
}


def mix(one: Color, other: Color, share: float) -> Color:
    """`share` of the way from one colour to the other."""
    keep = 1.0 - share
    return (
        int(one[0] * keep + other[0] * share + 0.5),
        int(one[1] * keep + other[1] * share + 0.5),
        int(one[2] * keep + other[2] * share + 0.5),
    )


def darker(color: Color, share: float = 0.35) -> Color:
    """Towards a deep violet, as shadows go."""
    return mix(color, (36, 24, 52), share)


def lighter(color: Color, share: float = 0.35) -> Color:
    """Towards a warm white."""
    return mix(color, (255, 252, 240), share)


@dataclass(frozen=True, slots=True)
class Look:
    """What light and weather do to colours.

    sky: zenith, middle and horizon. tint: per-channel factors for the scenery; subject_tint: milder ones for subjects,
    so that what was asked for stays visible. haze and haze_share: the colour of the air and how much of it veils the
    farthest layer. glow: colour of sun or moon. shade: how dark shadows are on the ground.
    """

    sky: tuple[Color, Color, Color]
    tint: tuple[float, float, float]
    subject_tint: tuple[float, float, float]
    haze: Color
    haze_share: float
    glow: Color
    shade: float
    dark: bool = False

    def scenery(self, color: Color, depth: float) -> Color:
        """A colour of the scenery at depth 0 (horizon) to 1 (where the subject is)."""
        return mix(_times(color, self.tint), self.haze, self.haze_share * (1.0 - depth))

    def subject(self, color: Color) -> Color:
        """A colour of a subject."""
        return _times(color, self.subject_tint)

    def shadow(self, ground: Color, share: float) -> Color:
        """The (already tinted) ground in shadow."""
        return mix(ground, (24, 20, 48), self.shade * share)


def _times(color: Color, factors: tuple[float, float, float]) -> Color:
    return (
        min(255, int(color[0] * factors[0] + 0.5)),
        min(255, int(color[1] * factors[1] + 0.5)),
        min(255, int(color[2] * factors[2] + 0.5)),
    )


_CLEAR_AIR: dict[str, Look] = {
    "day": Look(
        ((58, 142, 232), (126, 192, 246), (222, 241, 250)),
        (1.0, 1.0, 1.0),
        (1.0, 1.0, 1.0),
        (206, 230, 246),
        0.55,
        (255, 246, 204),
        0.36,
    ),
    "dawn": Look(
        ((122, 136, 206), (238, 172, 186), (255, 222, 190)),
        (0.96, 0.86, 0.90),
        (1.0, 0.95, 0.96),
        (250, 212, 204),
        0.60,
        (255, 232, 198),
        0.30,
    ),
    "sunset": Look(
        ((62, 48, 116), (226, 96, 96), (255, 190, 96)),
        (0.92, 0.70, 0.66),
        (1.0, 0.88, 0.80),
        (250, 160, 106),
        0.52,
        (255, 226, 150),
        0.44,
    ),
    "overcast": Look(
        ((138, 150, 166), (172, 182, 194), (208, 214, 218)),
        (0.82, 0.85, 0.88),
        (0.93, 0.94, 0.96),
        (196, 204, 212),
        0.55,
        (226, 230, 234),
        0.20,
    ),
    "night": Look(
        ((10, 12, 40), (26, 32, 84), (62, 74, 130)),
        (0.34, 0.40, 0.62),
        (0.74, 0.77, 0.92),
        (52, 62, 116),
        0.45,
        (250, 246, 222),
        0.46,
        dark=True,
    ),
}


def look(light: str, weather: str) -> Look:
    """The look of a light in a weather."""
    clear = _CLEAR_AIR[light]
    if weather in ("clear", "wind"):
        return clear
    veil: Color = (84, 92, 124) if clear.dark else {"rain": (142, 152, 168)}.get(weather, (214, 218, 226))
    share = {"rain": 0.45, "snow": 0.40, "fog": 0.70}[weather]
    calm = {"rain": 0.86, "snow": 0.96, "fog": 0.95}[weather]
    top, middle, bottom = (mix(color, veil, share) for color in clear.sky)
    return Look(
        sky=(top, middle, bottom),
        tint=(clear.tint[0] * calm, clear.tint[1] * calm, clear.tint[2] * calm),
        subject_tint=clear.subject_tint,
        haze=mix(clear.haze, veil, 0.6),
        haze_share={"rain": 0.66, "snow": 0.66, "fog": 0.94}[weather],
        glow=mix(clear.glow, veil, share),
        shade=clear.shade * (0.5 if weather != "fog" else 0.35),
        dark=clear.dark,
    )
