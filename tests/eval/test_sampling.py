"""Sampling: one clip at several frame rates gives one view, and windows do not matter."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.clip import Clip, ClipInfo, MemorySource, Window
from eval.feature import Sampling
from eval.sampling import Sampler, target_size


def info(fps: float, width: int = 8, height: int = 6) -> ClipInfo:
    return ClipInfo("clip", "", width, height, fps, 1.0, False)


def sample(
    times_s: npt.NDArray[np.float64], wanted: float | None, fps: float, cuts: list[int] | None = None
) -> tuple[list[int], list[float]]:
    """The indices and times that a sampler chooses; the frame index is written into the pixels."""
    index = np.arange(len(times_s))
    frames = np.broadcast_to((index % 251).astype(np.uint8)[:, None, None, None], (len(index), 3, 6, 8))
    sampler = Sampler(Sampling(fps=wanted), info(fps))
    edges = [0, *sorted(set(cuts or [])), len(index)]
    out: list[Window] = []
    for start, stop in pairwise(edges):
        out += sampler.push(Window(frames[start:stop], times_s[start:stop]))
    out += sampler.finish()
    return (
        [int(value) for window in out for value in window.frames_TCHW[:, 0, 0, 0]],
        [float(time) for window in out for time in window.times_s],
    )


def oracle(times_s: npt.NDArray[np.float64], wanted: float, fps: float) -> list[int]:
    """The definition, spelled out: at each grid time the latest frame shown, each frame once."""
    end_s = times_s[-1] + 1 / fps
    chosen: list[int] = []
    step = 0
    while step / wanted < end_s - 0.05 / wanted:
        index = int(np.flatnonzero(times_s <= (step + 0.05) / wanted)[-1])
        if index not in chosen:
            chosen.append(index)
        step += 1
    return chosen


@pytest.mark.parametrize("base", [None, 1000])
def test_copies_at_8_16_24_and_48_fps_give_the_same_moments(base: int | None) -> None:
    for fps in (8, 16, 24, 48):
        times_s = np.arange(fps * 3) / fps
        if base:
            times_s = np.rint(times_s * base) / base  # as mkv rounds them
        chosen, at_s = sample(times_s, 8, fps)
        assert chosen == [index * fps // 8 for index in range(24)]
        np.testing.assert_allclose(at_s, np.arange(24) / 8, atol=0.0006)


def test_25_to_8() -> None:
    chosen, _ = sample(np.arange(50) / 25, 8, 25)
    assert chosen == [0, 3, 6, 9, 12, 15, 18, 22, 25, 28, 31, 34, 37, 40, 43, 47]  # 22 is 5 ms late, within the slack


@pytest.mark.parametrize("fps", [1, 5, 7.5, 8])
def test_a_slower_clip_keeps_its_own_frames(fps: float) -> None:
    times_s = np.arange(20) / fps
    assert sample(times_s, 8, fps)[0] == list(range(20))


def test_no_rate_means_every_frame() -> None:
    times_s = np.arange(30) / 240
    assert sample(times_s, None, 240)[0] == list(range(30))


@settings(deadline=None)
@given(
    gaps=st.lists(st.integers(1, 400), min_size=0, max_size=60),
    wanted=st.sampled_from([1, 2, 8, 12, 24, 30]),
    cuts=st.lists(st.integers(1, 60), max_size=8),
)
def test_any_times_and_any_windows(gaps: list[int], wanted: int, cuts: list[int]) -> None:
    times_s = np.concatenate([[0.0], np.cumsum(gaps)]) / 997
    cuts = [cut for cut in cuts if cut < len(times_s)]
    chosen, at_s = sample(times_s, wanted, 30, cuts)
    assert chosen == oracle(times_s, wanted, 30)
    assert at_s == times_s[chosen].tolist()


def test_frames_shrink_by_area_and_never_grow() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (3, 3, 60, 80), dtype=np.uint8)
    sampler = Sampler(Sampling(short_side=30), info(8, 80, 60))
    (out,) = sampler.push(Window(frames, np.arange(3) / 8))
    assert sampler.size == (40, 30)
    means = frames.reshape(3, 3, 30, 2, 40, 2).astype(float).mean(axis=(3, 5))
    assert np.abs(out.frames_TCHW - means).max() <= 0.75
    bigger = Sampler(Sampling(short_side=200), info(8, 80, 60))
    (same,) = bigger.push(Window(frames, np.arange(3) / 8))
    assert same.frames_TCHW is frames


def test_odd_shrinking_equals_opencv() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (2, 3, 47, 65), dtype=np.uint8)
    (out,) = Sampler(Sampling(short_side=20), info(8, 65, 47)).push(Window(frames, np.arange(2) / 8))
    expected = cv2.resize(np.ascontiguousarray(frames[1].transpose(1, 2, 0)), (28, 20), interpolation=cv2.INTER_AREA)
    assert np.array_equal(out.frames_TCHW[1].transpose(1, 2, 0), expected)


@pytest.mark.parametrize(
    ("size", "short", "expected"),
    [
        ((1920, 1080), 256, (455, 256)),
        ((480, 832), 240, (240, 416)),
        ((64, 64), 256, (64, 64)),
        ((9000, 2), 1, (4500, 1)),
    ],
)
def test_target_size(size: tuple[int, int], short: int, expected: tuple[int, int]) -> None:
    assert target_size(*size, short) == expected


def test_a_waiting_frame_does_not_hold_its_window() -> None:
    frames = np.zeros((64, 3, 6, 8), np.uint8)
    sampler = Sampler(Sampling(fps=1), info(8))
    list(sampler.push(Window(frames, np.arange(64) / 64)))
    frames[:] = 9
    (last,) = [*sampler.push(Window(frames[:1], np.array([1.0]))), *sampler.finish()]
    assert last.frames_TCHW[0, 0, 0, 0] == 9


def test_a_clip_in_memory_and_bad_rates() -> None:
    clip = Clip(np.zeros((48, 3, 6, 8), np.uint8), 24.0)
    sampler = Sampler(Sampling(fps=8), MemorySource(clip).info)
    source = MemorySource(clip, window=5)
    out = [w for item in source.stream() if isinstance(item, Window) for w in sampler.push(item)]
    out += sampler.finish()
    assert sum(len(window.times_s) for window in out) == 16
    with pytest.raises(ValueError, match="positive"):
        Sampler(Sampling(fps=0), info(24))
