"""Dense optical flow by OpenCV's DIS (Kroeger et al. 2016), the medium preset, made safe for any picture size.

Shape legend: H height, W width, C = 2 flow components (x right, y down).
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from eval.feature import NotMeasurable
from eval.features.frame_view import PictureHW

FlowHWC = npt.NDArray[np.float32]

MIN_SIDE = 16
MAX_ASPECT = 2
"""OpenCV 5.0's DIS reads outside its pyramid and kills the process for some pictures longer than about 2.5 times
their short side (84×30, for one). Up to 2 and from 16 pixels on, 2,434 sizes tried by us were safe."""


class DisFlow:
    """Flow between two pictures, both in grey. One object serves one clip; it keeps no state between pairs."""

    def __init__(self, width: int, height: int) -> None:
        """Raises NotMeasurable for pictures with a side under 16 pixels."""
        if min(width, height) < MIN_SIDE:
            raise NotMeasurable(f"{width}×{height} is too small for optical flow, which needs {MIN_SIDE} pixels a side")
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._pad_bottom = max(0, -(-width // MAX_ASPECT) - height)
        self._pad_right = max(0, -(-height // MAX_ASPECT) - width)

    def __call__(self, from_HW: PictureHW, to_HW: PictureHW) -> FlowHWC:
        """float32 H,W,C in pixels: where each pixel of the first picture is found in the second, minus where it was."""
        height, width = from_HW.shape
        flow_HWC = self._dis.calc(self._padded(from_HW), self._padded(to_HW), None)  # type: ignore[call-overload]
        return np.asarray(flow_HWC[:height, :width], np.float32)

    def _padded(self, picture_HW: PictureHW) -> PictureHW:
        if not (self._pad_bottom or self._pad_right):
            return picture_HW
        edges = (0, self._pad_bottom, 0, self._pad_right)
        return np.asarray(cv2.copyMakeBorder(picture_HW, *edges, cv2.BORDER_REPLICATE), np.uint8)


def pixel_grid(height: int, width: int) -> FlowHWC:
    """float32 H,W,2: the x and y of every pixel."""
    return np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)


def sample(picture: npt.NDArray[np.float32], at_HWC: FlowHWC) -> npt.NDArray[np.float32]:
    """The picture's values at the places `at_HWC` (x, y), bilinear; the border repeats outside."""
    sampled = cv2.remap(picture, at_HWC, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return np.asarray(sampled, np.float32)


def visible(forward_HWC: FlowHWC, backward_HWC: FlowHWC, grid_HWC: FlowHWC) -> npt.NDArray[np.bool_]:
    """Which pixels, bool H,W, of the first picture are found again in the second.

    Forward–backward check of Sundaram et al. 2010, eq. 5: |w + ŵ|² < 0.01 (|w|² + |ŵ|²) + 0.5, with ŵ the backward
    flow at the arrival; pixels that leave the picture are not visible.
    """
    height, width = forward_HWC.shape[:2]
    arrival_HWC = grid_HWC + forward_HWC
    back_HWC = sample(backward_HWC, arrival_HWC)
    apart = squared_length(forward_HWC + back_HWC)
    allowed = 0.01 * (squared_length(forward_HWC) + squared_length(back_HWC)) + 0.5
    x_HW, y_HW = arrival_HWC[..., 0], arrival_HWC[..., 1]
    inside = (x_HW >= 0) & (x_HW <= width - 1) & (y_HW >= 0) & (y_HW <= height - 1)
    return np.asarray((apart < allowed) & inside)


def squared_length(flow_HWC: FlowHWC) -> npt.NDArray[np.float32]:
    """x² + y² of every flow vector, H,W. In NumPy: cv2.magnitude rounds by where the array lies in memory."""
    x_HW, y_HW = flow_HWC[..., 0], flow_HWC[..., 1]
    return np.asarray(x_HW * x_HW + y_HW * y_HW, np.float32)
