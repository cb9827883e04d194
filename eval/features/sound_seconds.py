"""Cuts a stream of sound chunks into whole seconds, so that features do not depend on how a reader chunks.

Shape legend: C channels, N samples.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from eval.clip import AudioCN, SoundChunk


class SoundSeconds:
    """Gives blocks that start at every whole second of sound, each with `overlap` samples of the next one.

    push() gives the blocks that are complete; finish() the rest, which may be shorter. Holds little more than a
    second of sound and the chunk at hand.
    """

    def __init__(self, rate_hz: int, overlap: int = 0) -> None:
        self._rate_hz = rate_hz
        self._overlap = overlap
        self._rest_CN: AudioCN | None = None
        self.start_s = 0.0

    def push(self, chunk: SoundChunk) -> Iterator[AudioCN]:
        """Blocks of rate + overlap samples."""
        if chunk.rate_hz != self._rate_hz:
            raise ValueError(f"the sound changes its rate from {self._rate_hz} to {chunk.rate_hz} Hz")
        if self._rest_CN is None:
            self.start_s = chunk.start_s
            whole_CN = chunk.audio_CN
        else:
            whole_CN = np.concatenate([self._rest_CN, chunk.audio_CN], axis=1)
        start = 0
        while whole_CN.shape[1] - start >= self._rate_hz + self._overlap:
            yield whole_CN[:, start : start + self._rate_hz + self._overlap]
            start += self._rate_hz
        self._rest_CN = whole_CN[:, start:].copy()

    def finish(self) -> Iterator[AudioCN]:
        """What is left: at most a second and the overlap, so one block, or two when the overlap is part of it."""
        rest_CN = self._rest_CN
        while rest_CN is not None and rest_CN.shape[1]:
            yield rest_CN[:, : self._rate_hz + self._overlap]
            rest_CN = rest_CN[:, self._rate_hz :]
        self._rest_CN = None


def marks(rate_hz: int, per_second: int) -> list[int]:
    """Sample positions that cut one second into equal parts, both ends included, to the nearest sample below."""
    return [step * rate_hz // per_second for step in range(per_second + 1)]
