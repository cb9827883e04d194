"""Spread spectrum in sound, below a masking threshold (after Swanson, Zhu, Tewfik and Boney 1998).

Time and frequency are cut into cells; every second holds the same cells, so that every second carries the whole message
and a cut clip is read by trying where in a second it begins. In each cell the sound is made a little louder or softer,
by the key's sign and the cell's bit, and by so much as the louder neighbours in frequency hide.

Shape legend: C channels, N samples, F frequencies, T frames of the transform, Y X cells in frequency and in a second.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage, signal

from eval.clip import AudioCN, Clip
from eval.marks.bits import check_message
from eval.marks.blocks import owners
from eval.marks.chance import p_of, sign_evidence, surprise
from eval.marks.keys import signs
from eval.marks.mark import MARKS, Bits, Detection, MarkError, Stream

WINDOW_S = 0.032
OVERLAP = 4
LOW_HZ, HIGH_HZ = 250.0, 7250.0
ROWS, COLUMNS = 70, 16
"""Cells in frequency, 100 Hz each, and in a second."""
LOWEST_RATE_HZ = 4000
SHORTEST_S = 1.0
STARTS = 4 * COLUMNS
"""Beginnings within a second that are tried: four to a cell."""
SPREAD_HZ = 150.0
"""How far in frequency a louder sound hides a softer one: standard deviation of the threshold's smoothing."""
QUIET = 1e-5
"""Amplitude below which a sound is taken for silence: a third of a 16-bit step."""

Cells = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SpreadSound:
    """below_db: how far below the smoothed spectrum, which hides it, the change stays."""

    below_db: float = 16.0
    name: str = "spread-sound"
    version: int = 1
    bits: int = 32
    stream: Stream = "sound"
    summary: str = "spread spectrum in sound, below a masking threshold; each second carries the message"
    source: str = "Swanson et al. 1998, in cells of time and frequency"
    weights_sha256: str = ""

    def embed(self, clip: Clip, message_K: Bits, *, key: int) -> Clip:
        """See Mark."""
        check_message(message_K, self.bits)
        audio_CN, rate_hz = _sound(clip)
        signs_YX, owner_YX = _secret(key, self.name, self.bits)
        turns_YX = signs_YX * (message_K[owner_YX] * 2.0 - 1.0)
        marked = [self._louder(one_N, rate_hz, turns_YX) for one_N in audio_CN]
        return Clip(clip.frames_TCHW, clip.fps, np.stack(marked).astype(np.float32), rate_hz)

    def detect(self, clip: Clip, *, key: int) -> Detection:
        """See Mark. `searched` is 1: where the first second begins is chosen by what says nothing about the message
        (eval/marks/chance.py), and p_presence takes the number of tries into account.
        """
        begun = time.perf_counter()
        audio_CN, rate_hz = _sound(clip)
        signs_YX, owner_YX = _secret(key, self.name, self.bits)
        found_FT, at_F, at_T = _levels(audio_CN.mean(axis=0, dtype=np.float64), rate_hz)
        rows_F, heard_F = _rows(at_F)
        tries = [
            self._read(found_FT[heard_F], rows_F, at_T + start / STARTS, signs_YX, owner_YX) for start in range(STARTS)
        ]
        squares = [float(np.square(soft_K).sum()) for soft_K in tries]
        start = int(np.argmax(squares))
        sure = max(surprise(squares[0], self.bits, 2.0), surprise(squares[start], self.bits, 2.0 * STARTS))
        soft_K = tries[start]
        bits_K = (soft_K > 0).astype(np.uint8)
        expected_YX = signs_YX * (bits_K[owner_YX] * 2.0 - 1.0)
        local_T = _by_second(found_FT[heard_F], rows_F, at_T, start / STARTS, expected_YX, clip.duration_s)
        return Detection(bits_K, soft_K, sure, p_of(sure), 1, local_T, time.perf_counter() - begun)

    def _louder(self, sound_N: npt.NDArray[np.float32], rate_hz: int, turns_YX: Cells) -> npt.NDArray[np.float64]:
        """One channel with every cell made louder or softer."""
        transform = _transform(rate_hz)
        waves_FT = transform.stft(sound_N.astype(np.float64))
        at_F, at_T = transform.f, transform.t(len(sound_N))
        rows_F, heard_F = _rows(at_F)
        columns_T = np.floor(at_T * COLUMNS).astype(int) % COLUMNS
        step_hz = at_F[1] - at_F[0]
        size_FT = np.abs(waves_FT)
        hiding_FT = np.sqrt(ndimage.gaussian_filter1d(np.square(size_FT), SPREAD_HZ / step_hz, axis=0))
        hidden_FT = hiding_FT * 10 ** (-self.below_db / 20)
        change_FT = np.zeros_like(size_FT)
        change_FT[heard_F] = hidden_FT[heard_F] * turns_YX[rows_F][:, columns_T]
        louder_FT = np.maximum(size_FT + change_FT, 0.0)
        turned_FT = np.divide(waves_FT, size_FT, out=np.zeros_like(waves_FT), where=size_FT > 0)
        sound: npt.NDArray[np.float64] = np.real(transform.istft(louder_FT * turned_FT, k1=len(sound_N)))
        return sound

    def _read(
        self,
        found_FT: npt.NDArray[np.float64],
        rows_F: npt.NDArray[np.int64],
        at_T: npt.NDArray[np.float64],
        signs_YX: Cells,
        owner_YX: npt.NDArray[np.int64],
    ) -> npt.NDArray[np.float64]:
        """Evidence of the bits, K, if the frames lie at `at_T` seconds of the marked sound."""
        columns_T = np.floor(at_T * COLUMNS).astype(int) % COLUMNS
        cells_YX = np.zeros((ROWS, COLUMNS))
        np.add.at(cells_YX, (rows_F[:, None], columns_T[None, :]), found_FT)
        return sign_evidence((cells_YX * signs_YX).ravel(), owner_YX.ravel(), self.bits)


def _sound(clip: Clip) -> tuple[AudioCN, int]:
    """The clip's sound. Raises MarkError where there is none, or too little, for a mark."""
    if clip.audio_CN is None or clip.rate_hz is None or not clip.audio_CN.size:
        raise MarkError("the clip has no sound, and spread-sound is a mark in sound: choose a mark in the picture")
    if clip.rate_hz < LOWEST_RATE_HZ:
        raise MarkError(f"sound of {clip.rate_hz} Hz holds no mark: resample it to {LOWEST_RATE_HZ} Hz or more")
    duration_s = clip.audio_CN.shape[1] / clip.rate_hz
    if duration_s < SHORTEST_S:
        raise MarkError(f"{duration_s:.2f} s of sound are too short: spread-sound needs {SHORTEST_S:g} s or more")
    if float(np.abs(clip.audio_CN).max()) < QUIET:
        raise MarkError("the clip is silent, and silence hides nothing: choose a mark in the picture")
    return clip.audio_CN, clip.rate_hz


@lru_cache(maxsize=8)
def _transform(rate_hz: int) -> signal.ShortTimeFFT:
    length = round(WINDOW_S * rate_hz / OVERLAP) * OVERLAP
    window = signal.windows.hann(length, sym=False)
    return signal.ShortTimeFFT(window, hop=length // OVERLAP, fs=rate_hz)


@lru_cache(maxsize=64)
def _secret(key: int, name: str, bits: int) -> tuple[Cells, npt.NDArray[np.int64]]:
    count = ROWS * COLUMNS
    signs_YX = signs(key, f"{name}/signs", count).reshape(ROWS, COLUMNS).astype(np.float64)
    return signs_YX, owners(key, f"{name}/owners", count, bits).reshape(ROWS, COLUMNS)


def _rows(at_F: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """The row of cells of each frequency that lies in one, and which frequencies those are, F."""
    heard_F = (at_F >= LOW_HZ) & (at_F < HIGH_HZ)
    rows_F = ((at_F[heard_F] - LOW_HZ) * ROWS / (HIGH_HZ - LOW_HZ)).astype(np.int64)
    return rows_F, heard_F


def _levels(
    sound_N: npt.NDArray[np.float64], rate_hz: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Loudness of each time and frequency less that of its surroundings, in nepers, cut at 2; 0 in silence: F, T. With
    it the frequencies in Hz and the times in seconds.
    """
    transform = _transform(rate_hz)
    size_FT = np.abs(transform.stft(sound_N))
    floor = QUIET * float(transform.win.sum())
    level_FT = np.log(size_FT + floor)
    step_hz = float(transform.f[1] - transform.f[0])
    step_s = transform.delta_t
    around = ndimage.gaussian_filter1d(level_FT, 2 * SPREAD_HZ / step_hz, axis=0)
    around = ndimage.gaussian_filter1d(around, 2.0 / COLUMNS / step_s, axis=1)
    found_FT = np.clip(level_FT - around, -2.0, 2.0) * (size_FT > floor)
    return found_FT, transform.f, transform.t(len(sound_N))


def _by_second(
    found_FT: npt.NDArray[np.float64],
    rows_F: npt.NDArray[np.int64],
    at_T: npt.NDArray[np.float64],
    start_s: float,
    expected_YX: Cells,
    duration_s: float,
) -> npt.NDArray[np.float64]:
    """How surely each second of the clip carries the message that was read, in standard deviations of chance."""
    columns_T = np.floor((at_T + start_s) * COLUMNS).astype(int) % COLUMNS
    agree_T = (found_FT * expected_YX[rows_F][:, columns_T]).sum(axis=0)
    second_T = np.floor(at_T).astype(int)
    seconds = max(1, int(np.ceil(duration_s)))
    inside_T = (second_T >= 0) & (second_T < seconds)
    summed = np.bincount(second_T[inside_T], agree_T[inside_T], seconds)
    # Frames overlap, so a cell's frames are one observation: their sum is compared with its own spread.
    cells = np.zeros((seconds, ROWS, COLUMNS))
    np.add.at(
        cells, (second_T[inside_T][None, :], rows_F[:, None], columns_T[inside_T][None, :]), found_FT[:, inside_T]
    )
    spread = np.sqrt(np.square(cells).sum(axis=(1, 2)))
    each: npt.NDArray[np.float64] = np.divide(summed, spread, out=np.zeros(seconds), where=spread > 0)
    return each


MARKS.add("spread-sound", SpreadSound())
