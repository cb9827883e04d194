"""Foley: the single sounds and the loops that soundtracks are put together from, each made once per sample rate.

Everything is float64 made by single IEEE operations on tables (see exact.py) and on whole numbers, so it is the same
on every machine. Shape legend: N samples.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from moviegen.backlot.exact import Floats, fraction, halving, sine, smooth

Integers = npt.NDArray[np.int64]

LOOP_S = 4
"""Length of every loop in seconds; all its partials fit a whole number of periods."""


def _freeze(sound: Floats) -> Floats:
    sound.setflags(write=False)
    return sound


def _times(duration_s: float, rate_hz: int) -> Floats:
    return np.arange(int(duration_s * rate_hz)) / rate_hz


@lru_cache(maxsize=64)
def noise(rate_hz: int, low_s: float, high_s: float = 0.0, seed: int = 0) -> Floats:
    """A seamless loop of noise in [-1, 1]: averaged over low_s seconds (0: white), less its average over high_s."""
    count = LOOP_S * rate_hz
    white = np.random.Generator(np.random.PCG64(1000 + seed)).integers(-32768, 32768, count, dtype=np.int64)
    sound = white
    for _ in range(2):
        sound = _average(sound, int(low_s * rate_hz))
    if high_s > 0.0:
        sound = sound - _average(sound, int(high_s * rate_hz))
    return _freeze(sound / float(np.abs(sound).max()))


def _average(sound: Integers, width: int) -> Integers:
    """Running mean over a loop of whole numbers, exact."""
    if width < 2:
        return sound
    sums = np.cumsum(np.concatenate([sound, sound[:width]]))
    mean: Integers = (sums[width:] - sums[:-width]) // width
    return mean


def _strike(
    rate_hz: int,
    duration_s: float,
    partials: tuple[tuple[float, float, float], ...],
    hiss: float,
    hiss_half_s: float,
    low_s: float,
) -> Floats:
    """Partials (Hz, loudness, half-life in s) and a burst of noise, both setting in at once within a millisecond."""
    time = _times(duration_s, rate_hz)
    sound: Floats = hiss * noise(rate_hz, low_s)[: len(time)] * halving(time / hiss_half_s)
    for hz, loudness, half_s in partials:
        if hz < 0.45 * rate_hz:
            sound = sound + loudness * sine(hz * time + 0.02) * halving(time / half_s)
    attack = np.minimum(1.0, (np.arange(len(time)) + 1.0) / max(1.0, 0.001 * rate_hz))
    release = np.minimum(1.0, (duration_s - time) / 0.02)
    struck: Floats = sound * attack * release
    return struck


_STRIKES: dict[str, tuple[float, tuple[tuple[float, float, float], ...], float, float, float]] = {
    "step grass": (0.12, ((92, 0.30, 0.018),), 0.55, 0.016, 0.0004),
    "step sand": (0.14, ((74, 0.22, 0.018),), 0.60, 0.026, 0.0005),
    "step snow": (0.16, ((110, 0.12, 0.014),), 0.62, 0.034, 0.0001),
    "step stone": (0.10, ((310, 0.40, 0.010), (1180, 0.30, 0.006)), 0.40, 0.006, 0.0),
    "step wood": (0.14, ((168, 0.62, 0.020), (402, 0.34, 0.012)), 0.24, 0.008, 0.0001),
    "ball": (0.22, ((118, 0.90, 0.030), (236, 0.30, 0.020), (620, 0.14, 0.008)), 0.22, 0.006, 0.0),
    "balloon": (0.16, ((236, 0.55, 0.018), (498, 0.25, 0.010)), 0.18, 0.010, 0.0003),
    "box": (0.20, ((146, 0.62, 0.024), (331, 0.40, 0.015), (873, 0.24, 0.008)), 0.34, 0.008, 0.0),
    "thud": (0.26, ((64, 0.85, 0.045), (128, 0.30, 0.025)), 0.30, 0.016, 0.0005),
    "metal": (
        0.45,
        ((412, 0.34, 0.075), (1123, 0.26, 0.060), (1871, 0.20, 0.045), (2953, 0.14, 0.03)),
        0.55,
        0.040,
        0.0,
    ),
    "clack": (0.16, ((540, 0.70, 0.016), (1290, 0.36, 0.010)), 0.35, 0.005, 0.0),
    "splash": (0.50, ((240, 0.12, 0.03),), 0.72, 0.090, 0.0001),
    "flap": (0.14, (), 0.85, 0.028, 0.0006),
}


@lru_cache(maxsize=256)
def strike(name: str, rate_hz: int) -> Floats:
    """One sound that begins at its first sample."""
    if name == "spring":
        return _freeze(_glide(rate_hz, 0.16, 210.0, 460.0))
    duration_s, partials, hiss, half_s, low_s = _STRIKES[name]
    return _freeze(_strike(rate_hz, duration_s, partials, hiss, half_s, low_s))


def _glide(rate_hz: int, duration_s: float, low_hz: float, high_hz: float) -> Floats:
    """A tone that slides up."""
    time = _times(duration_s, rate_hz)
    cycles = low_hz * time + 0.5 * (high_hz - low_hz) * time * time / duration_s
    rise = np.minimum(1.0, time / 0.004) * np.minimum(1.0, (duration_s - time) / 0.06)
    tone: Floats = 0.7 * (sine(cycles) + 0.25 * sine(2.0 * cycles)) * rise
    return tone


@lru_cache(maxsize=64)
def loop(name: str, rate_hz: int) -> Floats:
    """Four seconds that repeat without a seam."""
    return _freeze(_LOOPS[name](rate_hz))


def _swelling(rate_hz: int, periods: int, floor: float, phase: float) -> Floats:
    time = np.arange(LOOP_S * rate_hz) / (LOOP_S * rate_hz)
    wave = 0.5 - 0.5 * sine(periods * time + phase + 0.25)
    return floor + (1.0 - floor) * wave * wave


def _waves(rate_hz: int) -> Floats:
    return 0.16 * noise(rate_hz, 0.0002, 0.004, 1) * _swelling(rate_hz, 1, 0.25, 0.2) + 0.14 * noise(
        rate_hz, 0.0012, 0.0, 2
    )


def _rain(rate_hz: int) -> Floats:
    drops = noise(rate_hz, 0.0, 0.0005, 3)
    return 0.13 * drops * drops * drops + 0.07 * noise(rate_hz, 0.0, 0.001, 4)


def _wind(rate_hz: int) -> Floats:
    return 0.30 * noise(rate_hz, 0.0010, 0.02, 5) * _swelling(rate_hz, 2, 0.3, 0.1)


def _breeze(rate_hz: int) -> Floats:
    return 0.05 * noise(rate_hz, 0.0006, 0.01, 6) * _swelling(rate_hz, 1, 0.5, 0.6)


def _hum(rate_hz: int) -> Floats:
    time = _times(LOOP_S, rate_hz)
    return 0.06 * noise(rate_hz, 0.0015, 0.0, 7) + 0.012 * sine(60.0 * time) + 0.008 * sine(120.0 * time)


def _bubbling(rate_hz: int) -> Floats:
    sound = 0.08 * noise(rate_hz, 0.002, 0.0, 8)
    for k in range(14):
        blip = _glide(rate_hz, 0.07, 260.0 + 37.0 * (k * 5 % 14), 620.0 + 41.0 * (k * 3 % 14))
        start = int((0.05 + 0.28 * k + 0.07 * (k * 7 % 3)) * rate_hz)
        sound[start : start + len(blip)] += 0.05 * blip
    return sound


def _birdsong(rate_hz: int) -> Floats:
    sound = 0.02 * noise(rate_hz, 0.0006, 0.01, 6)
    for start_s, hz, notes in ((0.4, 2300.0, 3), (1.7, 2900.0, 2), (2.9, 2050.0, 4)):
        for k in range(notes):
            note = _glide(rate_hz, 0.09, hz, hz * (1.18 if k % 2 else 1.3)) if hz * 1.4 < 0.5 * rate_hz else np.zeros(0)
            start = int((start_s + 0.13 * k) * rate_hz)
            sound[start : start + len(note)] += 0.05 * note
    return sound


def _crickets(rate_hz: int) -> Floats:
    time = _times(LOOP_S, rate_hz)
    chirps = smooth((fraction(time * 2.0) < 0.4) * 1.0) * np.maximum(0.0, sine(time * 24.0))
    tone = sine(min(3600.0, 0.225 * rate_hz) * time)
    night: Floats = 0.022 * tone * chirps + 0.010 * noise(rate_hz, 0.0006, 0.01, 6)
    return night


def _room(rate_hz: int) -> Floats:
    return 0.004 * noise(rate_hz, 0.0006, 0.0, 9)


@lru_cache(maxsize=16)
def engine(hz: int, rate_hz: int) -> Floats:
    """A motor running at a whole number of ignitions a second."""
    time = _times(LOOP_S, rate_hz)
    sound = 0.07 * noise(rate_hz, 0.0008, 0.006, 10)
    for k, loudness in ((1, 0.16), (2, 0.10), (3, 0.07), (5, 0.03)):
        sound = sound + loudness * sine(hz * k * time + 0.13 * k)
    return _freeze(sound * (0.85 + 0.15 * sine(0.5 * hz * time)))


def _rumble(rate_hz: int) -> Floats:
    return 0.20 * noise(rate_hz, 0.0012, 0.03, 11) * _swelling(rate_hz, 14, 0.55, 0.0)


def _scrape(rate_hz: int) -> Floats:
    return 0.13 * noise(rate_hz, 0.0002, 0.0016, 12) * _swelling(rate_hz, 22, 0.6, 0.0)


def _whoosh(rate_hz: int) -> Floats:
    return 0.20 * noise(rate_hz, 0.0006, 0.008, 13)


_LOOPS = {
    "waves": _waves,
    "rain": _rain,
    "wind": _wind,
    "breeze": _breeze,
    "hum": _hum,
    "bubbling": _bubbling,
    "birdsong": _birdsong,
    "crickets": _crickets,
    "room": _room,
    "rumble": _rumble,
    "scrape": _scrape,
    "whoosh": _whoosh,
}
