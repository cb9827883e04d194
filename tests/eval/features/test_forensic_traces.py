"""Forensic traces: what they must see, what they must not, and that windows do not matter."""

from __future__ import annotations

import numpy as np
import pytest

from eval.clip import Clip, MemorySource, SoundChunk, Window
from eval.feature import NotMeasurable
from eval.features.forensic_traces import SOUND_NAMES, TRACE_NAMES, ForensicTraces
from eval.features.forensic_traces.sound import Sound

SEED = np.random.default_rng(0)


def natural(frames: int = 12, side: int = 64, seed: int = 0) -> np.ndarray:
    """A drifting picture with a 1/f spectrum and a little noise, uint8 T,3,H,W."""
    generator = np.random.default_rng(seed)
    fy, fx = np.meshgrid(np.fft.fftfreq(2 * side), np.fft.fftfreq(2 * side), indexing="ij")
    radius = np.maximum(np.hypot(fy, fx), 1 / side)
    big = np.fft.ifft2(np.fft.fft2(generator.normal(size=radius.shape)) / radius**1.6).real
    big = 128 + 40 * (big - big.mean()) / big.std()
    views = [big[t : t + side, 2 * t : 2 * t + side] for t in range(frames)]
    grey = np.stack(views) + generator.normal(0, 2, (frames, side, side))
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[:, None], 3, axis=1)


def traces(frames: np.ndarray, window: int = 64) -> dict[str, float]:
    source = MemorySource(Clip(frames, 8.0), window=window)
    feature = ForensicTraces(source.info)
    for item in source.stream():
        if isinstance(item, Window):
            feature.update(item)
    values = feature.finish()["traces_D"]
    assert values.shape == (len(TRACE_NAMES),)
    assert np.isfinite(values).all()
    return dict(zip(TRACE_NAMES, values.tolist(), strict=True))


def heard(audio: np.ndarray, rate_hz: int = 16_000, chunk: int = 16_000) -> dict[str, float]:
    source = MemorySource(Clip(natural(4), 8.0, audio[None].astype(np.float32), rate_hz))
    feature = Sound(source.info)
    for start in range(0, len(audio), chunk):
        feature.update(SoundChunk(audio[None, start : start + chunk].astype(np.float32), rate_hz, start / rate_hz))
    values = feature.finish()["sound_D"]
    assert np.isfinite(values).all()
    return dict(zip(SOUND_NAMES, values.tolist(), strict=True))


def test_they_do_not_depend_on_windows():
    frames = natural(13)
    assert traces(frames, 64) == pytest.approx(traces(frames, 5), abs=1e-9)


def test_a_checkerboard_is_a_peak_at_its_frequency():
    plain = natural()
    board = 6 * (np.indices((64, 64)).sum(axis=0) % 2)
    marked = np.clip(plain.astype(int) + board, 0, 255).astype(np.uint8)
    name = "spectrum.peak_0.5_0.5"
    assert traces(marked)[name] > traces(plain)[name] + 0.5


def test_dots_on_a_grid_repeat_in_the_residual():
    dotted = natural().astype(int)
    dotted[..., ::4, ::4] += 25
    found, plain = traces(np.clip(dotted, 0, 255).astype(np.uint8)), traces(natural())
    for lag in ("residual.lag_0_4", "residual.lag_4_0"):
        assert found[lag] > plain[lag] + 0.3
    assert found["spectrum.peak_0.25_0"] > plain["spectrum.peak_0.25_0"] + 0.3


def test_white_noise_has_the_spectrum_and_the_residual_that_it_must():
    noise = np.repeat(SEED.integers(0, 256, (8, 1, 64, 64), np.uint8), 3, axis=1)
    found = traces(noise)
    assert all(abs(found[f"spectrum.band_{band:02d}"]) < 0.15 for band in range(1, 16))
    assert abs(found["residual.lag_0_8"]) < 0.02
    assert abs(found["residual.last_frame"]) < 0.02
    assert found["temporal.log_second_over_first"] == pytest.approx(np.log10(1.73), abs=0.03)
    assert found["residual.red_green"] == pytest.approx(1)
    # A natural picture falls with frequency, noise does not.
    assert traces(natural())["spectrum.band_01"] > found["spectrum.band_01"] + 0.5


def test_a_frozen_clip_stands_still():
    frozen = np.repeat(natural(1), 12, axis=0)
    found = traces(frozen)
    assert found["temporal.still_pairs"] == 1
    assert found["residual.last_frame"] == pytest.approx(1)
    assert traces(natural())["temporal.still_pairs"] == 0


def test_first_digits_are_shares():
    found = traces(natural())
    digits = [found[f"dct.first_digit_{digit}"] for digit in range(1, 9)]
    assert digits[0] == max(digits)
    assert 0 < sum(digits) <= 1
    assert digits[0] == pytest.approx(0.301, abs=0.08)  # Benford's law


@pytest.mark.parametrize(
    "frames",
    [np.zeros((5, 3, 32, 32), np.uint8), np.full((4, 3, 17, 33), 255, np.uint8), natural(9)[..., :40, :53]],
    ids=["black", "white-odd", "odd"],
)
def test_flat_and_odd_clips_give_finite_numbers(frames):
    traces(frames)


def test_too_small_and_too_short_say_so():
    with pytest.raises(NotMeasurable, match="16 pixels"):
        ForensicTraces(MemorySource(Clip(natural(4)[..., :12, :], 8.0)).info)
    short = MemorySource(Clip(natural(3), 8.0))
    feature = ForensicTraces(short.info)
    feature.update(next(iter(short.stream())))
    with pytest.raises(NotMeasurable, match="4 frames; there are 3"):
        feature.finish()


def test_sound_rolls_off_where_it_was_cut():
    white = 0.1 * SEED.normal(size=32_000)
    cut = np.fft.irfft(np.where(np.fft.rfftfreq(32_000, 1 / 16_000) < 3000, np.fft.rfft(white), 0), 32_000)
    assert 2 ** heard(cut)["sound.rolloff_0.99"] == pytest.approx(3000, rel=0.05)
    assert 2 ** heard(white)["sound.rolloff_0.99"] > 7500
    assert heard(white) == pytest.approx(heard(white, chunk=1234), abs=1e-9)


def test_phases_of_a_tone_are_orderly_and_of_noise_not():
    seconds = np.arange(32_000) / 16_000
    tone, noise = 0.3 * np.sin(2 * np.pi * 1000 * seconds), 0.1 * SEED.normal(size=32_000)
    name = "sound.phase_advance_03"  # 896 to 1859 Hz
    assert heard(tone)[name] > 0.9
    assert heard(noise)[name] < 0.4
    assert heard(np.zeros(32_000))["sound.silent"] == 1
    with pytest.raises(NotMeasurable, match="tenth of a second"):
        heard(np.zeros(300))
