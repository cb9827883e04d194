"""Temporal attacks do what they say: every frame shows its own number, and so does the sound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from eval.clip import Clip
from safety.watermark.attacks.attack import AttackError
from safety.watermark.attacks.temporal import (
    at_speed,
    average,
    change_fps,
    drop,
    duplicate,
    reorder,
    reverse,
    sound_at_speed,
    speed_up,
    swap,
    trim,
)

FRAMES, SAMPLES = 24, 1000


def numbered(frames: int = FRAMES) -> Clip:
    """Frame t is of grey level 4 t; while it is shown, the sound is t / 100."""
    frames_TCHW = np.broadcast_to((4 * np.arange(frames, dtype=np.uint8))[:, None, None, None], (frames, 3, 8, 8))
    audio_CN = np.repeat(np.arange(frames) / 100, SAMPLES)[None].astype(np.float32)
    return Clip(frames_TCHW.copy(), 24.0, audio_CN, 24_000)


def numbers(clip: Clip) -> list[int]:
    return [int(frame[0, 0, 0]) // 4 for frame in clip.frames_TCHW]


def sounding(clip: Clip) -> list[int]:
    """The number that is heard in the middle of every frame."""
    assert clip.audio_CN is not None
    assert clip.rate_hz is not None
    middles = ((np.arange(len(clip.frames_TCHW)) + 0.5) / clip.fps * clip.rate_hz).astype(int)
    return [round(float(value) * 100) for value in clip.audio_CN[0, middles]]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.75, 1.0])
def test_dropping_keeps_order_and_time(share: float) -> None:
    left = drop(numbered(), share, rng())
    assert len(numbers(left)) == FRAMES - min(FRAMES - 1, round(share * FRAMES))
    assert numbers(left) == sorted(set(numbers(left)))
    assert left.duration_s == pytest.approx(1.0)


def test_any_frame_may_be_dropped() -> None:
    seen = [set(numbers(drop(numbered(), 0.5, rng(seed)))) for seed in range(30)]
    assert set.union(*seen) == set(range(FRAMES))
    assert not set.intersection(*seen)


def test_duplicates_are_shown_twice_in_a_row() -> None:
    shown = numbers(duplicate(numbered(), 0.25, rng()))
    assert sorted(set(shown)) == list(range(FRAMES))
    assert shown == sorted(shown)
    assert len(shown) == FRAMES + 6
    assert max(shown.count(number) for number in shown) == 2
    assert numbers(duplicate(numbered(), 1.0, rng())) == [t for t in range(FRAMES) for _ in range(2)]


@pytest.mark.parametrize("share", [0.1, 0.25, 1.0])
def test_a_swap_is_a_permutation_of_neighbours(share: float) -> None:
    """VideoMarkBench's swap gives [0, 1, 3, 3, 4, 5]: a view of the tensor that it writes to."""
    shown = numbers(replace(numbered(), frames_TCHW=swap(numbered().frames_TCHW, share, rng(3))))
    assert sorted(shown) == list(range(FRAMES))
    moved = [time for time, number in enumerate(shown) if time != number]
    assert len(moved) == 2 * max(1, round(share * FRAMES / 2))
    assert all(abs(shown[time] - time) == 1 for time in moved)


def test_chunks_are_played_in_another_order_with_their_sound() -> None:
    for seed in range(12):
        mixed = reorder(numbered(), 4, rng(seed))
        chunks = [tuple(numbers(mixed)[start : start + 6]) for start in range(0, FRAMES, 6)]
        whole = [tuple(range(start, start + 6)) for start in range(0, FRAMES, 6)]
        assert sorted(chunks) == whole
        assert chunks != whole
        assert sounding(mixed) == numbers(mixed)


def test_chunks_of_a_length_that_does_not_divide_are_all_there() -> None:
    mixed = reorder(numbered(23), 4, rng(1))
    assert sorted(numbers(mixed)) == list(range(23))
    assert sounding(mixed) == numbers(mixed)
    with pytest.raises(AttackError, match="reorder: 3 frames do not make 4 chunks"):
        reorder(numbered(3), 4, rng())


@pytest.mark.parametrize("window", [3, 5, 9])
def test_averages_are_averages(window: int, clip: Clip) -> None:
    means = average(clip.frames_TCHW, window, rng())
    reach, last = window // 2, len(clip.frames_TCHW) - 1
    for time in (0, 1, 12, last):
        around = clip.frames_TCHW[max(0, time - reach) : time + reach + 1]
        assert np.abs(means[time] - around.mean(axis=0)).max() <= 0.501


def test_twice_the_speed_is_half_the_length_from_first_to_last_frame() -> None:
    """Video Seal's SpeedChange(2) keeps the first half and shows each frame twice: it slows down."""
    fast = speed_up(numbered(), 2.0, rng())
    assert len(fast.frames_TCHW) == FRAMES // 2
    assert fast.fps == 24.0
    assert numbers(fast)[0] == 0
    assert numbers(fast)[-1] == FRAMES - 1
    assert (np.diff(numbers(fast)) >= 2).all()
    assert fast.audio_CN is not None
    assert fast.audio_CN.shape[1] == FRAMES * SAMPLES // 2


def test_half_the_speed_shows_every_frame_twice_as_long() -> None:
    slow = at_speed(numbered(), 0.5)
    assert [numbers(slow).count(number) for number in range(FRAMES)].count(2) >= FRAMES - 2
    assert numbers(slow) == sorted(numbers(slow))
    assert len(slow.frames_TCHW) == 2 * FRAMES
    assert np.abs(np.subtract(sounding(slow), numbers(slow))).max() <= 1


def test_sound_is_as_fast_as_the_picture() -> None:
    for speed in (0.67, 0.9, 1.1, 1.25, 1.5):
        played = at_speed(numbered(), speed)
        assert np.abs(np.subtract(sounding(played), numbers(played))).max() <= 1


@pytest.mark.parametrize("speed", [0.5, 0.9, 1.25, 2.0])
def test_faster_sound_is_higher_by_the_same_factor(speed: float) -> None:
    tone_CN = np.sin(2 * np.pi * 1000 * np.arange(24_000) / 24_000)[None].astype(np.float32)
    played_CN = sound_at_speed(tone_CN, 24_000, speed)
    assert played_CN.shape == (1, round(24_000 / speed))
    assert _strongest_hz(played_CN, 24_000) == pytest.approx(1000 * speed, rel=0.002)


def _strongest_hz(audio_CN: npt.NDArray[np.float32], rate_hz: int) -> float:
    spectrum = np.abs(np.fft.rfft(audio_CN[0] * np.hanning(audio_CN.shape[1])))
    return float(spectrum.argmax() * rate_hz / audio_CN.shape[1])


def test_another_frame_rate_shows_what_was_on_show() -> None:
    slower = change_fps(numbered(), 0.5, rng())
    assert numbers(slower) == list(range(0, FRAMES, 2))
    assert slower.fps == 12.0
    for ratio in (0.8, 0.33, 0.25):
        changed = change_fps(numbered(), ratio, rng())
        assert changed.duration_s == pytest.approx(1.0)
        times_s = np.arange(len(changed.frames_TCHW)) / changed.fps
        assert numbers(changed) == [int(time * 24.0 + 1e-6) for time in times_s]


@pytest.mark.parametrize("share", [0.9, 0.5, 0.25])
def test_a_trim_is_a_stretch_with_its_sound(share: float) -> None:
    for seed in range(5):
        kept = trim(numbered(), share, rng(seed))
        assert len(numbers(kept)) == round(share * FRAMES)
        assert set(np.diff(numbers(kept))) == {1}
        assert sounding(kept) == numbers(kept)
        assert kept.audio_CN is not None
        assert kept.audio_CN.shape[1] == len(numbers(kept)) * SAMPLES


def test_backwards_is_backwards_in_both_streams() -> None:
    back = reverse(numbered(), 1, rng())
    assert numbers(back) == list(range(FRAMES))[::-1]
    assert sounding(back) == numbers(back)


@pytest.mark.parametrize("attack", [drop, lambda clip, strength, r: swap(clip.frames_TCHW, strength, r)])
def test_one_frame_has_nothing_to_spare(attack: type) -> None:
    with pytest.raises(AttackError, match="two frames or more"):
        attack(numbered(1), 0.5, rng())
