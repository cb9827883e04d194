"""How the picture moves, without learning: colours, changes and optical flow on a coarse grid, for every frame.

Learned filters find motion by themselves only after many thousands of clips; Lucas and Kanade's flow (1981) gives it
at once, and costs less than a convolution.

Shape legend: B clips, T frames, H height, W width, C channels.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

LUMA = (0.299, 0.587, 0.114)
GAPS = (1, 4)
"""Each frame is compared with those so many frames before it: fast and slow movements. The first stands in for what
would lie before it."""
CHANNELS = 3 + 4 * len(GAPS)

_EPSILON = 1e-3
"""Added to squared gradients, on a scale where luma spans 2: what is flat has no flow."""
_LIMIT = 3.0


@torch.no_grad()
def motion(frames_BTCHW: Tensor) -> Tensor:
    """uint8 frames → float B,CHANNELS,T,H/4,W/4.

    Mean colour in [-1, 1]; then for each gap the flow across and down in units of 2 pixels, the mean change of luma
    and its mean absolute change.
    """
    # One clip at a time stays in the processor's cache.
    return torch.stack([_of_clip(frames_TCHW) for frames_TCHW in frames_BTCHW])


def _of_clip(frames_TCHW: Tensor) -> Tensor:
    small_TCHW = _halved(frames_TCHW.contiguous().float()) / 127.5 - 1.0
    luma_THW = _smooth((small_TCHW * small_TCHW.new_tensor(LUMA).view(1, 3, 1, 1)).sum(dim=1))
    parts = [_halved(small_TCHW)]
    for gap in GAPS:
        before = [max(0, t - gap) for t in range(len(luma_THW))]
        parts.append(_moved(luma_THW[before], luma_THW))
    return torch.cat(parts, dim=1).transpose(0, 1)


def _moved(before_THW: Tensor, now_THW: Tensor) -> Tensor:
    """Flow u, v, change and absolute change of one frame against another, T,4,H/2,W/2."""
    change = now_THW - before_THW
    padded = functional.pad((now_THW + before_THW)[:, None] / 4, (1, 1, 1, 1), mode="replicate")[:, 0]
    x, y = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2], padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
    products = torch.stack([x * x, x * y, y * y, x * change, y * change, change, change.abs()])
    halved = _halved(products)
    xx, xy, yy, xt, yt, mean, size = _smooth(halved.flatten(0, 1)).view_as(halved)
    xx, yy = xx + _EPSILON, yy + _EPSILON
    scale = -1.0 / (xx * yy - xy * xy)
    u, v = (yy * xt - xy * yt) * scale, (xx * yt - xy * xt) * scale
    return torch.stack([u.clamp(-_LIMIT, _LIMIT), v.clamp(-_LIMIT, _LIMIT), 3 * mean, 3 * size], dim=1)


def _halved(pictures: Tensor) -> Tensor:
    """Means of 2x2 pixels; sums of slices are four times as fast as torch's pooling."""
    upper, lower = pictures[..., ::2, :], pictures[..., 1::2, :]
    return (upper[..., ::2] + upper[..., 1::2] + lower[..., ::2] + lower[..., 1::2]) / 4


def _smooth(pictures_NHW: Tensor) -> Tensor:
    """A binomial over 3x3 pixels."""
    padded = functional.pad(pictures_NHW[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    rows = padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]
    return (rows[:, :, :-2] + 2 * rows[:, :, 1:-1] + rows[:, :, 2:]) / 16
