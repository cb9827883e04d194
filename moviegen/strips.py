"""Clips as pictures: a row of frames, evenly spaced in time.

Shape legend: T frames, C channels, H height, W width.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from eval.clip import Clip

Picture = npt.NDArray[np.uint8]
"""(H, W, 3), RGB."""

WHITE = 255


def strip(clip: Clip, columns: int, gap: int = 0) -> Picture:
    """`columns` frames from the first to the last, side by side; all there are of a shorter clip."""
    length = len(clip.frames_TCHW)
    times = np.linspace(0, length - 1, min(columns, length)).round().astype(int)
    return beside([np.ascontiguousarray(clip.frames_TCHW[t].transpose(1, 2, 0)) for t in times], gap)


def beside(pictures: Sequence[Picture], gap: int = 0) -> Picture:
    """Pictures from left to right on white, their tops aligned."""
    turned = [picture.transpose(1, 0, 2) for picture in pictures]
    return np.ascontiguousarray(below(turned, gap).transpose(1, 0, 2))


def below(pictures: Sequence[Picture], gap: int = 0) -> Picture:
    """Pictures from top to bottom on white, their left edges aligned."""
    width = max(picture.shape[1] for picture in pictures)
    height = sum(picture.shape[0] for picture in pictures) + gap * (len(pictures) - 1)
    whole = np.full((height, width, 3), WHITE, np.uint8)
    top = 0
    for picture in pictures:
        whole[top : top + picture.shape[0], : picture.shape[1]] = picture
        top += picture.shape[0] + gap
    return whole
