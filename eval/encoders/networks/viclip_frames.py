"""How ViCLIP's frames are prepared, as VBench has it.

Shape legend: N clips, T frames, C channels, H height, W width.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from eval.clip import FramesTCHW
from eval.encoders.open.preprocess import CLIP, normalised, resize_short_side

SIDE = 224


def cropped(frames_TCHW: FramesTCHW) -> FramesTCHW:
    """The middle square of frames at SIDE pixels: bicubic without antialiasing, and rounded to uint8, as there."""
    frames = torch.from_numpy(np.array(frames_TCHW)).float()
    small = resize_short_side(frames, SIDE, "bicubic")
    top, left = (round((pixels - SIDE) / 2) for pixels in small.shape[2:])
    square = small[:, :, top : top + SIDE, left : left + SIDE]
    return np.asarray(square.round().clamp(0, 255).byte().numpy())


def viclip_input(clips_NTCHW: Tensor) -> Tensor:
    """Cropped uint8 frames → float32 with CLIP's mean and deviation."""
    return normalised(clips_NTCHW.float(), CLIP)
