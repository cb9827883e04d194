"""Picture features against slow, independent calculations."""

from __future__ import annotations

import math

import numpy as np
import pytest

from eval.clip import Clip, ClipInfo, MemorySource, Window
from eval.features.detail import block_edges, blur, noise_deviation
from eval.features.edges import gradient_concentration
from eval.features.frame_changes import FrameChanges
from eval.features.frame_view import channels_last, grey
from eval.features.small_changes import most_changed_cell
from eval.features.tones import Tones


@pytest.fixture
def picture_HW() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (48, 64), np.uint8)


def window(frames_TCHW: np.ndarray) -> Window:
    return Window(frames_TCHW, np.arange(len(frames_TCHW)) / 8)


def info_of(frames_TCHW: np.ndarray) -> ClipInfo:
    return MemorySource(Clip(frames_TCHW, 8)).info


def test_views_do_not_copy_what_a_decoder_gives() -> None:
    decoded_THWC = np.zeros((2, 8, 10, 3), np.uint8)
    view = channels_last(decoded_THWC.transpose(0, 3, 1, 2)[1])
    assert np.shares_memory(view, decoded_THWC)
    assert view.flags.c_contiguous
    assert grey(np.full((3, 4, 5), 77, np.uint8)).tolist() == [[77] * 5] * 4


def test_frame_changes_is_the_plain_mean(picture_HW: np.ndarray) -> None:
    frames = np.random.default_rng(1).integers(0, 256, (5, 3, 20, 30), np.uint8)
    feature = FrameChanges(info_of(frames))
    for part in (frames[:1], frames[1:3], frames[3:]):
        feature.update(window(part))
    expected = np.abs(np.diff(frames.astype(int), axis=0)).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(feature.finish()["mean_abs_P"], expected, rtol=1e-12)


def test_tones_are_numpys_mean_and_covariance() -> None:
    frames = np.random.default_rng(1).integers(0, 256, (2, 3, 20, 30), np.uint8)
    feature = Tones(info_of(frames))
    feature.update(window(frames))
    arrays = feature.finish()
    pixels = frames[1].reshape(3, -1).astype(float)
    np.testing.assert_allclose(arrays["mean_TC"][1], pixels.mean(axis=1))
    np.testing.assert_allclose(arrays["covariance_TCC"][1], np.cov(pixels, bias=True))


def test_blur_follows_the_papers_sums(picture_HW: np.ndarray) -> None:
    def slow(picture: np.ndarray) -> float:
        """Along rows, from the definition, with the border mirrored about its outermost pixel."""
        height, width = picture.shape
        sharp_sum = lost_sum = 0.0
        padded = np.pad(picture.astype(float), ((0, 0), (4, 4)), mode="reflect")
        soft = np.array([[padded[y, x : x + 9].mean() for x in range(width)] for y in range(height)])
        for y in range(height):
            for x in range(1, width):
                sharp = abs(float(picture[y, x]) - float(picture[y, x - 1]))
                sharp_sum += sharp
                lost_sum += max(0.0, sharp - abs(soft[y, x] - soft[y, x - 1]))
        return 1 - lost_sum / sharp_sum

    assert blur(picture_HW) == pytest.approx(max(slow(picture_HW), slow(picture_HW.T)), abs=1e-5)
    assert math.isnan(blur(np.full((20, 20), 9, np.uint8)))


def test_noise_follows_the_papers_sum(picture_HW: np.ndarray) -> None:
    p = picture_HW.astype(float)
    kernel = ((1, -2, 1), (-2, 4, -2), (1, -2, 1))
    height, width = p.shape
    total = sum(
        abs(sum(kernel[j][i] * p[y + j, x + i] for j in range(3) for i in range(3)))
        for y in range(height - 2)
        for x in range(width - 2)
    )
    expected = math.sqrt(math.pi / 2) * total / (6 * (width - 2) * (height - 2))
    assert noise_deviation(picture_HW) == pytest.approx(expected, rel=1e-6)


def test_block_edges_want_the_grid_in_its_place() -> None:
    cells = np.random.default_rng(0).integers(0, 256, (8, 8), np.uint8)
    blocks = np.kron(cells, np.ones((8, 8), np.uint8))
    assert block_edges(blocks) == 1
    assert block_edges(np.roll(blocks, 3, axis=(0, 1))) == 0
    one_edge = np.zeros((64, 64), np.uint8)
    one_edge[:, 32:] = 200
    assert block_edges(one_edge) == 0
    assert block_edges(blocks[:12, :12]) == 0


def test_gaussian_noise_has_its_exponential_share() -> None:
    rng = np.random.default_rng(0)
    picture = np.clip(128 + 30 * rng.normal(size=(400, 400)), 0, 255).astype(np.uint8)
    share, energy = gradient_concentration(picture)
    assert share == pytest.approx(0.1 * (1 + math.log(10)), abs=0.01)
    assert energy > 0
    assert gradient_concentration(np.full((40, 40), 9, np.uint8)) == (0.0, 0.0)


def test_a_small_mover_is_one_cell() -> None:
    still = np.zeros((64, 64, 3), np.uint8)
    moved = still.copy()
    moved[8:16, 16:20] = 100  # half of one of the 8×8 cells
    assert most_changed_cell(still, moved) == pytest.approx(50)
    assert most_changed_cell(still, still) == 0
