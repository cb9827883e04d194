"""Resizing on the processor, by OpenCV, against torch's formula in double precision."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from eval.encoders.open.resize import Mode, resized

SIZES = [
    ((480, 832), (224, 388)),
    ((832, 480), (512, 295)),
    ((90, 160), (224, 398)),
    ((3, 5), (7, 2)),
    ((1, 9), (4, 9)),
]


def noise(count: int, size: tuple[int, int]) -> torch.Tensor:
    """The worst case: neighbours as unlike as can be."""
    return torch.randint(0, 256, (count, 3, *size), generator=torch.Generator().manual_seed(0)).float()


@pytest.mark.parametrize(("old", "new"), SIZES)
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_it_is_torchs_formula(
    old: tuple[int, int], new: tuple[int, int], mode: Mode, layout: torch.memory_format
) -> None:
    frames = noise(2, old).contiguous(memory_format=layout)
    before = frames.clone()
    found = resized(frames, new, mode)
    wanted = functional.interpolate(frames.double(), new, mode=mode, align_corners=False)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), wanted, atol=5e-4, rtol=0)
    torch.testing.assert_close(frames, before, atol=0, rtol=0)
    torch.testing.assert_close(resized(frames[1:], new, mode), found[1:], atol=0, rtol=0)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_overshoot_and_fractions_stay(mode: Mode) -> None:
    step = torch.zeros(1, 3, 40, 40)
    step[..., 20:] = 255
    found = resized(step, (40, 97), mode)
    assert (found != found.round()).any()
    assert (bool(found.max() > 260) and bool(found.min() < -5)) == (mode == "bicubic")


def test_nan_stays() -> None:
    frames = torch.full((1, 3, 40, 40), torch.nan)
    assert resized(frames, (20, 20), "bicubic").isnan().all()


def test_frames_of_the_size_asked_for_stay() -> None:
    frames = noise(1, (8, 9))
    assert resized(frames, (8, 9), "bicubic") is frames


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU")
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_a_gpu_agrees(mode: Mode) -> None:
    """Within 0.05 grey levels of noise: torch's places are rounded."""
    frames = noise(2, (480, 832))
    found = resized(frames.cuda(), (224, 388), mode).cpu()
    torch.testing.assert_close(found, resized(frames, (224, 388), mode), atol=0.05, rtol=0)
