"""Attacks on sound. Filters have no delay, so that what is lost is the mark and not its place.

Shape legend: C channels, N sound samples.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage, signal

from eval.clip import AudioCN
from eval.video import resample
from eval.video.recode import SoundCodec
from safety.watermark.attacks.attack import AttackError
from safety.watermark.attacks.codec import sound_through
from safety.watermark.attacks.declare import sound_attack
from safety.watermark.attacks.temporal import sound_at_speed

Sections = npt.NDArray[np.float64]

ORDER = 4
"""Of the Butterworth filters; they run forwards and backwards, which doubles it and takes the delay off."""
LEAST_HZ = 1000


def _register_codec(codec: SoundCodec, ladder: tuple[float, ...], what: str, source: str) -> None:
    @sound_attack(f"sound-{codec}", unit="kbit/s", ladder=ladder, summary=what, source=source)
    def coded(audio_CN: AudioCN, rate_hz: int, strength: float, rng: np.random.Generator) -> AudioCN:  # noqa: ARG001
        return sound_through(audio_CN, rate_hz, codec, strength)


_register_codec(
    "aac", (128, 64, 48, 32, 16), "AAC at this rate for all channels, its delay taken off", "OmniSeal (12-256)"
)
_register_codec(
    "mp3", (128, 64, 48, 32, 16), "MP3 (LAME) at this rate for all channels; below 32 at 24 kHz", "OmniSeal (12-256)"
)
_register_codec("opus", (64, 32, 24, 12, 6), "Opus at this rate for all channels", "AudioMarkBench")


@sound_attack(
    "sound-resample",
    unit="× rate",
    ladder=(0.75, 0.5, 0.33, 0.25),
    identity=1,
    summary="to a lower rate and back",
    source="OmniSeal",
)
def sound_resample(audio_CN: AudioCN, rate_hz: int, strength: float, rng: np.random.Generator) -> AudioCN:  # noqa: ARG001
    lower_hz = round(rate_hz * strength)
    if lower_hz < LEAST_HZ:
        raise AttackError(f"sound-resample: {rate_hz} Hz at {strength:g} is under {LEAST_HZ} Hz")
    return _fitted(resample(resample(audio_CN, rate_hz, lower_hz), lower_hz, rate_hz), audio_CN.shape[1])


@sound_attack(
    "sound-lowpass",
    unit="Hz",
    ladder=(8000, 5000, 3500, 2000),
    summary=f"Butterworth of order {ORDER}, forwards and backwards",
    source="OmniSeal",
)
def lowpass(audio_CN: AudioCN, rate_hz: int, strength: float, rng: np.random.Generator) -> AudioCN:  # noqa: ARG001
    if strength >= rate_hz / 2:
        raise AttackError(f"sound-lowpass: sound at {rate_hz} Hz has nothing above {strength:g} Hz; choose a lower one")
    return _filtered(audio_CN, signal.butter(ORDER, strength, "lowpass", fs=rate_hz, output="sos"))


@sound_attack(
    "sound-highpass",
    unit="Hz",
    ladder=(100, 300, 500, 1000, 2000),
    summary=f"Butterworth of order {ORDER}, forwards and backwards",
    source="OmniSeal",
)
def highpass(audio_CN: AudioCN, rate_hz: int, strength: float, rng: np.random.Generator) -> AudioCN:  # noqa: ARG001
    if strength >= rate_hz / 2:
        raise AttackError(
            f"sound-highpass: sound at {rate_hz} Hz has nothing above {strength:g} Hz; choose a lower one"
        )
    return _filtered(audio_CN, signal.butter(ORDER, strength, "highpass", fs=rate_hz, output="sos"))


@sound_attack(
    "sound-bandpass",
    unit="octaves each way",
    ladder=(3, 2, 1, 0.5),
    summary=f"what is left around 1 kHz; Butterworth of order {ORDER}, forwards and backwards",
    source="OmniSeal; 2 octaves are a telephone's band",
)
def bandpass(audio_CN: AudioCN, rate_hz: int, strength: float, rng: np.random.Generator) -> AudioCN:  # noqa: ARG001
    low, high = 1000 / 2**strength, min(1000 * 2**strength, 0.49 * rate_hz)
    if high <= low:
        raise AttackError(f"sound-bandpass: sound at {rate_hz} Hz ends below the band around 1 kHz")
    return _filtered(audio_CN, signal.butter(ORDER, [low, high], "bandpass", fs=rate_hz, output="sos"))


@sound_attack(
    "sound-white-noise",
    unit="dB signal over noise",
    ladder=(40, 30, 20, 10, 0),
    random=True,
    summary="white Gaussian noise at this distance from the sound's mean power",
    source="OmniSeal (σ .001-.3)",
)
def white_noise(audio_CN: AudioCN, rate_hz: int, strength: float, rng: np.random.Generator) -> AudioCN:  # noqa: ARG001
    return _with_noise("sound-white-noise", audio_CN, rng.standard_normal(audio_CN.shape), strength)


@sound_attack(
    "sound-pink-noise",
    unit="dB signal over noise",
    ladder=(40, 30, 20, 10, 0),
    random=True,
    summary="pink noise (power 1/f from 20 Hz) at this distance from the sound's mean power",
    source="OmniSeal (σ .01-1)",
)
def pink_noise(audio_CN: AudioCN, rate_hz: int, strength: float, rng: np.random.Generator) -> AudioCN:
    samples = audio_CN.shape[1]
    hertz = np.maximum(np.fft.rfftfreq(samples, 1 / rate_hz), 20.0)
    pink_CN = np.fft.irfft(np.fft.rfft(rng.standard_normal(audio_CN.shape)) / np.sqrt(hertz), samples)
    return _with_noise("sound-pink-noise", audio_CN, pink_CN, strength)


def _register_gain(name: str, ladder: tuple[float, ...], what: str) -> None:
    @sound_attack(name, unit="dB", ladder=ladder, identity=0, summary=what, source="OmniSeal (±10-90 %)")
    def gained(audio_CN: AudioCN, rate_hz: int, strength: float, rng: np.random.Generator) -> AudioCN:  # noqa: ARG001
        return audio_CN * np.float32(10 ** (strength / 20))


_register_gain("sound-quieter", (-3, -6, -12, -20), "every sample times 10 ^ (dB / 20)")
_register_gain("sound-louder", (3, 6, 12, 20), "every sample times 10 ^ (dB / 20), clipped at full scale")


@sound_attack(
    "sound-mute",
    unit="of length",
    ladder=(0.01, 0.1, 0.3, 0.5),
    identity=0,
    random=True,
    summary="one stretch anywhere is silent",
    source="OmniSeal (.1-30 %)",
)
def mute(audio_CN: AudioCN, rate_hz: int, strength: float, rng: np.random.Generator) -> AudioCN:  # noqa: ARG001
    start, stop = _stretch(audio_CN.shape[1], strength, rng)
    muted_CN = audio_CN.copy()
    muted_CN[:, start:stop] = 0
    return muted_CN


@sound_attack(
    "sound-cut",
    unit="of length",
    ladder=(0.01, 0.1, 0.3, 0.5),
    identity=0,
    random=True,
    summary="one stretch anywhere is taken out, and what follows moves up: the sound is shorter",
    source="AudioSeal trains with it",
)
def cut(audio_CN: AudioCN, rate_hz: int, strength: float, rng: np.random.Generator) -> AudioCN:  # noqa: ARG001
    start, stop = _stretch(audio_CN.shape[1], strength, rng)
    return np.concatenate([audio_CN[:, :start], audio_CN[:, stop:]], axis=1)


@sound_attack(
    "sound-echo",
    unit="of amplitude",
    ladder=(0.1, 0.3, 0.5, 0.8),
    identity=0,
    random=True,
    summary="one echo, .1 to .5 s later",
    source="OmniSeal",
)
def echo(audio_CN: AudioCN, rate_hz: int, strength: float, rng: np.random.Generator) -> AudioCN:
    delay = round(rng.uniform(0.1, 0.5) * rate_hz)
    if delay >= audio_CN.shape[1]:
        raise AttackError("sound-echo: the sound ends before its echo; attack clips of half a second or more")
    echoed_CN = audio_CN.copy()
    echoed_CN[:, delay:] += np.float32(strength) * audio_CN[:, :-delay]
    return echoed_CN


def _register_speed(name: str, ladder: tuple[float, ...], what: str) -> None:
    @sound_attack(name, unit="× speed", ladder=ladder, identity=1, summary=what, source="OmniSeal (.5-1.5)")
    def played(audio_CN: AudioCN, rate_hz: int, strength: float, rng: np.random.Generator) -> AudioCN:  # noqa: ARG001
        return sound_at_speed(audio_CN, rate_hz, strength)


_register_speed("sound-faster", (1.02, 1.1, 1.25, 1.5), "the sound alone faster and higher, and shorter")
_register_speed("sound-slower", (0.98, 0.9, 0.75, 0.5), "the sound alone slower and lower, and longer")


@sound_attack(
    "sound-smooth",
    unit="samples",
    ladder=(3, 5, 11, 41),
    identity=1,
    summary="every sample the mean of those around it in a window of this many",
    source="OmniSeal (2-40)",
)
def smooth(audio_CN: AudioCN, rate_hz: int, strength: float, rng: np.random.Generator) -> AudioCN:  # noqa: ARG001
    size = round(strength)
    means_CN = ndimage.uniform_filter1d(audio_CN.astype(np.float64), size, axis=1, mode="nearest")
    return np.asarray(means_CN, np.float32)


@sound_attack(
    "sound-quantise",
    unit="bits",
    ladder=(12, 8, 6, 4),
    summary="every sample rounded to this many bits",
    source="AudioMarkBench (quantisation)",
)
def quantise(audio_CN: AudioCN, rate_hz: int, strength: float, rng: np.random.Generator) -> AudioCN:  # noqa: ARG001
    steps = np.float32(2 ** (round(strength) - 1))
    return np.asarray(np.rint(audio_CN * steps) / steps, np.float32)


def _filtered(audio_CN: AudioCN, sections: Sections) -> AudioCN:
    """Forwards and backwards: no delay."""
    pad = min(audio_CN.shape[1] - 1, 3 * (2 * len(sections) + 1))
    return np.asarray(signal.sosfiltfilt(sections, audio_CN.astype(np.float64), axis=1, padlen=pad), np.float32)


def _with_noise(name: str, audio_CN: AudioCN, noise_CN: npt.NDArray[np.float64], over_db: float) -> AudioCN:
    power = float(np.square(audio_CN, dtype=np.float64).mean())
    if not power:
        raise AttackError(f"{name}: the sound is silent, and no noise is at a distance from that")
    scale = np.sqrt(power / np.square(noise_CN).mean() / 10 ** (over_db / 10))
    return np.asarray(audio_CN + scale * noise_CN, np.float32)


def _stretch(samples: int, share: float, rng: np.random.Generator) -> tuple[int, int]:
    """A stretch anywhere, at least a sample long where any is asked for, and never all of it."""
    length = min(samples - 1, max(1, round(share * samples))) if share else 0
    start = int(rng.integers(0, samples - length + 1))
    return start, start + length


def _fitted(audio_CN: AudioCN, samples: int) -> AudioCN:
    return np.pad(audio_CN[:, :samples], ((0, 0), (0, max(0, samples - audio_CN.shape[1]))))
