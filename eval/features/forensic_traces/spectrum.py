"""Block `spectrum`: the azimuthally averaged power spectrum of luma, and peaks that grids leave in it.

Generators that enlarge by convolution leave too little or too much power near the highest frequencies, and peaks at
simple fractions of the sampling rate: Durall et al. 2020, arXiv:2003.01826; Corvi et al. 2023, arXiv:2211.00680.

Shape legend: H height, W width, F radial bands, P peaks.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from eval.features.forensic_traces.look import Floats, Look, numbered

BANDS = 16
PEAKS = ((0.5, 0.0), (0.0, 0.5), (0.5, 0.5), (0.25, 0.0), (0.0, 0.25))
"""Vertical and horizontal frequency in cycles per pixel."""
REACH = 3
"""Bins to either side that a peak is held against."""
POWER_FLOOR = 1e-3
"""Luma steps squared per pixel; rounding to 8 bits alone is 0.08."""


class Spectrum:
    names = (
        *numbered("band", BANDS),
        *(f"peak_{y:g}_{x:g}" for y, x in PEAKS),
        "upright_over_level",
        "diagonal_over_straight",
    )

    def __init__(self) -> None:
        self._sum = np.zeros(len(self.names))
        self._frames = 0
        self._bins: _Bins | None = None

    def add(self, look: Look) -> None:
        if self._bins is None:
            self._bins = _Bins(*look.luma_HW.shape)
        self._sum += self._bins.measure(look.luma_HW)
        self._frames += 1

    def values(self) -> Floats:
        return self._sum / max(1, self._frames)


class _Bins:
    """Which bins of a transform of this size belong to which band and peak."""

    def __init__(self, height: int, width: int) -> None:
        self._window_HW = np.hanning(height)[:, None] * np.hanning(width)
        y_HW, x_HW = np.meshgrid(np.fft.fftfreq(height), np.fft.fftfreq(width), indexing="ij")
        radius_HW = np.hypot(y_HW, x_HW)
        self._band_HW = np.minimum((radius_HW / 0.5 * BANDS).astype(np.int64), BANDS)  # the corners are no band
        self._band_HW[0, 0] = BANDS
        self._counts_F = np.maximum(np.bincount(self._band_HW.ravel(), minlength=BANDS + 1)[:BANDS], 1)
        high_HW = (radius_HW > 0.25) & (radius_HW <= 0.5)
        angle_HW = np.arctan2(np.abs(y_HW), np.abs(x_HW))
        self._upright_HW, self._level_HW = high_HW & (angle_HW > np.pi / 3), high_HW & (angle_HW < np.pi / 6)
        self._diagonal_HW = high_HW & ~self._upright_HW & ~self._level_HW
        self._peaks = [(round(y * height) % height, round(x * width) % width) for y, x in PEAKS]

    def measure(self, luma_HW: npt.NDArray[np.float32]) -> Floats:
        """The numbers of one frame, in the order of the names."""
        spectrum = np.fft.fft2((luma_HW - luma_HW.mean()) * self._window_HW)
        power_HW = (spectrum.real**2 + spectrum.imag**2) / (self._window_HW**2).sum() + POWER_FLOOR
        sums_F = np.bincount(self._band_HW.ravel(), power_HW.ravel(), BANDS + 1)[:BANDS]
        level_F = np.log10(np.maximum(sums_F / self._counts_F, POWER_FLOOR))
        upright, level, diagonal = (
            np.log10(power_HW[mask_HW].mean()) for mask_HW in (self._upright_HW, self._level_HW, self._diagonal_HW)
        )
        return np.array(
            [
                *(level_F - level_F.mean()),
                *(self._peak(power_HW, y, x) for y, x in self._peaks),
                upright - level,
                diagonal - (upright + level) / 2,
            ]
        )

    @staticmethod
    def _peak(power_HW: Floats, y: int, x: int) -> float:
        """log10 of the power at a bin over the median around it; the transform is periodic."""
        rows = np.arange(y - REACH, y + REACH + 1) % power_HW.shape[0]
        columns = np.arange(x - REACH, x + REACH + 1) % power_HW.shape[1]
        return float(np.log10(power_HW[y, x] / np.median(power_HW[np.ix_(rows, columns)])))
