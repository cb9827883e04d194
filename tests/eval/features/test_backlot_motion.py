"""The reader's flow against movements that are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from eval.features.backlot_reader.motion import CHANNELS, motion


def sliding(across: float, down: float, frames: int = 12) -> torch.Tensor:
    """A smooth texture that slides by so many pixels a frame: uint8 1,T,3,64,64."""
    y, x = np.mgrid[0:64, 0:64].astype(np.float64)
    pictures = []
    for t in range(frames):
        u, v = x - across * t, y - down * t
        luma = 128 + 50 * np.sin(2 * np.pi * u / 23) + 50 * np.cos(2 * np.pi * v / 19)
        pictures.append(np.stack([luma] * 3))
    return torch.from_numpy(np.rint(np.stack(pictures)).astype(np.uint8))[None]


@pytest.mark.parametrize(("across", "down"), [(0.5, 0.0), (-0.5, 0.25), (0.0, -0.5), (0.0, 0.0)])
def test_flow_is_that_of_the_texture(across: float, down: float) -> None:
    moved = motion(sliding(across, down))
    assert moved.shape == (1, CHANNELS, 12, 16, 16)
    inner = moved[0, :, 5:, 2:-2, 2:-2].mean(dim=(1, 2, 3))
    assert inner[3:5].tolist() == pytest.approx([across / 2, down / 2], abs=0.03), "against the frame before"
    assert inner[7:9].tolist() == pytest.approx([2 * across, 2 * down], abs=0.15), "against four frames before"


def test_colours_are_means_and_still_pictures_do_not_move() -> None:
    frames = torch.full((1, 4, 3, 64, 64), 255, dtype=torch.uint8)
    frames[:, :, 2] = 0
    moved = motion(frames)
    assert moved[0, :3, 0, 3, 3].tolist() == pytest.approx([1, 1, -1])
    assert float(moved[:, 3:].abs().max()) == 0


def test_a_clip_does_not_depend_on_its_company() -> None:
    one, other = sliding(0.5, 0.0), sliding(-1.0, 0.5)
    torch.testing.assert_close(motion(torch.cat([one, other]))[:1], motion(one), atol=0, rtol=0)
