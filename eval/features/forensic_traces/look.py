"""One frame as every block of forensic traces looks at it.

Shape legend: H height, W width, C channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from eval.features.frame_view import channels_last

Floats = npt.NDArray[np.float64]
PictureHW = npt.NDArray[np.float32]

MIN_SIDE = 16
"""Below, there are too few blocks and frequencies to say anything about."""


@dataclass(frozen=True, slots=True)
class Look:
    """luma_HW: BT.601 luma, 0-255. residual_HWC: what a 3 x 3 median takes away: noise, grids, the finest texture."""

    luma_HW: PictureHW
    residual_HWC: npt.NDArray[np.float32]
    residual_HW: PictureHW


class Block(Protocol):
    """One kind of traces. Frames go in one by one, in order; a fixed number of named numbers comes out."""

    names: tuple[str, ...]

    def add(self, look: Look) -> None: ...

    def values(self) -> Floats:
        """One finite number for each name."""
        ...


def look_at(frame_CHW: npt.NDArray[np.uint8]) -> Look:
    """A frame, uint8 RGB C,H,W."""
    picture_HWC = channels_last(frame_CHW)
    luma_HW = cv2.cvtColor(picture_HWC, cv2.COLOR_RGB2GRAY).astype(np.float32)
    residual_HWC = picture_HWC.astype(np.float32) - cv2.medianBlur(picture_HWC, 3)
    return Look(luma_HW, residual_HWC, luma_HW - cv2.medianBlur(luma_HW, 3))


def numbered(name: str, count: int) -> tuple[str, ...]:
    """name_00, name_01, …"""
    return tuple(f"{name}_{place:02d}" for place in range(count))
