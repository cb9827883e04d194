"""Sound on the picture's clock: decoded chunks to aligned float32, and resampling.

Shape legend: C channels, N samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from av.audio.frame import AudioFrame

from eval.clip import AudioCN, ClipError, Limits, SoundChunk

CHUNK_S = 2.0
GAP_S = 0.010
"""Time stamps may be rounded to a millisecond (mkv); a longer jump is a gap and is filled with silence."""
PADDING_S = 0.1
"""An encoder's padding at the end is at most a few frames; more sound than this past the end is real."""
MAX_RATE_HZ = 768_000

_SCALE = {"u1": 128.0, "i2": 32768.0, "i4": 2147483648.0}


def as_float(frame: AudioFrame) -> AudioCN:
    """A decoded frame as float32 in [-1, 1], planar. Raises ValueError for a sample format nobody uses."""
    raw = frame.to_ndarray()
    channels = frame.layout.nb_channels
    if not frame.format.is_planar:
        raw = raw.reshape(-1, channels).T
    if raw.dtype.kind == "f":
        return np.ascontiguousarray(raw, np.float32)
    offset = 128.0 if raw.dtype.kind == "u" else 0.0
    scale = _SCALE[raw.dtype.str[1:]]
    return np.ascontiguousarray((raw.astype(np.float64) - offset) / scale, np.float32)


class SoundTrack:
    """Puts decoded frames on the picture's clock: sample 0 sounds when frame 0 appears.

    Sound before the picture is dropped; a late start and gaps are filled with silence, as a player does.
    origin_s: the time of the first picture. end_s: where the container says that the sound ends, on the
    container's clock; an encoder's padding beyond it is dropped.
    """

    def __init__(self, name: str, origin_s: Fraction, end_s: Fraction | None, limits: Limits) -> None:
        self._name = name
        self._origin_s = origin_s
        self._end_s = end_s
        self._limits = limits
        self._rate_hz = 0
        self._channels = 0
        self._received = 0  # samples placed on the picture's clock so far
        self._sent = 0
        self._pending: list[AudioCN] = []
        self._notes: dict[str, None] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(self._notes)

    def push(self, frame: AudioFrame) -> Iterator[SoundChunk]:
        """Take one decoded frame; give the chunks that are complete."""
        if not frame.samples:
            return
        self._check_form(frame)
        audio_CN = self._clean(as_float(frame))
        yield from self._place(audio_CN, self._target(frame))

    def finish(self) -> Iterator[SoundChunk]:
        """Give what is left, without the encoder's padding."""
        excess = self._received - self._end_sample()
        if 0 < excess <= PADDING_S * self._rate_hz:
            self._received -= excess
        yield from self._emit(all_of_it=True)

    def _check_form(self, frame: AudioFrame) -> None:
        form = frame.sample_rate, frame.layout.nb_channels
        if not self._rate_hz:
            if not 0 < form[0] <= MAX_RATE_HZ:
                raise ClipError(f"{self._name}: sound at an impossible rate of {form[0]} Hz")
            self._rate_hz, self._channels = form
        elif form != (self._rate_hz, self._channels):
            raise ClipError(
                f"{self._name}: the sound changes from {self._rate_hz} Hz × {self._channels} to "
                f"{form[0]} Hz × {form[1]} midway; convert it to one form"
            )

    def _clean(self, audio_CN: AudioCN) -> AudioCN:
        if np.isfinite(audio_CN).all():
            return audio_CN
        self._notes["sound holds values that are no numbers: read as silence"] = None
        return np.where(np.isfinite(audio_CN), audio_CN, np.float32(0))

    def _target(self, frame: AudioFrame) -> int:
        """The sample at which this frame belongs."""
        if frame.pts is None or frame.time_base is None:
            return self._received
        time_s = frame.pts * frame.time_base - self._origin_s
        target = round(time_s * self._rate_hz)
        slack = max(GAP_S, 1.5 * float(frame.time_base)) * self._rate_hz
        first = not self._received
        return target if first or abs(target - self._received) > slack else self._received

    def _place(self, audio_CN: AudioCN, target: int) -> Iterator[SoundChunk]:
        if self._received and target > self._received:
            self._notes["sound has gaps: filled with silence"] = None
        while self._received < target:
            gap = min(target - self._received, self._rate_hz)
            yield from self._append(np.zeros((self._channels, gap), np.float32))
        yield from self._append(audio_CN[:, self._received - target :])

    def _append(self, audio_CN: AudioCN) -> Iterator[SoundChunk]:
        self._pending.append(audio_CN)
        self._received += audio_CN.shape[1]
        if self._received > self._limits.max_seconds * self._rate_hz:
            raise ClipError(f"{self._name}: longer than the limit of {self._limits.max_seconds:g} seconds")
        if self._received - self._sent >= (CHUNK_S + PADDING_S) * self._rate_hz:
            yield from self._emit(all_of_it=False)

    def _emit(self, *, all_of_it: bool) -> Iterator[SoundChunk]:
        if not self._pending:
            return
        audio_CN = np.concatenate(self._pending, axis=1)
        ready = self._received - self._sent
        if not all_of_it:
            ready = min(ready, int(CHUNK_S * self._rate_hz))
        start_s = self._sent / self._rate_hz
        self._sent += ready
        self._pending = [] if all_of_it else [audio_CN[:, ready:]]
        if ready:
            yield SoundChunk(audio_CN[:, :ready], self._rate_hz, start_s)

    def _end_sample(self) -> int:
        if self._end_s is None:
            return self._received
        return max(0, round((self._end_s - self._origin_s) * self._rate_hz))


class Resampler:
    """Streaming change of rate with soxr (high quality). The chunks joined equal `resample` of the whole."""

    def __init__(self, from_hz: int, to_hz: int, channels: int) -> None:
        import soxr

        self._stream = soxr.ResampleStream(from_hz, to_hz, channels, dtype="float32", quality="HQ")

    def push(self, audio_CN: AudioCN, *, last: bool = False) -> AudioCN:
        """Feed consecutive samples; `last` flushes."""
        out_NC = self._stream.resample_chunk(np.ascontiguousarray(audio_CN.T), last=last)
        return np.ascontiguousarray(out_NC.reshape(-1, audio_CN.shape[0]).T, np.float32)


def resample(audio_CN: AudioCN, from_hz: int, to_hz: int) -> AudioCN:
    """Sound at another rate, without delay: ceil(N · to / from) samples give or take one.

    Returns float32 C,N. Raises ValueError for a rate that is not positive.
    Source: libsoxr, high quality (linear phase, delay compensated).
    """
    if from_hz <= 0 or to_hz <= 0:
        raise ValueError(f"rates must be positive; got {from_hz} and {to_hz} Hz")
    if from_hz == to_hz:
        return audio_CN
    return Resampler(from_hz, to_hz, audio_CN.shape[0]).push(audio_CN, last=True)
