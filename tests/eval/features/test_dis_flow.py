"""DIS flow: known shifts at every size we meet, and sizes that crash a bare OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from eval.feature import NotMeasurable
from eval.features.dis_flow import DisFlow, pixel_grid, sample, visible


def texture(height: int, width: int, grain: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    blobs = cv2.GaussianBlur(rng.normal(size=(height, width)).astype(np.float32), (0, 0), grain)
    return 128 + 40 * blobs / blobs.std()


def shifted_pair(height: int, width: int, shift: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Two views of one texture; what is at x in the first is at x + shift in the second."""
    master = texture(height + 64, width + 64, max(1.5, min(height, width) / 40))
    views = []
    for x, y in ((0.0, 0.0), shift):
        matrix = np.array([[1, 0, x - 32], [0, 1, y - 32]], np.float32)
        view = cv2.warpAffine(master.astype(np.float32), matrix, (width, height), flags=cv2.INTER_CUBIC)
        views.append(np.clip(view, 0, 255).astype(np.uint8))
    return views[0], views[1]


@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 64), (64, 114), (256, 256), (40, 300), (300, 40)])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (1.0, 0.0), (3.0, -2.0), (0.5, 0.25)])
def test_known_shifts(height: int, width: int, shift: tuple[float, float]) -> None:
    first_HW, second_HW = shifted_pair(height, width, shift)
    flow_HWC = DisFlow(width, height)(first_HW, second_HW)
    assert flow_HWC.shape == (height, width, 2)
    assert np.abs(np.median(flow_HWC, axis=(0, 1)) - shift).max() < 0.12


def test_long_pictures_do_not_crash() -> None:
    rng = np.random.default_rng(0)
    # each of these killed the process with OpenCV 5.0's DIS called directly
    for height, width in ((30, 84), (31, 83), (30, 96), (28, 111), (22, 102), (18, 113), (16, 100), (24, 122)):
        for h, w in ((height, width), (width, height)):
            picture = rng.integers(0, 256, (h, w), np.uint8)
            assert np.isfinite(DisFlow(w, h)(picture, np.roll(picture, 2, axis=1))).all()


def test_too_small_says_so() -> None:
    with pytest.raises(NotMeasurable, match="15×40 is too small"):
        DisFlow(15, 40)


def test_visible_leaves_out_what_moved_out_and_what_disagrees() -> None:
    forward = np.zeros((20, 30, 2), np.float32)
    forward[..., 0] = 5
    seen = visible(forward, -forward, pixel_grid(20, 30))
    assert seen[:, :25].all()
    assert not seen[:, 25:].any()
    assert not visible(forward, forward, pixel_grid(20, 30)).any()


def test_sample_is_bilinear() -> None:
    ramp = np.tile(np.arange(10, dtype=np.float32), (4, 1))
    at = pixel_grid(4, 10) + np.array([0.5, 0.0], np.float32)
    np.testing.assert_allclose(sample(ramp, at)[:, :9], ramp[:, :9] + 0.5, atol=1e-6)
