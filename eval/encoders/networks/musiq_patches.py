"""What MUSIQ sees of a picture: square patches of it at three sizes, each with its place and its scale.

Ke et al. 2021, arXiv 2108.05997, section 3. Sizes, resampling and padding are those of the port that VBench uses
(the package pyiqa), whose weights these are: bicubic without antialiasing where the paper's own code is Gaussian.

Shape legend: N frames, L patches, C channels, H height, W width.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from eval.encoders.open.resize import Mode, resized
from eval.feature import NotMeasurable

LONGEST = 512
"""VBench shrinks longer frames to this long side, without antialiasing; shorter ones stay as they are."""
LONG_SIDES = (224, 384)
"""The resized scales, shorter frames being enlarged; the third scale is the frame itself."""
PATCH = 32
GRID = 10
"""Places are told on a grid of so many cells a side, whatever the size of the picture."""


class Patches(NamedTuple):
    """patches_NLCHW: float32 in about [-1, 1]. places_L: cell of the grid, 0-99. scales_L: 0, 1, 2 (the frame)."""

    patches_NLCHW: Tensor
    places_L: Tensor
    scales_L: Tensor


def multiscale(frames_NCHW: Tensor) -> Patches:
    """The patches of uint8 RGB frames of one size. Raises NotMeasurable for a picture that is nearly a line."""
    picture_NCHW = normalised(frames_NCHW)
    size = (picture_NCHW.shape[2], picture_NCHW.shape[3])
    scales = [_resized(picture_NCHW, _to_long_side(size, long), "bicubic") for long in LONG_SIDES] + [picture_NCHW]
    parts = [cut(scale_NCHW) for scale_NCHW in scales]
    device = frames_NCHW.device
    return Patches(
        torch.cat(parts, dim=1),
        torch.cat([places(_patches_along(scale.shape[2]), _patches_along(scale.shape[3])) for scale in scales]).to(
            device
        ),
        torch.cat([torch.full((part.shape[1],), index) for index, part in enumerate(parts)]).to(device),
    )


def normalised(frames_NCHW: Tensor) -> Tensor:
    """Frames at VBench's size, from 0…255 to [-1, 1], float32."""
    height, width = frames_NCHW.shape[2:]
    values_NCHW = frames_NCHW.float()
    if max(height, width) > LONGEST:
        # Written as in VBench, whose product may fall just short of 512 and is then cut to 511: 561 pixels do.
        scale = float(LONGEST) / max(height, width)
        values_NCHW = _resized(values_NCHW, (int(scale * height), int(scale * width)), "bilinear")
    return values_NCHW.div_(255.0).sub_(0.5).mul_(2)


def _to_long_side(size: tuple[int, int], long: int) -> tuple[int, int]:
    """`size` with its longer side at `long`; halves go to the even number, as Python rounds."""
    ratio = long / max(size)
    return round(size[0] * ratio), round(size[1] * ratio)


def _resized(picture_NCHW: Tensor, size: tuple[int, int], mode: Mode) -> Tensor:
    if min(size) < 1:
        height, width = picture_NCHW.shape[2:]
        raise NotMeasurable(f"a picture of {width}×{height} is nearly a line: at {max(size)} pixels nothing is left")
    return resized(picture_NCHW, size, mode)


def cut(picture_NCHW: Tensor) -> Tensor:
    """Patches row by row, N,L,C,PATCH,PATCH; the border of 0 (mid-grey) is shared out as in TensorFlow's "SAME"."""
    height, width = picture_NCHW.shape[2:]
    rows, columns = _patches_along(height), _patches_along(width)
    down, across = rows * PATCH - height, columns * PATCH - width
    border = (across // 2, across - across // 2, down // 2, down - down // 2)
    whole_NCHW = functional.pad(picture_NCHW, border)
    blocks = whole_NCHW.unfold(2, PATCH, PATCH).unfold(3, PATCH, PATCH)  # N,C,rows,columns,PATCH,PATCH
    return blocks.permute(0, 2, 3, 1, 4, 5).flatten(1, 2)


def places(rows: int, columns: int) -> Tensor:
    """The hashed place of each patch, row by row: the cell of the GRID × GRID that its nearest neighbour falls in."""
    return (_nearest(rows)[:, None] * GRID + _nearest(columns)[None]).flatten()


def _nearest(count: int) -> Tensor:
    return torch.arange(count) * GRID // count


def _patches_along(pixels: int) -> int:
    return -(-pixels // PATCH)
