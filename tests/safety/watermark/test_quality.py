"""Quality against independent references and in known cases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torchmetrics.functional.image import structural_similarity_index_measure

from eval.clip import Clip
from safety.watermark.quality import LUMA, SAME_DB, NotComparable, psnr_db, quality, ssim


def scene(frames: int = 6, height: int = 64, width: int = 96) -> Clip:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width] / 32
    waves = [np.stack([120 + 60 * np.sin(3 * x + c + y + 0.3 * t) for c in range(3)]) for t in range(frames)]
    return Clip((np.stack(waves) + rng.normal(0, 3, (frames, 3, height, width))).astype(np.uint8), 24.0)


def noisy(clip: Clip, sigma: float) -> Clip:
    noise = np.random.default_rng(1).normal(0, sigma, clip.frames_TCHW.shape)
    return replace(clip, frames_TCHW=np.clip(np.rint(clip.frames_TCHW + noise), 0, 255).astype(np.uint8))


def test_a_difference_of_one_everywhere_is_48_13_db() -> None:
    """20 log10 255. VideoMarkBench's WEvade takes a peak of 2 for values in [0, 1], and has 6.02 dB more."""
    clip = Clip(np.full((2, 3, 32, 32), 100, np.uint8), 24.0)
    assert psnr_db(clip.frames_TCHW, clip.frames_TCHW + np.uint8(1)) == pytest.approx(48.1308, abs=1e-3)


def test_psnr_is_of_the_mean_error_and_not_the_mean_of_psnrs() -> None:
    frames_TCHW = np.full((2, 3, 16, 16), 100, np.uint8)
    changed_TCHW = frames_TCHW.copy()
    changed_TCHW[0] += 2
    assert psnr_db(frames_TCHW, changed_TCHW) == pytest.approx(10 * np.log10(255**2 / 2), abs=1e-6)


@pytest.mark.parametrize("sigma", [2.0, 8.0, 25.0])
def test_ssim_is_that_of_torchmetrics(sigma: float) -> None:
    before, after = scene(), noisy(scene(), sigma)
    planes = [
        torch.from_numpy(np.tensordot(clip.frames_TCHW.astype(np.float64), LUMA, axes=(1, 0)))[:, None]
        for clip in (before, after)
    ]
    expected = structural_similarity_index_measure(planes[1], planes[0], data_range=255.0, sigma=1.5, kernel_size=11)
    assert ssim(before.frames_TCHW, after.frames_TCHW) == pytest.approx(float(expected), abs=0.01)


def test_equal_clips_are_as_close_as_can_be_and_finite() -> None:
    assert quality(scene(), scene()) == {"psnr_db": SAME_DB, "ssim": pytest.approx(1.0), "xpsnr_db": SAME_DB}


def test_every_figure_falls_with_noise() -> None:
    found = [quality(scene(), noisy(scene(), sigma)) for sigma in (1.0, 4.0, 16.0)]
    for name in found[0]:
        values = [each[name] for each in found]
        assert values[0] > values[1] > values[2], name
        assert np.isfinite(values).all()


def test_xpsnr_forgives_noise_in_texture() -> None:
    """That is what it is for: the same error is worth more where the picture is flat."""
    rng = np.random.default_rng(2)
    flat = Clip(np.full((4, 3, 128, 128), 120, np.uint8), 24.0)
    rough = replace(flat, frames_TCHW=np.repeat(rng.integers(40, 200, (1, 3, 128, 128), np.uint8), 4, axis=0))
    on_flat, on_rough = quality(flat, noisy(flat, 4)), quality(rough, noisy(rough, 4))
    assert on_flat["psnr_db"] == pytest.approx(on_rough["psnr_db"], abs=0.2)
    assert on_rough["xpsnr_db"] > on_flat["xpsnr_db"] + 3


def test_xpsnr_sees_a_change_of_colour_alone() -> None:
    clip = Clip(np.full((3, 3, 64, 64), 120, np.uint8), 24.0)
    changed = clip.frames_TCHW.astype(int)
    changed[:, 2] += 20  # blue
    changed[:, 1] -= 2  # so that luma stays
    blue = replace(clip, frames_TCHW=changed.astype(np.uint8))
    assert quality(clip, blue)["xpsnr_db"] < 50


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (16, 200), (33, 65)])
def test_small_and_odd_pictures_have_figures(size: tuple[int, int]) -> None:
    clip = scene(3, *size)
    assert np.isfinite(list(quality(clip, noisy(clip, 5)).values())).all()


def test_a_row_too_many_does_not_change_xpsnr() -> None:
    """libavfilter gives a block of one row or column a weight that drowns all others, and dies of small pictures."""
    found = [quality(scene(3, side, side), noisy(scene(3, side, side), 5))["xpsnr_db"] for side in (64, 65, 68, 69)]
    assert np.ptp(found) < 0.7


def test_one_frame_has_figures() -> None:
    assert np.isfinite(list(quality(scene(1), noisy(scene(1), 5)).values())).all()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (scene(5), "another length: 6 frames before, 5 after"),
        (scene(6, 32, 96), "another size: 96×64 before, 96×32 after"),
        (scene(6, 96, 64), "another size: 96×64 before, 64×96 after"),
    ],
)
def test_what_cannot_be_compared_says_why(changed: Clip, reason: str) -> None:
    with pytest.raises(NotComparable, match=reason):
        quality(scene(), changed)
    empty = Clip(np.zeros((0, 3, 8, 8), np.uint8), 24.0)
    with pytest.raises(NotComparable, match="no frames"):
        quality(empty, empty)
