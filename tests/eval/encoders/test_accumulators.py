"""Accumulators over a Runner: rows of frames and of windows, however the clip was cut."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from eval.clip import Window
from eval.encoders.accumulators import FrameEncoding, WindowEncoding
from eval.encoders.runner import EncodingError, Runner
from eval.feature import NotMeasurable

FRAMES_TCHW = np.random.default_rng(0).integers(0, 256, (21, 3, 16, 24), dtype=np.uint8)
CUTS = ((21,), (1,) * 21, (2, 5, 0, 7, 6, 1), (20, 1))


def windows(cuts: tuple[int, ...]) -> list[Window]:
    ends = np.cumsum(cuts)
    return [
        Window(FRAMES_TCHW[end - size : end], np.arange(end - size, end) / 8)
        for size, end in zip(cuts, ends, strict=True)
    ]


def first_and_mean(items: Tensor) -> Tensor:
    flat = items.float().flatten(1)
    return torch.stack([flat[:, 0], flat.mean(dim=1)], dim=1)


@pytest.mark.parametrize("cuts", CUTS)
@pytest.mark.parametrize("batch", [None, 4])
def test_every_frame_has_a_row(cuts: tuple[int, ...], batch: int | None) -> None:
    runner = Runner("net", first_and_mean, device="cpu", batch=batch)
    encoding = FrameEncoding(runner)
    for window in windows(cuts):
        encoding.update(window)
    rows = encoding.finish().result()["features_TD"]
    assert rows.shape == (21, 2)
    np.testing.assert_array_equal(rows[:, 0], FRAMES_TCHW[:, 0, 0, 0])
    np.testing.assert_allclose(rows[:, 1], FRAMES_TCHW.mean(axis=(1, 2, 3)), rtol=1e-6)
    assert runner.items == 21


def test_one_number_per_frame() -> None:
    encoding = FrameEncoding(Runner("net", lambda items: items.float().flatten(1).mean(1), device="cpu"), "score_T")
    encoding.update(windows((21,))[0])
    assert encoding.finish().result()["score_T"].shape == (21,)


@pytest.mark.parametrize("cuts", CUTS)
@pytest.mark.parametrize("size", [1, 4, 7, 8, 21])
def test_windows_follow_each_other_and_the_incomplete_one_is_dropped(cuts: tuple[int, ...], size: int) -> None:
    seen: list[tuple[int, ...]] = []

    def encode(items: Tensor) -> Tensor:
        seen.append(tuple(items.shape))
        return first_and_mean(items)

    encoding = WindowEncoding(Runner("net", encode, device="cpu"), size)
    for window in windows(cuts):
        encoding.update(window)
    rows = encoding.finish().result()["features_SD"]
    count = 21 // size
    assert seen == [(1, size, 3, 16, 24)] * count
    whole = FRAMES_TCHW[: count * size].reshape(count, -1)
    np.testing.assert_array_equal(rows[:, 0], whole[:, 0])
    np.testing.assert_allclose(rows[:, 1], whole.mean(axis=1), rtol=1e-6)


def test_windows_of_prepared_frames() -> None:
    encoding = WindowEncoding(
        Runner("net", lambda items: items.flatten(1), device="cpu"),
        10,
        prepare=lambda frames_TCHW: frames_TCHW.mean(axis=(2, 3), dtype=np.float32),
    )
    for window in windows((6, 15)):
        encoding.update(window)
    rows = encoding.finish().result()["features_SD"]
    np.testing.assert_allclose(rows, FRAMES_TCHW.mean(axis=(2, 3))[:20].reshape(2, 30), rtol=1e-6)


def test_frames_that_wait_for_their_window_are_copies() -> None:
    encoding = WindowEncoding(Runner("net", first_and_mean, device="cpu"), 8)
    shared = FRAMES_TCHW[:5].copy()
    encoding.update(Window(shared, np.arange(5) / 8))
    shared[:] = 0
    encoding.update(Window(FRAMES_TCHW[5:8], np.arange(5, 8) / 8))
    rows = encoding.finish().result()["features_SD"]
    np.testing.assert_allclose(rows[0, 1], FRAMES_TCHW[:8].mean(), rtol=1e-6)


def test_a_clip_shorter_than_a_window_is_not_measurable() -> None:
    encoding = WindowEncoding(Runner("VideoMAE", first_and_mean, device="cpu"), 16)
    encoding.update(Window(FRAMES_TCHW[:9], np.arange(9) / 8))
    with pytest.raises(NotMeasurable, match="VideoMAE sees 16 frames at a time: the clip has 9"):
        encoding.finish()


def test_no_frames_are_not_measurable() -> None:
    with pytest.raises(NotMeasurable, match="no frames"):
        FrameEncoding(Runner("net", first_and_mean, device="cpu")).finish()


@pytest.mark.parametrize("make", [FrameEncoding, lambda runner: WindowEncoding(runner, 2)])
def test_a_network_that_failed_is_not_asked_again(make) -> None:
    calls: list[int] = []

    def nan(items: Tensor) -> Tensor:
        calls.append(len(items))
        return torch.full((len(items), 2), torch.nan)

    encoding = make(Runner("net", nan, device="cpu"))
    first, second = windows((2, 19))
    encoding.update(first)
    with pytest.raises(EncodingError, match="NaN"):
        encoding.update(second)
    assert calls == [1]
