"""Frames padded to a multiple of some pixels, and back, as RAFT's and AMT's InputPadder do.

Shape legend: N frames, C channels, H height, W width.
"""

from __future__ import annotations

import torch
from torch.nn import functional


def pad(frames_NCHW: torch.Tensor, multiple: int) -> torch.Tensor:
    """Edges repeated on both sides, the odd pixel right and below."""
    top, bottom = margins(frames_NCHW.shape[-2], multiple)
    left, right = margins(frames_NCHW.shape[-1], multiple)
    if not (top or bottom or left or right):
        return frames_NCHW
    return functional.pad(frames_NCHW, (left, right, top, bottom), mode="replicate")


def unpad(frames_NCHW: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """The inverse: the `height` × `width` pixels that were padded."""
    top, left = ((padded - size) // 2 for padded, size in zip(frames_NCHW.shape[-2:], (height, width), strict=True))
    return frames_NCHW[..., top : top + height, left : left + width]


def margins(size: int, multiple: int) -> tuple[int, int]:
    """Pixels before and after, so that `size` becomes a multiple."""
    missing = -size % multiple
    return missing // 2, missing - missing // 2
