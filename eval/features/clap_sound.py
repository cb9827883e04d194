"""Feature `clap_sound`: where CLAP places each ten seconds of the sound, in its space of sounds and texts.

Channels are averaged and resampled to 48 kHz (soxr, high quality).

Shape legend: S windows of ten seconds, D width of the features, C channels, N samples.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from eval.clip import ClipInfo, SoundChunk
from eval.encoders.accumulators import Owed
from eval.encoders.networks.checkpoint import weights_sha256
from eval.encoders.open.runners import runner
from eval.encoders.runner import Runner, Ticket
from eval.feature import FEATURES, Feature, NotMeasurable
from eval.features.sound_seconds import SoundSeconds

ENCODER = "clap"
RATE_HZ = 48_000
SAMPLES = 10 * RATE_HZ


class HeardSound:
    """Hands whole ten seconds in. An incomplete rest is dropped, unless it is all there is: then it is repeated."""

    def __init__(self, runner: Runner, rate_hz: int) -> None:
        import soxr

        self._runner = runner
        self._seconds = SoundSeconds(rate_hz)
        self._resampler = soxr.ResampleStream(rate_hz, RATE_HZ, 1, dtype="float32", quality="HQ")
        self._rest_N = np.zeros(0, np.float32)
        self._tickets: list[Ticket] = []

    def update(self, chunk: SoundChunk) -> None:
        for second_CN in self._seconds.push(chunk):
            self._hear(self._resampler.resample_chunk(mono(second_CN)))

    def finish(self) -> Owed:
        """features_SD: float32, projected, of any length."""
        for second_CN in self._seconds.finish():
            self._hear(self._resampler.resample_chunk(mono(second_CN)))
        self._hear(self._resampler.resample_chunk(np.zeros(0, np.float32), last=True))
        if not self._tickets:
            if not len(self._rest_N):
                raise NotMeasurable("the clip's sound is empty")
            self._tickets.append(self._runner.submit(filled(self._rest_N)[None]))
        return Owed("features_SD", self._tickets)

    def _hear(self, sound_N: npt.NDArray[np.float32]) -> None:
        """Add mono sound at 48 kHz."""
        self._rest_N = np.concatenate([self._rest_N, sound_N])
        while len(self._rest_N) >= SAMPLES:
            self._tickets.append(self._runner.submit(self._rest_N[:SAMPLES][None]))
            self._rest_N = self._rest_N[SAMPLES:]


def mono(sound_CN: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The mean of the channels."""
    return np.asarray(sound_CN.mean(axis=0, dtype=np.float32))


def filled(sound_N: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """1 to 480000 samples → 480000: repeated as often as it fits whole, and silence for the rest (`repeatpad`)."""
    repeated_N = np.tile(sound_N, SAMPLES // len(sound_N))
    return np.pad(repeated_N, (0, SAMPLES - len(repeated_N)))


def start(info: ClipInfo) -> HeardSound:
    """Raises NotMeasurable where the user's weights are missing."""
    assert info.rate_hz is not None
    return HeardSound(runner(ENCODER), info.rate_hz)


FEATURES.add(
    "clap_sound",
    Feature("clap_sound", 1, "sound", start, encoder=ENCODER, weights=partial(weights_sha256, ENCODER)),
)
