"""Feature `loudness_steps`: K-weighted energy in steps of 100 ms, from which BS.1770 loudness follows.

The filters are pyloudnorm's; running them with their state makes them stream, so half an hour of sound costs no
more memory than a second. The gating, which needs all steps, is in the metric.

Shape legend: C channels, N samples, K steps of 100 ms.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from eval.clip import AudioCN, ClipInfo, SoundChunk
from eval.feature import FEATURES, Arrays, Feature
from eval.features.sound_seconds import SoundSeconds, marks

STEPS_PER_SECOND = 10


class LoudnessSteps:
    def __init__(self, info: ClipInfo) -> None:
        assert info.rate_hz is not None
        self._rate_hz = info.rate_hz
        self._seconds = SoundSeconds(info.rate_hz)
        self._filters = k_weighting(info.rate_hz)
        self._states: list[npt.NDArray[np.float64]] = []
        self._energy_KC: list[npt.NDArray[np.float64]] = []

    def update(self, chunk: SoundChunk) -> None:
        for second_CN in self._seconds.push(chunk):
            self._second(second_CN)

    def _second(self, second_CN: AudioCN) -> None:
        from scipy.signal import lfilter

        weighted_CN = second_CN.astype(np.float64)
        if not self._states:
            self._states = [np.zeros((second_CN.shape[0], 2)) for _ in self._filters]
        for index, (b, a) in enumerate(self._filters):
            weighted_CN, self._states[index] = lfilter(b, a, weighted_CN, axis=1, zi=self._states[index])
        edges = marks(self._rate_hz, STEPS_PER_SECOND)
        for start, stop in pairwise(edges):
            if stop <= weighted_CN.shape[1]:
                self._energy_KC.append(np.square(weighted_CN[:, start:stop]).sum(axis=1) / (self._rate_hz / 10))

    def finish(self) -> Arrays:
        """energy_KC: mean square of the K-weighted sound in each complete step, by channel."""
        for second_CN in self._seconds.finish():
            self._second(second_CN)
        return {"energy_KC": np.stack(self._energy_KC) if self._energy_KC else np.zeros((0, 1))}


def k_weighting(rate_hz: int) -> list[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]:
    """Numerator and denominator of BS.1770's two K-weighting filters at this rate, from pyloudnorm."""
    from pyloudnorm import Meter

    return [(stage.b, stage.a) for stage in Meter(rate_hz)._filters.values()]


FEATURES.add("loudness_steps", Feature("loudness_steps", 1, "sound", LoudnessSteps))
