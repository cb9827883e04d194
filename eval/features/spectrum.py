"""Feature `spectrum`: the mean power spectrum of the sound, and how suddenly it swells.

Windows of 40 ms every 10 ms; powers, not samples, are averaged over channels, so that nothing cancels.

Shape legend: C channels, N samples, K windows, F frequency bins, B bands.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from eval.clip import AudioCN, ClipInfo, SoundChunk
from eval.feature import FEATURES, Arrays, Feature
from eval.features.sound_seconds import SoundSeconds, marks

WINDOWS_PER_SECOND = 100
WINDOW_S = 0.04
LAG = 2
"""Flux compares windows 20 ms apart: neighbours at 10 ms share three quarters of their samples."""
BANDS = 24
BANDS_HZ = (100.0, 8000.0)
FLOOR_DB = -70.0
"""Levels below this count as this, so that inaudible noise has no onsets."""


class Spectrum:
    def __init__(self, info: ClipInfo) -> None:
        assert info.rate_hz is not None
        self._rate_hz = info.rate_hz
        self._length = max(16, round(WINDOW_S * info.rate_hz))
        self._seconds = SoundSeconds(info.rate_hz, overlap=self._length)
        self._hann_N = np.hanning(self._length + 1)[:-1]
        self._bands_FB = band_weights(info.rate_hz, self._length)
        self._power_F = np.zeros(self._length // 2 + 1)
        self._windows = 0
        self._last_KB = np.zeros((0, BANDS))
        self._flux_db_K: list[float] = []

    def update(self, chunk: SoundChunk) -> None:
        for second_CN in self._seconds.push(chunk):
            self._second(second_CN)

    def _second(self, second_CN: AudioCN) -> None:
        starts = [s for s in marks(self._rate_hz, WINDOWS_PER_SECOND)[:-1] if s + self._length <= second_CN.shape[1]]
        if not starts:
            return
        windows_KCN = np.stack([second_CN[:, start : start + self._length] for start in starts])
        spectra = np.fft.rfft(windows_KCN * self._hann_N, axis=-1)
        power_KF = (spectra.real**2 + spectra.imag**2).mean(axis=1) * (2 / self._hann_N.sum()) ** 2
        self._power_F += power_KF.sum(axis=0)
        self._windows += len(starts)
        self._swell(10 * np.log10(power_KF @ self._bands_FB + 10 ** (FLOOR_DB / 10)))

    def _swell(self, level_db_KB: npt.NDArray[np.float64]) -> None:
        """Add the flux: the mean rise over bands in dB against 20 ms before; falls do not count."""
        if not len(self._last_KB):
            self._last_KB = np.repeat(level_db_KB[:1], LAG, axis=0)
        joined_KB = np.concatenate([self._last_KB, level_db_KB])
        self._flux_db_K.extend(np.maximum(joined_KB[LAG:] - joined_KB[:-LAG], 0).mean(axis=1))
        self._last_KB = joined_KB[-LAG:]

    def finish(self) -> Arrays:
        """power_F: mean power by frequency, a full-scale sine giving 1 at its peak. hz_F: the bins' frequencies.
        flux_db_K: mean rise of 24 bands within 20 ms. times_K: seconds on the picture's clock, at the middle of the
        20 ms in which the rise happened.
        """
        for second_CN in self._seconds.finish():
            self._second(second_CN)
        middle_s = WINDOW_S / 2
        return {
            "power_F": self._power_F / max(1, self._windows),
            "hz_F": np.fft.rfftfreq(self._length, 1 / self._rate_hz),
            "flux_db_K": np.array(self._flux_db_K, np.float64),
            "times_K": np.arange(len(self._flux_db_K)) / WINDOWS_PER_SECOND + self._seconds.start_s + middle_s,
        }


def band_weights(rate_hz: int, length: int) -> npt.NDArray[np.float64]:
    """0/1 weights F,B of bands with equal ratios between 100 Hz and 8 kHz, or Nyquist where that is lower."""
    hz_F = np.fft.rfftfreq(length, 1 / rate_hz)
    low, high = BANDS_HZ[0], min(BANDS_HZ[1], rate_hz / 2)
    edges = low * (max(high, 2 * low) / low) ** (np.arange(BANDS + 1) / BANDS)
    weights_FB = ((hz_F[:, None] >= edges[:-1]) & (hz_F[:, None] < edges[1:])).astype(np.float64)
    for band in np.flatnonzero(weights_FB.sum(axis=0) == 0):  # low bands are narrower than a bin: take the nearest
        weights_FB[np.abs(hz_F - math.sqrt(edges[band] * edges[band + 1])).argmin(), band] = 1
    return weights_FB


FEATURES.add("spectrum", Feature("spectrum", 1, "sound", Spectrum))
