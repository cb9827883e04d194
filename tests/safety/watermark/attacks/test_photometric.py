"""Photometric attacks do what they say."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from eval.clip import Clip, FramesTCHW
from safety.watermark.attacks.photometric import (
    LUMA,
    blur,
    brightness,
    contrast,
    gamma,
    grey,
    hue,
    jpeg,
    median,
    noise,
    saturation,
    sharpen,
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def luma(frames_TCHW: FramesTCHW) -> np.ndarray:
    return np.tensordot(frames_TCHW.astype(float), LUMA.astype(float), axes=(1, 0))


def test_half_the_brightness_is_half_of_every_value(clip: Clip) -> None:
    assert np.abs(brightness(clip.frames_TCHW, 0.5) - clip.frames_TCHW / 2).max() <= 0.5
    assert brightness(clip.frames_TCHW, 2.0).max() == 255


def test_contrast_keeps_the_mean_and_halves_the_distances(clip: Clip) -> None:
    flat = contrast(clip.frames_TCHW, 0.5)
    assert luma(flat).mean() == pytest.approx(luma(clip.frames_TCHW).mean(), abs=0.5)
    assert flat.std() == pytest.approx(clip.frames_TCHW.std() / 2, rel=0.02)


def test_contrast_does_not_flicker() -> None:
    """The mean grey is the clip's: frame by frame, a clip that brightens would be evened out."""
    frames_TCHW = np.stack([np.full((3, 8, 8), level, np.uint8) for level in (50, 150)])
    np.testing.assert_array_equal(contrast(frames_TCHW, 0.5)[:, 0, 0, 0], [75, 125])


def test_saturation_keeps_luma_and_scales_colour(clip: Clip) -> None:
    paler = saturation(clip.frames_TCHW, 0.5)
    assert np.abs(luma(paler) - luma(clip.frames_TCHW)).max() < 1
    spread = [np.ptp(frames.astype(float), axis=1).mean() for frames in (paler, clip.frames_TCHW)]
    assert spread[0] == pytest.approx(spread[1] / 2, rel=0.02)


def test_grey_has_three_equal_channels_of_the_same_luma(clip: Clip) -> None:
    plain = grey(clip.frames_TCHW, 1, rng())
    assert np.ptp(plain.astype(int), axis=1).max() == 0
    assert np.abs(luma(plain) - luma(clip.frames_TCHW)).max() <= 0.51


def test_gamma_is_a_power_and_keeps_black_and_white() -> None:
    frames_TCHW = np.array([0, 64, 128, 255], np.uint8).reshape(1, 1, 2, 2).repeat(3, axis=1)
    np.testing.assert_allclose(gamma(frames_TCHW, 2.0)[0, 0].ravel(), [0, 16, 64, 255], atol=0.5)


def test_a_third_of_the_circle_turns_red_to_green_to_blue() -> None:
    red = np.zeros((1, 3, 4, 4), np.uint8)
    red[:, 0] = 200
    green = hue(red, 1 / 3, rng())
    np.testing.assert_array_equal(green[0, :, 0, 0], [0, 200, 0])
    np.testing.assert_array_equal(hue(green, 1 / 3, rng())[0, :, 0, 0], [0, 0, 200])


def test_three_turns_make_a_circle(clip: Clip) -> None:
    turned = clip.frames_TCHW
    for _ in range(4):
        turned = hue(turned, 0.25, rng())
    assert np.abs(turned.astype(int) - clip.frames_TCHW).max() <= 2


@pytest.mark.parametrize("size", [3, 9, 17])
def test_a_blur_is_a_low_pass_of_the_stated_width(size: int) -> None:
    point = np.zeros((1, 3, 41, 41), np.uint8)
    point[:, :, 20, 20] = 255
    spread = blur(point, size, rng())[0, 0]
    reach = np.flatnonzero(spread.any(axis=0))
    assert reach.max() - reach.min() + 1 <= size
    step = np.zeros((1, 3, 41, 41), np.uint8)
    step[..., 20:] = 200
    slope = np.diff(blur(step, size, rng())[0, 0, 20].astype(float)) / 200
    sigma, distance = 0.3 * ((size - 1) / 2 - 1) + 0.8, np.arange(len(slope)) - 19
    bell = np.where(np.abs(distance) <= size // 2, np.exp(-((distance / sigma) ** 2) / 2), 0)
    np.testing.assert_allclose(slope, bell / bell.sum(), atol=0.01)


def test_a_median_takes_single_points_away_and_keeps_edges() -> None:
    frames_TCHW = np.zeros((1, 3, 21, 21), np.uint8)
    frames_TCHW[..., 10:] = 200
    spotted = frames_TCHW.copy()
    spotted[:, :, 4, 4] = 255
    np.testing.assert_array_equal(median(spotted, 3, rng()), frames_TCHW)


def test_noise_has_the_stated_sigma_and_is_fresh_everywhere() -> None:
    grey_TCHW = np.full((4, 3, 64, 64), 128, np.uint8)
    error = noise(grey_TCHW, 0.05, rng()).astype(float) - 128
    assert error.std() == pytest.approx(0.05 * 255, rel=0.02)
    assert abs(error.mean()) < 0.2
    assert abs(np.corrcoef(error[0].ravel(), error[1].ravel())[0, 1]) < 0.05
    assert abs(np.corrcoef(error[:, 0].ravel(), error[:, 1].ravel())[0, 1]) < 0.05


def test_jpeg_is_jpeg_in_the_right_channel_order() -> None:
    frames_TCHW = np.zeros((1, 3, 32, 32), np.uint8)
    frames_TCHW[:, 0] = 220
    frames_TCHW[:, 2] = 30
    np.testing.assert_allclose(jpeg(frames_TCHW, 50, rng()).mean((0, 2, 3)), [220, 0, 30], atol=6)
    textured = rng().integers(0, 256, (1, 3, 32, 32), np.uint8)
    _, data = cv2.imencode(".jpg", textured[0].transpose(1, 2, 0)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 50])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None
    np.testing.assert_array_equal(jpeg(textured, 50, rng())[0], decoded[..., ::-1].transpose(2, 0, 1))


def test_sharpening_raises_edges_and_leaves_flat_parts() -> None:
    step = np.full((1, 3, 32, 32), 80, np.uint8)
    step[..., 16:] = 160
    sharp = sharpen(step, 1, rng())[0, 0, 16]
    assert sharp[15] < 80
    assert sharp[16] > 160
    assert sharp[2] == 80
    assert sharp[-3] == 160
