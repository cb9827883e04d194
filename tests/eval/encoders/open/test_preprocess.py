"""Preprocessing against references: the processors of transformers that need no torchvision, and where those do, or
where VBench uses torchvision, Pillow and the formulas in NumPy.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image
from torch import Tensor
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
from transformers.models.videomae.image_processing_pil_videomae import VideoMAEImageProcessorPil

from eval.encoders.open.preprocess import (
    CLIP,
    IMAGENET,
    Normalisation,
    clip_input,
    dino_input,
    dinov2_input,
    resize_short_side,
    videomae_input,
    vjepa2_input,
)

SIZES = [(480, 832), (832, 480), (720, 1280), (64, 64), (90, 161), (227, 224)]
Pixels = npt.NDArray[np.uint8]


def picture(height: int, width: int, seed: int = 0) -> Pixels:
    """Soft and hard edges and noise, uint8 C,H,W."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    waves = 128 + 90 * np.sin(x / 7 + rng.uniform(0, 6, (3, 1, 1))) * np.cos(y / 11)
    waves[:, height // 3 : height // 2, width // 4 : width // 2] = rng.integers(0, 256, (3, 1, 1))
    return np.clip(waves + rng.normal(0, 12, waves.shape), 0, 255).astype(np.uint8)


def tensor(*pictures: Pixels) -> Tensor:
    return torch.from_numpy(np.stack(pictures))


def grey_levels(values: Tensor, by: Normalisation) -> npt.NDArray[np.float64]:
    std, mean = (np.array(numbers)[:, None, None] for numbers in (by.std, by.mean))
    return np.asarray((values.double().numpy() * std + mean) * 255)


def cubic(distance: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Keys' kernel with a = −3/4, torch's (Pillow has −1/2)."""
    a, d = -0.75, np.abs(distance)
    near = (a + 2) * d**3 - (a + 3) * d**2 + 1
    far = a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a
    return np.where(d <= 1, near, np.where(d < 2, far, 0))


def linear(distance: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.maximum(0, 1 - np.abs(distance))


def interpolated(
    picture_CHW: Pixels, size: tuple[int, int], kernel: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]
) -> npt.NDArray[np.float64]:
    """Samples at pixel centres, without antialiasing, edges repeated: one matrix for each axis."""

    def matrix(old: int, new: int) -> npt.NDArray[np.float64]:
        at = (np.arange(new) + 0.5) * old / new - 0.5
        weights = np.zeros((new, old))
        for tap in range(-1, 3):
            source = np.floor(at).astype(int) + tap
            np.add.at(weights, (np.arange(new), np.clip(source, 0, old - 1)), kernel(at - source))
        return weights

    rows, columns = matrix(picture_CHW.shape[1], size[0]), matrix(picture_CHW.shape[2], size[1])
    return np.einsum("oh,chw,pw->cop", rows, picture_CHW.astype(np.float64), columns, optimize=True)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_clip_input_is_the_formula_of_torchvisions_resize_without_antialiasing(height: int, width: int) -> None:
    frame = picture(height, width)
    short = min(height, width)
    resized = interpolated(frame, (int(224 * height / short), int(224 * width / short)), cubic)
    top, left = (round((pixels - 224) / 2) for pixels in resized.shape[1:])
    found = clip_input(tensor(frame))
    assert found.dtype == torch.float32
    assert found.shape == (1, 3, 224, 224)
    wanted = resized[:, top : top + 224, left : left + 224]
    np.testing.assert_allclose(grey_levels(found[0], CLIP), wanted, atol=1e-2)
    whole = grey_levels(clip_input(tensor(frame), rounded=True)[0], CLIP)
    np.testing.assert_allclose(whole, np.round(whole), atol=1e-3)
    assert whole.min() > -1e-3
    assert whole.max() < 255.001


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_dino_input_keeps_the_whole_frame(height: int, width: int) -> None:
    frame = picture(height, width)
    short = min(height, width)
    size = (int(224 * height / short), int(224 * width / short))
    found = dino_input(tensor(frame))
    assert found.shape == (1, 3, *size)
    np.testing.assert_allclose(grey_levels(found[0], IMAGENET), interpolated(frame, size, linear), atol=1e-2)


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize(
    ("ours", "processor"),
    [
        (
            dinov2_input,
            BitImageProcessorPil(size={"shortest_edge": 256}, image_mean=IMAGENET.mean, image_std=IMAGENET.std),
        ),
        (videomae_input, VideoMAEImageProcessorPil(image_mean=IMAGENET.mean, image_std=IMAGENET.std)),
    ],
)
def test_the_processors_of_transformers(
    ours: Callable[[Tensor], Tensor], processor: Callable[..., dict[str, Tensor]], height: int, width: int
) -> None:
    frame = picture(height, width)
    given = [frame] if processor.__class__.__name__.startswith("Bit") else [[frame]]
    wanted = grey_levels(processor(given, return_tensors="pt")["pixel_values"].squeeze(1)[0], IMAGENET)
    assert_same_levels(grey_levels(ours(tensor(frame))[0], IMAGENET), wanted, height)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_vjepa2_input_against_pillow_because_its_processor_needs_torchvision(height: int, width: int) -> None:
    frame = picture(height, width)
    short = min(height, width)
    size = (int(292 * width / short), int(292 * height / short))
    resized = np.array(Image.fromarray(frame.transpose(1, 2, 0)).resize(size, Image.Resampling.BILINEAR))
    top, left = (int((pixels - 256) / 2) for pixels in resized.shape[:2])
    wanted = resized[top : top + 256, left : left + 256].transpose(2, 0, 1)
    assert_same_levels(grey_levels(vjepa2_input(tensor(frame))[0], IMAGENET), wanted.astype(np.float64), height)


def assert_same_levels(found: npt.NDArray[np.float64], wanted: npt.NDArray[np.float64], height: int) -> None:
    """Whole grey levels, the same but for sums near a half, where Pillow's fixed-point weights may round the other way.

    From 64 to 224 pixels many sums are halves: the weights are multiples of a fourteenth.
    """
    np.testing.assert_allclose(found, np.round(found), atol=1e-3)
    difference = np.abs(found - wanted)
    assert difference.max() < (2.01 if height == 64 else 1.01)
    assert difference.mean() < (0.1 if height == 64 else 0.015)


@pytest.mark.parametrize("ours", [clip_input, dino_input, dinov2_input, videomae_input, vjepa2_input])
def test_a_frame_is_prepared_alike_alone_and_among_others(ours: Callable[[Tensor], Tensor]) -> None:
    frames = tensor(*(picture(120, 200, seed) for seed in range(3)))
    together = ours(frames)
    for index in range(3):
        torch.testing.assert_close(ours(frames[index : index + 1])[0], together[index], rtol=0, atol=1e-5)


def test_the_long_side_is_rounded_down() -> None:
    assert resize_short_side(torch.zeros(1, 3, 100, 199), 224, "bilinear").shape[2:] == (224, 445)
    assert resize_short_side(torch.zeros(1, 3, 199, 100), 224, "bilinear").shape[2:] == (445, 224)


def test_an_odd_margin_goes_to_the_side_that_each_library_gives_it_to() -> None:
    """Three pixels too many: torchvision cuts two above, transformers one."""
    rows = np.repeat(np.arange(227, dtype=np.uint8)[None, :, None], 3, axis=0).repeat(224, axis=2)
    assert grey_levels(clip_input(tensor(rows))[0], CLIP)[0, 0, 0] == pytest.approx(2, abs=1e-3)
    assert grey_levels(videomae_input(tensor(rows))[0], IMAGENET)[0, 0, 0] == pytest.approx(1, abs=1e-3)
