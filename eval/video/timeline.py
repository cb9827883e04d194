"""When each frame is shown: judging the time stamps that a file gives.

Ticks are integer time stamps in units of the stream's time base (seconds per tick).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from eval.clip import Timestamps

MIN_FPS, MAX_FPS = 1.0, 240.0
"""Beyond these a frame rate is a broken header rather than a film (a reformatted frame encoded without a PTS
gives a file of '2880 fps'). Stepwise pictures below one frame per second are kept, with a note."""

FALLBACK_FPS = 24.0
"""Used only when neither the time stamps nor the header give a usable rate; always with a note."""

_PHASE_TICKS = 1.25
"""Rounding a regular grid to ticks moves a frame by at most half a tick either way; the rest is for the fit."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The verdict on a stream's time stamps.

    timestamps: regular, variable, or why they cannot be used.
    fps: frames per second; the mean rate when variable; the declared rate when the stamps cannot be used.
    ticks: the usable presentation ticks, increasing; empty when the stamps cannot be used.
    notes: plain sentences for the reader.
    """

    timestamps: Timestamps
    fps: float
    ticks: npt.NDArray[np.int64]
    notes: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        return self.timestamps in ("regular", "variable")


def judge(ticks: Sequence[int | None], time_base: Fraction, declared: Sequence[Fraction | None]) -> Timeline:
    """Decide what a stream's time stamps are worth.

    ticks: one entry per frame in presentation order (sorted when all are known), None where missing.
    time_base: seconds per tick. declared: the rates that the headers claim, best first.
    """
    known = [tick for tick in ticks if tick is not None]
    if len(known) < len(ticks) or not known:
        return _unusable("missing", "frame times are missing", declared)
    times = np.asarray(known, np.int64)
    if len(times) == 1:
        fps, notes = _declared_fps(declared)
        return Timeline("regular", fps, times, notes)
    steps = np.diff(times)
    if not times.any() or not steps.any():
        return _unusable("all-zero", "all frames carry the same time", declared)
    if (steps <= 0).any():
        return _unusable("not increasing", "frame times do not increase", declared)
    return _from_increasing(times, time_base, declared)


def _from_increasing(
    times: npt.NDArray[np.int64], time_base: Fraction, declared: Sequence[Fraction | None]
) -> Timeline:
    span_s = float(int(times[-1] - times[0]) * time_base)
    measured = (len(times) - 1) / span_s
    if measured > MAX_FPS:
        why = f"frame times claim {measured:.0f} frames per second, which is no film"
        return _unusable("all-zero", why, declared)
    notes = (f"only {measured:.3g} frames per second",) if measured < MIN_FPS else ()
    if is_regular(times):
        return Timeline("regular", _exact_rate(measured, span_s, time_base, declared), times, notes)
    note = f"variable frame rate, {measured:.2f} frames per second on average"
    return Timeline("variable", measured, times, (*notes, note))


def is_regular(ticks: npt.NDArray[np.int64]) -> bool:
    """Whether increasing ticks are one regular grid, up to the rounding of a coarse time base."""
    steps = np.diff(ticks)
    if len(steps) < 2 or (steps == steps[0]).all():
        return True
    step = float(ticks[-1] - ticks[0]) / len(steps)
    if step < 2:
        return False  # a grid this coarse cannot show rounding: a longer step is a dropped frame
    index = np.arange(len(ticks), dtype=np.float64)
    offset = (ticks - ticks[0]).astype(np.float64)
    slope, intercept = np.polyfit(index, offset, 1)
    phase = offset - (slope * index + intercept)
    return bool(np.ptp(phase) <= max(_PHASE_TICKS, 0.02 * step))


def _exact_rate(measured: float, span_s: float, time_base: Fraction, declared: Sequence[Fraction | None]) -> float:
    """The declared rate that the measured one rounds to (24000/1001 rather than 23.98), a whole one, or the measured.

    A GIF counts hundredths of a second: twelve frames at 24 fps measure as 23.9.
    """
    slack = 1.5 * float(time_base) / span_s + 1e-6
    for rate in (*declared, Fraction(round(measured))):
        if rate and abs(float(rate) / measured - 1) <= slack:
            return float(rate)
    return measured


def _declared_fps(declared: Sequence[Fraction | None]) -> tuple[float, tuple[str, ...]]:
    for rate in declared:
        if rate and MIN_FPS <= rate <= MAX_FPS:
            return float(rate), ()
    return FALLBACK_FPS, (f"no usable frame rate in the file: {FALLBACK_FPS:g} assumed",)


def _unusable(kind: Timestamps, why: str, declared: Sequence[Fraction | None]) -> Timeline:
    fps, notes = _declared_fps(declared)
    source = "the assumed" if notes else "the declared"
    note = f"{why}: frames are spaced by {source} {fps:g} frames per second"
    return Timeline(kind, fps, np.zeros(0, np.int64), (note, *notes))
