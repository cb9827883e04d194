"""Rain, snow and wind-blown leaves, as specks over the picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from moviegen.backlot.exact import Floats, draws, fraction, sine
from moviegen.backlot.paint import Particles
from moviegen.backlot.palette import Color, Look

_DENSITY = {"rain": 46, "snow": 52, "wind": 13}
"""Specks on a square picture."""


def weather_particles(
    weather: str, look: Look, seed: int, time_s_T: Floats, width: int, height: int
) -> list[Particles]:
    """The specks of a weather on a canvas of the given size; none for clear and fog."""
    if weather not in _DENSITY:
        return []
    count = int(_DENSITY[weather] * max(1.0, width / height))
    numbers = draws(seed, f"weather/{weather}", 4 * count)
    x, y, pace, phase = (numbers[k::4] for k in range(4))
    pace = 0.8 + 0.4 * pace
    time = time_s_T[:, None]
    if weather == "rain":
        down = fraction(y + 1.7 * pace * time)
        across = fraction(x - 0.22 * (y + 1.7 * pace * time))
        stamps = [(_streak(height), 0.9)]
        color: Color = (206, 220, 236) if not look.dark else (132, 148, 190)
        share = 128
    elif weather == "snow":
        down = fraction(y + 0.24 * pace * time)
        across = fraction(x + 0.05 * sine(phase + 0.3 * time * pace))
        stamps = [(_disc(height, 0.0085), 0.55), (_disc(height, 0.0135), 0.45)]
        color, share = (252, 253, 255), 224
    else:
        down = fraction(y + 0.13 * time * pace + 0.06 * sine(phase + 0.6 * time))
        across = fraction(x + 0.62 * pace * time)
        stamps = [(_leaf(height), 1.0)]
        color, share = look.scenery((196, 150, 66), 1.0), 220
    return _group(down, across, stamps, color, share, width, height)


def _group(
    down: Floats,
    across: Floats,
    stamps: list[tuple[npt.NDArray[np.int64], float]],
    color: Color,
    share: int,
    width: int,
    height: int,
) -> list[Particles]:
    x = np.floor(across * (width * 1.1) - width * 0.05).astype(np.int64)
    y = np.floor(down * (height * 1.1) - height * 0.05).astype(np.int64)
    groups, first = [], 0
    for stamp, part in stamps:
        last = min(x.shape[1], first + int(np.ceil(part * x.shape[1])))
        groups.append(Particles(x[:, first:last], y[:, first:last], stamp, color, share))
        first = last
    return groups


def _disc(height: int, radius: float) -> npt.NDArray[np.int64]:
    r = max(0.75, radius * height)
    reach = int(r) + 1
    grid = np.arange(-reach, reach + 1)
    inside = [(u, v) for v in grid for u in grid if u * u + v * v <= r * r]
    return np.array(inside, dtype=np.int64)


def _streak(height: int) -> npt.NDArray[np.int64]:
    length = max(3, int(0.055 * height))
    thick = max(1, int(0.0045 * height))
    rows = np.arange(length)
    return np.concatenate([np.stack([np.floor(-0.22 * rows).astype(np.int64) + k, rows], axis=1) for k in range(thick)])


def _leaf(height: int) -> npt.NDArray[np.int64]:
    half = max(1.0, 0.012 * height)
    reach = int(half * 1.6) + 1
    cells = [
        (u, v)
        for v in range(-reach, reach + 1)
        for u in range(-reach, reach + 1)
        if u * u + 4 * v * v <= 2.56 * half * half
    ]
    return np.array(cells, dtype=np.int64)
