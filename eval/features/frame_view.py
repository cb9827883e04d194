"""How features look at a frame: channels last, as OpenCV wants it, without a copy where the decoder allows.

Shape legend: T frames, C channels, H height, W width.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

PictureHWC = npt.NDArray[np.uint8]
PictureHW = npt.NDArray[np.uint8]


def channels_last(frame_CHW: npt.NDArray[np.uint8]) -> PictureHWC:
    """uint8 C,H,W → contiguous H,W,C. Free when the frame is a transposed channels-last array."""
    return np.ascontiguousarray(frame_CHW.transpose(1, 2, 0))


def grey(frame_CHW: npt.NDArray[np.uint8]) -> PictureHW:
    """BT.601 luma, uint8 H,W, rounded as OpenCV does."""
    return np.asarray(cv2.cvtColor(channels_last(frame_CHW), cv2.COLOR_RGB2GRAY), np.uint8)
