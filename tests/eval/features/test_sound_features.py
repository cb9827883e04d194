"""Sound features: the same however the reader chunks, bounded in memory, and right in time.

Shape legend: C channels, N samples.
"""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

from eval.clip import ClipInfo, SoundChunk
from eval.feature import FEATURES, Arrays
from eval.features.sound_seconds import SoundSeconds, marks

SOUND = [feature.name for feature in FEATURES if feature.stream == "sound" and not feature.encoder]
RATE_HZ = 22_050


def info(rate_hz: int = RATE_HZ, channels: int = 2) -> ClipInfo:
    return ClipInfo("x", "0" * 64, 64, 64, 8, 1.0, True, rate_hz, channels)


def chunked(audio_CN: np.ndarray, sizes: list[int], rate_hz: int = RATE_HZ, start_s: float = 0.0) -> list[SoundChunk]:
    chunks, at = [], 0
    while at < audio_CN.shape[1]:
        size = sizes[len(chunks) % len(sizes)]
        chunks.append(SoundChunk(audio_CN[:, at : at + size], rate_hz, start_s + at / rate_hz))
        at += size
    return chunks


def computed(name: str, chunks: list[SoundChunk], rate_hz: int = RATE_HZ) -> Arrays:
    accumulator: Any = FEATURES.get(name).start(info(rate_hz))
    for chunk in chunks:
        accumulator.update(chunk)
    return accumulator.finish()


@pytest.fixture
def loud_CN() -> np.ndarray:
    """3.4 seconds of stereo with flat tops, also across whole seconds."""
    sound = np.random.default_rng(0).normal(size=(2, round(3.4 * RATE_HZ))).astype(np.float32)
    sound[:, RATE_HZ - 40 : RATE_HZ + 60] = 2.0
    return np.clip(0.7 * sound, -1, 1)


@pytest.mark.parametrize("name", SOUND)
def test_chunks_do_not_matter(name: str, loud_CN: np.ndarray) -> None:
    whole = computed(name, chunked(loud_CN, [10**9]))
    for sizes in ([1024], [1, 999, 30_000], [RATE_HZ], [RATE_HZ - 1, RATE_HZ + 1]):
        again = computed(name, chunked(loud_CN, sizes))
        assert set(again) == set(whole)
        for key in whole:
            np.testing.assert_array_equal(again[key], whole[key], err_msg=f"{name} {key} {sizes}")


@pytest.mark.parametrize("name", SOUND)
def test_memory_is_bounded(name: str) -> None:
    second = np.random.default_rng(0).normal(size=(2, 48_000)).astype(np.float32) * 0.1

    def peak(seconds: int) -> int:
        accumulator: Any = FEATURES.get(name).start(info(48_000))
        tracemalloc.start()
        for at in range(seconds):
            accumulator.update(SoundChunk(second, 48_000, float(at)))
        high = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return high

    peak(3)  # imports and caches are not the feature's
    assert peak(60) - peak(6) < 54 * 8_000  # the sound itself would be 384,000 bytes a second


def test_clipped_runs_are_counted_across_seconds(loud_CN: np.ndarray) -> None:
    quiet = np.zeros((1, 2 * RATE_HZ), np.float32)
    quiet[0, RATE_HZ - 1 : RATE_HZ + 2] = 1.0  # a run of three, one of them in the first second
    quiet[0, 100:102] = 1.0  # two in a row are the top of a wave
    quiet[0, 500:550] = -1.0
    levels = computed("sound_levels", chunked(quiet, [777]))
    assert float(levels["clipped"]) * quiet.size == pytest.approx(53)
    assert float(levels["peak"]) == 1.0


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 44_100, 48_000])
def test_onsets_are_found_where_they_are(rate_hz: int) -> None:
    sound = 1e-4 * np.random.default_rng(0).normal(size=(1, 3 * rate_hz)).astype(np.float32)
    click = round(1.5 * rate_hz)
    sound[0, click : click + rate_hz // 50] += 0.5
    spectrum = computed("spectrum", chunked(sound, [4096], rate_hz, start_s=0.25), rate_hz)
    loudest = float(spectrum["times_K"][np.argmax(spectrum["flux_db_K"])])
    assert loudest == pytest.approx(0.25 + 1.5, abs=0.015)


def test_whole_seconds_and_their_overlap() -> None:
    seconds = SoundSeconds(10, overlap=4)
    audio_CN = np.arange(27, dtype=np.float32)[None]
    blocks = [block[0].tolist() for chunk in chunked(audio_CN, [5], 10) for block in seconds.push(chunk)]
    blocks += [block[0].tolist() for block in seconds.finish()]
    assert [block[0] for block in blocks] == [0, 10, 20]
    assert [len(block) for block in blocks] == [14, 14, 7]
    assert marks(11_025, 10)[:3] == [0, 1102, 2205]


def test_a_change_of_rate_is_an_error() -> None:
    seconds = SoundSeconds(10)
    with pytest.raises(ValueError, match="from 10 to 20 Hz"):
        list(seconds.push(SoundChunk(np.zeros((1, 5), np.float32), 20, 0.0)))
