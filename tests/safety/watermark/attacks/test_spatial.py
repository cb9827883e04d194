"""Spatial attacks do what they say."""

from __future__ import annotations

import numpy as np
import pytest

from eval.clip import Clip, FramesTCHW
from safety.watermark.attacks.attack import AttackError
from safety.watermark.attacks.declare import ChangePictures
from safety.watermark.attacks.spatial import (
    crop,
    crop_resize,
    downscale,
    erase,
    hflip,
    perspective,
    resize,
    rotate,
    translate,
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def detail(frames_TCHW: FramesTCHW) -> float:
    """Power in the upper half of the horizontal frequencies."""
    spectrum = np.abs(np.fft.rfft(frames_TCHW.astype(float), axis=-1)) ** 2
    return float(spectrum[..., spectrum.shape[-1] // 2 :].mean())


def test_a_flip_mirrors_and_twice_is_nothing(clip: Clip) -> None:
    once = hflip(clip.frames_TCHW, 1, rng())
    np.testing.assert_array_equal(once[..., 0], clip.frames_TCHW[..., -1])
    np.testing.assert_array_equal(hflip(once, 1, rng()), clip.frames_TCHW)


def test_a_quarter_turn_loses_nothing_and_turns_the_shape() -> None:
    frames_TCHW = np.arange(2 * 3 * 4 * 6, dtype=np.uint8).reshape(2, 3, 4, 6)
    turned = rotate(frames_TCHW, 90, rng(1))
    assert turned.shape == (2, 3, 6, 4)
    assert any(np.array_equal(np.rot90(turned, way, axes=(2, 3)), frames_TCHW) for way in (1, -1))


def test_both_ways_of_turning_happen(clip: Clip) -> None:
    results = {rotate(clip.frames_TCHW[:1], 90, rng(seed)).tobytes() for seed in range(8)}
    assert len(results) == 2


def test_a_turn_moves_a_point_by_its_angle() -> None:
    frames_TCHW = np.zeros((1, 3, 101, 101), np.uint8)
    frames_TCHW[:, :, 49:52, 79:82] = 255  # 30 pixels to the right of the centre
    y, x = np.argwhere(rotate(frames_TCHW, 20, rng())[0, 0] > 128).mean(axis=0) - 50
    assert abs(np.degrees(np.arctan2(y, x))) == pytest.approx(20, abs=0.5)
    assert np.hypot(x, y) == pytest.approx(30, abs=0.5)


@pytest.mark.parametrize("attack", [resize, downscale])
def test_smaller_is_a_low_pass_and_no_shift(attack: ChangePictures, clip: Clip) -> None:
    kept = attack(clip.frames_TCHW, 0.5, rng())
    expected = (24, 3, 64, 64) if attack is resize else (24, 3, 32, 32)
    assert kept.shape == expected
    back = kept if attack is resize else resize(clip.frames_TCHW, 0.5, rng())
    assert detail(back) < 0.3 * detail(clip.frames_TCHW)
    mirrored = attack(clip.frames_TCHW[..., ::-1, ::-1], 0.5, rng())  # what shifts, shifts a mirrored picture elsewhere
    assert np.abs(mirrored[..., ::-1, ::-1].astype(int) - kept).max() <= 1


def test_area_means_are_taken_when_a_picture_is_halved(clip: Clip) -> None:
    halved = downscale(clip.frames_TCHW, 0.5, rng())
    means = clip.frames_TCHW.reshape(24, 3, 32, 2, 32, 2).mean(axis=(3, 5))
    assert np.abs(halved - means).max() <= 0.5


@pytest.mark.parametrize("ratio", [0.9, 0.71, 0.35])
def test_a_crop_is_a_window_of_the_clip_by_edges(ratio: float, clip: Clip) -> None:
    window = crop(clip.frames_TCHW, ratio, rng(4))
    side = round(64 * ratio)
    assert window.shape == (24, 3, side, side)
    found = [
        (top, left)
        for top in range(65 - side)
        for left in range(65 - side)
        if np.array_equal(clip.frames_TCHW[:, :, top : top + side, left : left + side], window)
    ]
    assert len(found) == 1  # the same place in all frames


def test_crops_reach_every_corner(clip: Clip) -> None:
    windows = [crop(clip.frames_TCHW[:1], 0.97, rng(seed)) for seed in range(60)]  # 62 of 64: nine places
    assert len({window.tobytes() for window in windows}) == 9


def test_an_enlarged_crop_is_the_crop_enlarged(clip: Clip) -> None:
    enlarged = crop_resize(clip.frames_TCHW, 0.55, rng(4))
    assert enlarged.shape == clip.frames_TCHW.shape
    again = downscale(enlarged, 35 / 64, rng())
    assert np.abs(again.astype(float) - crop(clip.frames_TCHW, 0.55, rng(4))).mean() < 3


def test_a_crop_that_leaves_hardly_anything_is_refused(clip: Clip) -> None:
    with pytest.raises(AttackError, match=r"crop: 16×16 at 0\.35 is under 8 pixels"):
        crop(clip.frames_TCHW[:, :, :16, :16], 0.35, rng())


def test_corners_move_inwards_by_no_more_than_stated() -> None:
    white_TCHW = np.full((1, 3, 200, 200), 255, np.uint8)
    for seed in range(5):
        black_HW = perspective(white_TCHW, 0.25, rng(seed))[0, 0] == 0
        assert 0 < black_HW.mean() < 1 - 0.75**2
        assert not black_HW[26:174, 26:174].any()  # 0.25 / 2 of an edge


def test_what_is_moved_is_the_clip_and_the_rest_black(clip: Clip) -> None:
    moved = translate(clip.frames_TCHW, 0.25, rng(1))
    assert (moved == 0).all(axis=(0, 1)).sum() == 64 * 64 - 48 * 48
    rows = slice(16, 64), slice(0, 48)
    assert any(
        np.array_equal(moved[:, :, down, right], clip.frames_TCHW[:, :, up, left])
        for down, up in (rows, rows[::-1])
        for right, left in (rows, rows[::-1])
    )


@pytest.mark.parametrize("share", [0.05, 0.25, 0.5])
def test_the_erased_share_is_the_stated_one(share: float) -> None:
    white_TCHW = np.full((2, 3, 200, 400), 255, np.uint8)
    for seed in range(6):
        black_HW = (erase(white_TCHW, share, rng(seed)) == 0).all(axis=(0, 1))
        assert black_HW.mean() == pytest.approx(share, rel=0.03)
        rows, columns = np.flatnonzero(black_HW.any(axis=1)), np.flatnonzero(black_HW.any(axis=0))
        assert black_HW.sum() == len(rows) * len(columns)  # one rectangle
