"""Block `temporal`: how fast a clip changes, how evenly, and with which temporal frequencies.

Shape legend: T frames, P = T - 1 pairs of neighbours, K cells of an 8 x 8 grid, F frequencies, B bands.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from scipy.signal import detrend

from eval.features.forensic_traces.look import Floats, Look, numbered

BANDS = 6
GRID = 8
CHANGE_FLOOR = 1e-2
"""Luma steps."""
STILL = 0.1
"""Luma steps on average: a pair that differs by less is a repeat."""


class Temporal:
    names = (
        "log_change",
        "uneven_change",
        "still_pairs",
        "log_second_over_first",
        *numbered("band", BANDS),
        "log_flicker",
        "change_lag_1",
        "change_lag_2",
        "uneven_texture",
    )

    def __init__(self) -> None:
        self._luma: list[npt.NDArray[np.float32]] = []
        self._cells: list[Floats] = []
        self._first: list[float] = []
        self._second: list[float] = []
        self._texture: list[float] = []

    def add(self, look: Look) -> None:
        luma_HW = look.luma_HW
        if self._luma:
            self._first.append(float(np.abs(luma_HW - self._luma[-1]).mean(dtype=np.float64)))
        if len(self._luma) == 2:
            earlier_HW, last_HW = self._luma
            self._second.append(float(np.abs(luma_HW - 2 * last_HW + earlier_HW).mean(dtype=np.float64)))
        self._luma = [*self._luma[-1:], luma_HW]
        self._texture.append(float(np.square(look.residual_HW, dtype=np.float64).mean()))
        small = cv2.resize(luma_HW, (GRID, GRID), interpolation=cv2.INTER_AREA)
        self._cells.append(small.astype(np.float64).ravel())

    def values(self) -> Floats:
        first_P, second = np.array(self._first), np.array(self._second)
        mean_T = np.array([cells.mean() for cells in self._cells])
        texture_T = np.array(self._texture)
        change = _mean(first_P)
        return np.array(
            [
                np.log10(change + CHANGE_FLOOR),
                _spread(first_P),
                _mean(first_P < STILL),
                np.log10((_mean(second) + CHANGE_FLOOR) / (change + CHANGE_FLOOR)),
                *bands(np.array(self._cells)),
                np.log10(
                    (_mean(np.abs(np.diff(mean_T, 2))) + CHANGE_FLOOR) / (_mean(np.abs(np.diff(mean_T))) + CHANGE_FLOOR)
                ),
                _lagged(first_P, 1),
                _lagged(first_P, 2),
                _spread(texture_T),
            ]
        )


def bands(cells_TK: Floats) -> Floats:
    """log10 power by temporal frequency, 0 to half a cycle per frame, less its mean: the spectrum's shape."""
    count = len(cells_TK)
    if count < 4:
        return np.zeros(BANDS)
    spectrum_FK = np.fft.rfft(detrend(cells_TK, axis=0) * np.hanning(count + 2)[1:-1, None], axis=0)
    power_F = (np.abs(spectrum_FK[1:]) ** 2).mean(axis=1) / count + CHANGE_FLOOR**2
    hz_F = np.fft.rfftfreq(count)[1:]
    middles_B = (np.arange(BANDS) + 0.5) * 0.5 / BANDS
    level_B = np.interp(middles_B, hz_F, np.log10(power_F))  # few frames have fewer frequencies than bands
    return np.asarray(level_B - level_B.mean(), np.float64)


def _mean(values: Floats | npt.NDArray[np.bool_]) -> float:
    return float(np.mean(values)) if len(values) else 0.0


def _spread(values: Floats) -> float:
    """Standard deviation over mean."""
    return float(values.std() / (values.mean() + CHANGE_FLOOR)) if len(values) else 0.0


def _lagged(values: Floats, lag: int) -> float:
    """Autocorrelation; 0 where nothing varies or the clip is too short."""
    around = values - values.mean() if len(values) else values
    power = float(around @ around)
    if len(values) <= lag + 1 or power < CHANGE_FLOOR**2:
        return 0.0
    return float(around[lag:] @ around[:-lag]) / power
