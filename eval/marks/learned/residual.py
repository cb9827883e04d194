"""What a clip has in common over time once its pictures are taken away: what the mark is read from.

Shape legend: T frames, C channels, H W pixels.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

from eval.marks.blocks import Floats, luma

SIDE = 256
"""Frames are shrunk to at most so many pixels a side before they are read; a side below is left as it is."""
BLUR = 3.0
"""Standard deviation, in pixels, of what is taken for the picture."""
SMALL, LARGE = 3.0, 12.0
"""Steps of 0-255: a residual beyond is an edge, and is cut down to this."""
CHANNELS = 4


def shrunk(frame_CHW: npt.NDArray[np.uint8]) -> Floats:
    """Brightness at reading size, H, W."""
    luma_HW = luma(frame_CHW)
    height, width = luma_HW.shape
    if height <= SIDE and width <= SIDE:
        return luma_HW
    smaller = cv2.resize(luma_HW, (min(SIDE, width), min(SIDE, height)), interpolation=cv2.INTER_AREA)
    return smaller.astype(np.float32, copy=False)


def residual(luma_HW: Floats) -> Floats:
    """Detail: brightness less its blur, in steps of 0-255."""
    return luma_HW - cv2.GaussianBlur(luma_HW, (0, 0), BLUR)


class Common:
    """What frames have in common, frame by frame."""

    def __init__(self) -> None:
        self._small = self._large = self._strength = self._total = self._squares = np.zeros((), np.float32)
        self.count = 0

    def add(self, frame_CHW: npt.NDArray[np.uint8]) -> None:
        """Take in one more frame, of the size of the others."""
        luma_HW = shrunk(frame_CHW)
        detail_HW = residual(luma_HW)
        self._small = self._small + np.clip(detail_HW, -SMALL, SMALL)
        self._large = self._large + np.clip(detail_HW, -LARGE, LARGE)
        self._strength = self._strength + np.abs(detail_HW)
        self._total = self._total + luma_HW
        self._squares = self._squares + np.square(luma_HW)
        self.count += 1

    def averages(self) -> Floats:
        """Averages over all frames, CHANNELS, H, W: detail cut at SMALL and at LARGE, how much the place changes over
        time, and how much detail it has (the last two as logarithms).
        """
        count = self.count
        spread = np.sqrt(np.maximum(self._squares / count - np.square(self._total / count), 0.0))
        busy = cv2.blur(self._strength / count, (7, 7))
        parts = [self._small / count, self._large / count, np.log1p(spread), np.log1p(busy)]
        return np.stack(parts).astype(np.float32)


def common(frames: Iterable[npt.NDArray[np.uint8]]) -> Floats:
    """Common.averages of all these frames."""
    kept = Common()
    for frame_CHW in frames:
        kept.add(frame_CHW)
    return kept.averages()
