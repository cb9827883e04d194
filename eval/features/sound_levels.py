"""Feature `sound_levels`: loudest sample, clipped samples, and the level of every twentieth of a second.

Shape legend: C channels, N samples, L slices of 50 ms.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from eval.clip import AudioCN, ClipInfo, SoundChunk
from eval.feature import FEATURES, Arrays, Feature
from eval.features.sound_seconds import SoundSeconds, marks

FULL_SCALE = 0.999
"""Above this a sample counts as at full scale: 16-bit sound reaches 32767/32768, and lossy codecs ripple."""
RUN = 3
"""Fewer samples in a row at full scale are the top of a wave that just fits; three or more are a flat top."""


class SoundLevels:
    def __init__(self, info: ClipInfo) -> None:
        assert info.rate_hz is not None
        self._rate_hz = info.rate_hz
        self._seconds = SoundSeconds(info.rate_hz)
        self._run_C: npt.NDArray[np.int64] | None = None
        self._clipped = 0
        self._samples = 0
        self._peak = 0.0
        self._mean_square_L: list[float] = []

    def update(self, chunk: SoundChunk) -> None:
        for second_CN in self._seconds.push(chunk):
            self._second(second_CN)

    def _second(self, second_CN: AudioCN) -> None:
        self._samples += second_CN.size
        self._peak = max(self._peak, float(np.abs(second_CN).max()))
        self._count_clipped(np.abs(second_CN) >= FULL_SCALE)
        edges = [edge for edge in marks(self._rate_hz, 20) if edge <= second_CN.shape[1]]
        for start, stop in pairwise(edges):
            self._mean_square_L.append(float(np.square(second_CN[:, start:stop], dtype=np.float64).mean()))

    def _count_clipped(self, full_CN: npt.NDArray[np.bool_]) -> None:
        """Add samples in runs of at least RUN; a run may have begun in the second before."""
        if self._run_C is None:
            self._run_C = np.zeros(full_CN.shape[0], np.int64)
        for channel, full_N in enumerate(full_CN):
            carried = int(self._run_C[channel])
            padded = np.concatenate([np.ones(carried, np.bool_), full_N])
            edges = np.flatnonzero(np.diff(np.concatenate([[False], padded, [False]]).astype(np.int8)))
            lengths = edges[1::2] - edges[::2]
            self._clipped += int(lengths[lengths >= RUN].sum())
            # what was carried has been counted already if it was long enough by itself
            self._clipped -= carried if carried >= RUN else 0
            self._run_C[channel] = min(int(lengths[-1]), RUN) if padded[-1] else 0

    def finish(self) -> Arrays:
        """clipped: share of samples in runs at full scale, 0-1. peak: largest |sample|. mean_square_L: over channels,
        for each complete slice of 50 ms. samples: how many there were, over all channels.
        """
        for second_CN in self._seconds.finish():
            self._second(second_CN)
        return {
            "clipped": np.array(self._clipped / max(1, self._samples), np.float64),
            "peak": np.array(self._peak, np.float64),
            "samples": np.array(self._samples, np.int64),
            "mean_square_L": np.array(self._mean_square_L, np.float64),
        }


FEATURES.add("sound_levels", Feature("sound_levels", 1, "sound", SoundLevels))
