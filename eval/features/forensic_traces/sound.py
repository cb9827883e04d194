"""Block `sound`: the spectrum's shape, where it rolls off, and how orderly its phases are.

Vocoders cut the spectrum off or fill it too evenly, and their phases advance more, or less, orderly than those of
recorded sound: Frank and Schönherr 2021, arXiv:2111.02813 (WaveFake); Sun et al. 2023, arXiv:2304.13085.

Shape legend: N samples, K windows, F frequencies, B bands.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from eval.clip import AudioCN, ClipInfo, SoundChunk
from eval.feature import Arrays, NotMeasurable
from eval.features.forensic_traces.look import Floats, numbered
from eval.features.sound_seconds import SoundSeconds, marks

WINDOWS_PER_SECOND = 64
WINDOW_S = 1 / 32
BANDS = 24
PHASE_BANDS = 6
LOWEST_HZ = 100.0
SHARES = (0.5, 0.85, 0.95, 0.99)
"""Of the power, below each roll-off frequency."""
POWER_FLOOR = 1e-10
SILENCE_DB = -60.0

NAMES = (
    *numbered("band", BANDS),
    *(f"rolloff_{share:g}" for share in SHARES),
    *numbered("flatness", 4),
    *numbered("phase_advance", PHASE_BANDS),
    *numbered("phase_delay", PHASE_BANDS),
    "silent",
    "log_crest",
    "level_spread_db",
)


class Sound:
    def __init__(self, info: ClipInfo) -> None:
        assert info.rate_hz is not None
        self._rate_hz = info.rate_hz
        self._length = max(32, 2 * round(WINDOW_S * info.rate_hz / 2))
        self._hann_N = np.hanning(self._length + 1)[:-1]
        self._seconds = SoundSeconds(info.rate_hz, overlap=self._length + info.rate_hz // WINDOWS_PER_SECOND)
        self._hz_F = np.fft.rfftfreq(self._length, 1 / info.rate_hz)
        bins = len(self._hz_F)
        self._power_F = np.zeros(bins)
        self._advance_F, self._delay_F = np.zeros(bins, np.complex128), np.zeros(bins, np.complex128)
        self._weight_F, self._delay_weight_F = np.zeros(bins), np.zeros(bins)
        self._levels_db: list[float] = []
        self._peak = 0.0

    def update(self, chunk: SoundChunk) -> None:
        for second_CN in self._seconds.push(chunk):
            self._second(second_CN)

    def _second(self, second_CN: AudioCN) -> None:
        """Windows that begin in this second; the one after the last is there for the phase's advance."""
        sound_N = second_CN.mean(axis=0, dtype=np.float64)
        hop = self._rate_hz // WINDOWS_PER_SECOND
        starts = [s for s in marks(self._rate_hz, WINDOWS_PER_SECOND)[:-1] if s + hop + self._length <= len(sound_N)]
        if not starts:
            return
        index_KN = np.array(starts)[:, None] + np.arange(self._length)
        now_KF = np.fft.rfft(sound_N[index_KN] * self._hann_N, axis=1)
        later_KF = np.fft.rfft(sound_N[index_KN + hop] * self._hann_N, axis=1)
        power_KF = np.abs(now_KF) ** 2 * (2 / self._hann_N.sum()) ** 2
        self._power_F += power_KF.sum(axis=0)
        cross_KF = later_KF * now_KF.conj() * np.exp(-2j * np.pi * self._hz_F * hop / self._rate_hz)
        self._advance_F += cross_KF.sum(axis=0)
        self._weight_F += np.abs(cross_KF).sum(axis=0)
        delay_KF = now_KF[:, 1:] * now_KF[:, :-1].conj()
        self._delay_F[1:] += delay_KF.sum(axis=0)
        self._delay_weight_F[1:] += np.abs(delay_KF).sum(axis=0)
        self._levels_db += list(10 * np.log10(np.square(sound_N[index_KN]).mean(axis=1) + POWER_FLOOR))
        self._peak = max(self._peak, float(np.abs(sound_N).max()))

    def finish(self) -> Arrays:
        """sound_D: the numbers that NAMES lists, float64. Raises NotMeasurable for less than a tenth of a second."""
        for second_CN in self._seconds.finish():
            self._second(second_CN)
        if len(self._levels_db) < WINDOWS_PER_SECOND // 10:
            raise NotMeasurable("less than a tenth of a second of sound")
        level_T = np.array(self._levels_db)
        power_F = self._power_F / len(level_T) + POWER_FLOOR
        band_B = np.array([np.log10(power_F[own].mean()) for own in self._bands(BANDS)])
        rms = float(np.sqrt((10 ** (level_T / 10)).mean()))
        values = [
            *(band_B - band_B.mean()),
            *(np.log2(self._rolloff_hz(power_F, share)) for share in SHARES),
            *(np.log(power_F[own]).mean() - np.log(power_F[own].mean()) for own in self._bands(4)),
            *self._orderly(self._advance_F, self._weight_F),
            *self._orderly(self._delay_F, self._delay_weight_F),
            (level_T < SILENCE_DB).mean(),
            np.log10((self._peak + 1e-5) / (rms + 1e-5)),
            level_T.std(),
        ]
        return {"sound_D": np.array(values, np.float64)}

    def _bands(self, count: int) -> list[npt.NDArray[np.int64]]:
        """Bins of bands with equal ratios from 100 Hz to half the rate; a band too narrow for a bin has its nearest."""
        edges = LOWEST_HZ * (self._rate_hz / 2 / LOWEST_HZ) ** (np.arange(count + 1) / count)
        found = []
        for low, high in pairwise(edges):
            own = np.flatnonzero((self._hz_F >= low) & (self._hz_F < high))
            found.append(own if len(own) else np.array([np.abs(self._hz_F - np.sqrt(low * high)).argmin()]))
        return found

    def _rolloff_hz(self, power_F: Floats, share: float) -> float:
        """The frequency below which this share of the power lies."""
        below_F = np.cumsum(power_F)
        return max(float(self._hz_F[np.searchsorted(below_F, share * below_F[-1])]), LOWEST_HZ)

    def _orderly(self, sum_F: npt.NDArray[np.complex128], weight_F: Floats) -> list[float]:
        """Mean resultant length of the phases in each band: 1 where all agree, about 0 where they are random."""
        return [
            float(np.abs(sum_F[own]).sum() / (weight_F[own].sum() + POWER_FLOOR)) for own in self._bands(PHASE_BANDS)
        ]
