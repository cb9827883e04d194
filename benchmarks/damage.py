"""Damage to a clip in grades: what metrics are held against to see what they notice.

Shape legend: T frames, C channels, H height, W width, N sound samples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from eval.clip import AudioCN, Clip, FramesTCHW

PictureHWC = npt.NDArray[np.float32]
Stream = Literal["picture", "sound"]


@dataclass(frozen=True, slots=True)
class Damage:
    """One kind of damage. strengths: mild to strong, in `unit`. apply: (clip, strength) → clip of the same form."""

    name: str
    summary: str
    unit: str
    stream: Stream
    strengths: tuple[float, ...]
    apply: Callable[[Clip, float], Clip]


def _frames(clip: Clip, frames_TCHW: FramesTCHW) -> Clip:
    return Clip(np.ascontiguousarray(frames_TCHW), clip.fps, clip.audio_CN, clip.rate_hz)


def _each(clip: Clip, change: Callable[[PictureHWC, int], PictureHWC]) -> Clip:
    changed = [
        np.clip(np.rint(change(frame_CHW.transpose(1, 2, 0).astype(np.float32), place)), 0, 255).astype(np.uint8)
        for place, frame_CHW in enumerate(clip.frames_TCHW)
    ]
    return _frames(clip, np.stack(changed).transpose(0, 3, 1, 2))


def noisy(clip: Clip, sigma: float) -> Clip:
    random = np.random.default_rng(1)
    return _each(clip, lambda f, _: f + random.normal(0.0, sigma, f.shape).astype(np.float32))


def blurred(clip: Clip, sigma: float) -> Clip:
    return _each(clip, lambda f, _: np.asarray(cv2.GaussianBlur(f, (0, 0), sigma), np.float32))


def compressed(clip: Clip, quality: float) -> Clip:
    def once(frame_HWC: PictureHWC, _: int) -> PictureHWC:
        ok, data = cv2.imencode(".jpg", frame_HWC.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
        assert ok
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.float32)

    return _each(clip, once)


def darker(clip: Clip, gain: float) -> Clip:
    return _each(clip, lambda f, _: np.float32(gain) * f)


def flatter(clip: Clip, gain: float) -> Clip:
    return _each(clip, lambda f, _: 128 + np.float32(gain) * (f - 128))


def greyer(clip: Clip, gain: float) -> Clip:
    return _each(clip, lambda f, _: np.float32(gain) * f + np.float32(1 - gain) * f.mean(axis=2, keepdims=True))


def flickering(clip: Clip, step: float) -> Clip:
    return _each(clip, lambda f, place: f + np.float32(step if place % 2 else -step))


def jittered(clip: Clip, pixels: float) -> Clip:
    return _each(clip, lambda f, place: np.roll(f, int(pixels) * (-1) ** place, axis=0))


def held(clip: Clip, times: float) -> Clip:
    """Only every so-manieth frame, each held until the next."""
    places = np.arange(len(clip.frames_TCHW)) // int(times) * int(times)
    return _frames(clip, clip.frames_TCHW[places])


def stopped(clip: Clip, share: float) -> Clip:
    """The last share of the clip is one frame."""
    total = len(clip.frames_TCHW)
    places = np.minimum(np.arange(total), round((1 - share) * (total - 1)))
    return _frames(clip, clip.frames_TCHW[places])


def swapped(clip: Clip, share: float) -> Clip:
    """So great a share of the pairs of neighbouring frames have changed places."""
    places = np.arange(len(clip.frames_TCHW))
    pairs = len(places) // 2
    for pair in np.random.default_rng(1).permutation(pairs)[: round(share * pairs)]:
        places[[2 * pair, 2 * pair + 1]] = places[[2 * pair + 1, 2 * pair]]
    return _frames(clip, clip.frames_TCHW[places])


def run_back(clip: Clip, share: float) -> Clip:
    """The last share of the clip runs backwards, and shows what was there already."""
    total = len(clip.frames_TCHW)
    turn = round((1 - share) * total)
    places = np.concatenate([np.arange(turn), np.maximum(turn - 1 - np.arange(total - turn), 0)])
    return _frames(clip, clip.frames_TCHW[places])


def _sound(clip: Clip, change: Callable[[AudioCN, int], npt.NDArray[np.floating]]) -> Clip:
    if clip.audio_CN is None or clip.rate_hz is None:
        return clip
    changed_CN = np.clip(change(clip.audio_CN, clip.rate_hz), -1.0, 1.0).astype(np.float32)
    return Clip(clip.frames_TCHW, clip.fps, np.ascontiguousarray(changed_CN), clip.rate_hz)


def late(clip: Clip, seconds: float) -> Clip:
    def shift(audio_CN: AudioCN, rate_hz: int) -> AudioCN:
        gap = np.zeros((len(audio_CN), round(seconds * rate_hz)), np.float32)
        return np.concatenate([gap, audio_CN], axis=1)[:, : audio_CN.shape[1]]

    return _sound(clip, shift)


def dull(clip: Clip, cut_hz: float) -> Clip:
    def low_pass(audio_CN: AudioCN, rate_hz: int) -> npt.NDArray[np.floating]:
        from scipy.signal import butter, sosfilt

        return np.asarray(sosfilt(butter(8, cut_hz, fs=rate_hz, output="sos"), audio_CN))

    return _sound(clip, low_pass)


def muted(clip: Clip, share: float) -> Clip:
    def silence(audio_CN: AudioCN, _: int) -> AudioCN:
        sound_CN = audio_CN.copy()
        sound_CN[:, : round(share * sound_CN.shape[1])] = 0
        return sound_CN

    return _sound(clip, silence)


def overdriven(clip: Clip, gain: float) -> Clip:
    return _sound(clip, lambda audio_CN, _: gain * audio_CN)


def quieter(clip: Clip, gain: float) -> Clip:
    return _sound(clip, lambda audio_CN, _: gain * audio_CN)


DAMAGES = (
    Damage("noise", "white noise on every frame", "σ of 255", "picture", (4, 8, 16, 32), noisy),
    Damage("blur", "Gaussian blur", "σ in pixels", "picture", (0.5, 1, 2, 4), blurred),
    Damage("compression", "JPEG, frame by frame", "quality", "picture", (60, 30, 15, 5), compressed),
    Damage("dark", "brightness taken away", "times", "picture", (0.8, 0.6, 0.4, 0.2), darker),
    Damage("flat", "contrast taken away", "times", "picture", (0.8, 0.6, 0.4, 0.2), flatter),
    Damage("grey", "colour taken away", "times", "picture", (0.75, 0.5, 0.25, 0), greyer),
    Damage("flicker", "brightness up and down by turns", "of 255", "picture", (2, 4, 8, 16), flickering),
    Damage("jitter", "every other frame moved up and down", "pixels", "picture", (1, 2, 4, 8), jittered),
    Damage("held frames", "each frame held for several", "frames", "picture", (2, 3, 4, 8), held),
    Damage("stopped", "the end of the clip stands still", "share", "picture", (0.25, 0.5, 0.75, 1), stopped),
    Damage("swapped", "neighbouring frames change places", "share", "picture", (0.25, 0.5, 0.75, 1), swapped),
    Damage("backwards", "the end of the clip runs back", "share", "picture", (0.125, 0.25, 0.375, 0.5), run_back),
    Damage("late sound", "the sound comes too late", "s", "sound", (0.1, 0.2, 0.3, 0.5), late),
    Damage("dull sound", "high frequencies taken away", "Hz", "sound", (4000, 2000, 1000, 500), dull),
    Damage("muted", "the beginning is silent", "share", "sound", (0.2, 0.4, 0.6, 0.8), muted),
    Damage("overdriven", "amplified past full scale", "times", "sound", (2, 4, 8, 16), overdriven),
    Damage("quiet", "amplified too little", "times", "sound", (0.5, 0.25, 0.1, 0.02), quieter),
)  # fmt: skip
