"""Bicubic resizing without antialiasing on the processor, five times as fast as torch's kernel for 832×480 to 224.

Each row of the result is a weighted sum of four rows of the picture, then each column one of four columns; torch sums
sixteen pixels for each. Weights and edges are torch's own (Keys' kernel, a = −3/4).

Shape legend: N frames, C channels, H height, W width.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch.nn import functional

SHARPNESS = -0.75


def resized(frames_NCHW: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Numbers N,C,H,W → float32 N,C,h,w, as interpolate(mode="bicubic", align_corners=False) up to rounding."""
    height, width = size
    resized_WHC = [
        _sums(_sums(frame_HWC.float(), height).transpose(0, 1), width) for frame_HWC in frames_NCHW.permute(0, 2, 3, 1)
    ]
    return (torch.stack(resized_WHC) if len(resized_WHC) > 1 else resized_WHC[0][None]).permute(0, 3, 2, 1)


def _sums(rows_RXC: torch.Tensor, count: int) -> torch.Tensor:
    """`count` sums of four rows each."""
    indices_K4, weights_K4 = taps(len(rows_RXC), count)
    table_RD = rows_RXC.flatten(1)
    return functional.embedding_bag(indices_K4, table_RD, per_sample_weights=weights_K4, mode="sum").view(
        count, *rows_RXC.shape[1:]
    )


@lru_cache(maxsize=64)
def taps(old: int, new: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Which four of `old` pixels make each of `new` ones, and with which weights: int64 and float32 K,4.

    In float32, as torch has it: the places of the last pixels are rounded.
    """
    scale = torch.tensor(old, dtype=torch.float32) / new
    place_K = scale * (torch.arange(new) + 0.5) - 0.5
    first_K = place_K.floor()
    past_K = place_K - first_K
    weights_K4 = torch.stack([_far(past_K + 1), _near(past_K), _near(1 - past_K), _far(2 - past_K)], dim=1)
    indices_K4 = first_K.long()[:, None] + torch.arange(-1, 3)
    return indices_K4.clamp(0, old - 1), weights_K4


def _near(distance: torch.Tensor) -> torch.Tensor:
    return ((SHARPNESS + 2) * distance - (SHARPNESS + 3)) * distance * distance + 1


def _far(distance: torch.Tensor) -> torch.Tensor:
    return ((SHARPNESS * distance - 5 * SHARPNESS) * distance + 8 * SHARPNESS) * distance - 4 * SHARPNESS
