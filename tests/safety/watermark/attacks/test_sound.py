"""Attacks on sound do what they say, and none moves the sound in time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy.signal import correlate

from eval.clip import Clip
from safety.watermark.attacks.attack import ATTACKS, AttackError
from safety.watermark.attacks.catalogue import own_attacks

from .conftest import RATE_HZ, make_clip

Sound = npt.NDArray[np.float32]
MOVING = {"sound-cut", "sound-faster", "sound-slower"}
STILL = [attack for attack in own_attacks() if attack.streams == {"sound"} and attack.name not in MOVING]


def attacked(name: str, sound_N: Sound, strength: float, *, rate_hz: int = RATE_HZ, seed: int = 0) -> Sound:
    frames = np.zeros((24, 3, 8, 8), np.uint8)
    clip = Clip(frames, 24.0, np.atleast_2d(sound_N).astype(np.float32), rate_hz)
    after = ATTACKS.get(name).apply(clip, strength, np.random.default_rng(seed)).audio_CN
    assert after is not None
    return after[0]


def tone(hertz: float, amplitude: float = 0.2, seconds: float = 1.0) -> Sound:
    return (amplitude * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)).astype(np.float32)


def level_db(before: Sound, after: Sound) -> float:
    """Of the middle half, where filters have settled."""
    middle = slice(len(before) // 4, -len(before) // 4)
    return float(10 * np.log10(np.square(after[middle]).mean() / np.square(before[middle]).mean()))


def broadband() -> Sound:
    sound_CN = make_clip().audio_CN
    assert sound_CN is not None
    return sound_CN[0]


@pytest.mark.parametrize("attack", STILL, ids=lambda attack: attack.name)
def test_nothing_is_delayed(attack: type) -> None:
    before = broadband()
    for strength in (attack.ladder[0], attack.ladder[-1]):  # type: ignore[attr-defined]
        after = attacked(attack.name, before, strength)  # type: ignore[attr-defined]
        assert len(after) == len(before)
        lag = int(correlate(after, before, "full", "fft").argmax()) - (len(before) - 1)
        limit = 8 if (attack.name, strength) == ("sound-opus", 6) else 0  # type: ignore[attr-defined]
        assert abs(lag) <= limit, strength  # at 6 kbit/s Opus makes up its upper tones, and only the envelope is left


@pytest.mark.parametrize(("name", "decibels"), [("sound-quieter", -6), ("sound-quieter", -20), ("sound-louder", 3)])
def test_gain_is_exact(name: str, decibels: float) -> None:
    before = tone(1000)
    np.testing.assert_allclose(attacked(name, before, decibels), before * 10 ** (decibels / 20), rtol=1e-6)


def test_gain_clips_at_full_scale() -> None:
    assert np.abs(attacked("sound-louder", tone(1000, 0.5), 12)).max() == 1.0


@pytest.mark.parametrize(
    ("name", "strength", "kept_hz", "lost_hz"),
    [
        ("sound-lowpass", 3500, (100, 2000), (6000, 12_000)),
        ("sound-highpass", 1000, (2000, 8000), (100, 500)),
        ("sound-bandpass", 1, (1000,), (100, 200, 6000)),
        ("sound-resample", 0.25, (100, 4000), (7000, 12_000)),
        ("sound-smooth", 41, (20,), (4000, 9000)),
        ("sound-mp3", 16, (500,), (16_000, 20_000)),
    ],
)
def test_filters_keep_and_take_the_stated_tones(
    name: str, strength: float, kept_hz: tuple[float, ...], lost_hz: tuple[float, ...]
) -> None:
    for hertz in kept_hz:
        assert abs(level_db(tone(hertz), attacked(name, tone(hertz), strength))) < 1, hertz
    for hertz in lost_hz:
        assert level_db(tone(hertz), attacked(name, tone(hertz), strength)) < -12, hertz


def test_a_cut_off_is_where_half_the_amplitude_is_left() -> None:
    """Two passes of a filter that is 3 dB down at its edge."""
    assert level_db(tone(2000), attacked("sound-lowpass", tone(2000), 2000)) == pytest.approx(-6.02, abs=0.1)
    assert level_db(tone(500), attacked("sound-highpass", tone(500), 500)) == pytest.approx(-6.02, abs=0.1)


def test_a_filter_with_nothing_to_take_says_so() -> None:
    with pytest.raises(AttackError, match="nothing above 8000 Hz"):
        attacked("sound-lowpass", tone(100), 8000, rate_hz=16_000)


@pytest.mark.parametrize("name", ["sound-white-noise", "sound-pink-noise"])
@pytest.mark.parametrize("decibels", [40, 10])
def test_noise_is_at_the_stated_distance(name: str, decibels: float) -> None:
    before = tone(1000)
    noise = attacked(name, before, decibels) - before
    assert 10 * np.log10(np.square(before).mean() / np.square(noise).mean()) == pytest.approx(decibels, abs=0.01)


@pytest.mark.parametrize(("name", "slope_db"), [("sound-white-noise", 0), ("sound-pink-noise", -3.01)])
def test_pink_noise_falls_by_three_decibels_an_octave(name: str, slope_db: float) -> None:
    before = tone(1000, 0.05, 4.0)
    power = np.abs(np.fft.rfft(attacked(name, before, 20) - before)) ** 2
    hertz = np.fft.rfftfreq(len(before), 1 / RATE_HZ)
    octaves = [10 * np.log10(power[(hertz >= low) & (hertz < 2 * low)].mean()) for low in (100, 400, 1600, 6400)]
    np.testing.assert_allclose(np.diff(octaves) / 2, slope_db, atol=0.5)


def test_silence_has_no_distance_from_noise() -> None:
    with pytest.raises(AttackError, match="silent"):
        attacked("sound-white-noise", np.zeros(RATE_HZ, np.float32), 20)


@pytest.mark.parametrize("share", [0.01, 0.3])
def test_one_stretch_is_muted_and_the_rest_untouched(share: float) -> None:
    before = broadband()
    after = attacked("sound-mute", before, share)
    silent = np.flatnonzero(after != before)
    assert np.ptp(silent) + 1 == pytest.approx(share * len(before), abs=5)
    assert not after[silent].any()


@pytest.mark.parametrize("share", [0.01, 0.3])
def test_a_cut_takes_one_stretch_out_and_moves_up_the_rest(share: float) -> None:
    before = broadband()
    after = attacked("sound-cut", before, share)
    missing = round(share * len(before))
    assert len(after) == len(before) - missing
    start = int(np.argmax(after != before[: len(after)]))
    np.testing.assert_array_equal(after[start:], before[start + missing :])


def test_an_echo_is_the_sound_again_later_and_quieter() -> None:
    before = np.zeros(RATE_HZ, np.float32)
    before[10] = 0.5
    after = attacked("sound-echo", before, 0.3)
    heard = np.flatnonzero(after)
    assert len(heard) == 2
    assert heard[0] == 10
    assert 0.1 * RATE_HZ <= heard[1] - 10 <= 0.5 * RATE_HZ
    assert after[heard[1]] == pytest.approx(0.15)


def test_smoothing_is_the_mean_of_the_window() -> None:
    before = broadband()
    after = attacked("sound-smooth", before, 5)
    np.testing.assert_allclose(after[2:-2], np.convolve(before, np.ones(5) / 5, "valid"), atol=1e-6)


@pytest.mark.parametrize("bits", [8, 4])
def test_quantised_sound_has_that_many_steps(bits: int) -> None:
    full = np.linspace(-1, 1, 9999).astype(np.float32)
    after = attacked("sound-quantise", full, bits)
    assert len(np.unique(after)) == 2**bits + 1  # both ends of the scale
    assert np.abs(after - full).max() <= 2**-bits + 1e-6


@pytest.mark.parametrize(("name", "speed"), [("sound-faster", 1.25), ("sound-slower", 0.75)])
def test_speed_changes_length_and_pitch_alike(name: str, speed: float) -> None:
    after = attacked(name, tone(1000), speed)
    assert len(after) == round(RATE_HZ / speed)
    spectrum = np.abs(np.fft.rfft(after * np.hanning(len(after))))
    assert spectrum.argmax() * RATE_HZ / len(after) == pytest.approx(1000 * speed, rel=0.002)


def test_the_wiener_filter_takes_weak_noise_from_a_tone() -> None:
    clean = tone(200, 0.3)
    noisy = clean + np.random.default_rng(0).normal(0, 0.02, len(clean)).astype(np.float32)
    cleaned = attacked("sound-wiener", noisy, 15)
    assert np.square(cleaned - clean).mean() < 0.7 * np.square(noisy - clean).mean()
