"""Writing the waves into a clip, as loud as the wanted likeness to the original allows.

Shape legend: T frames, C channels, H W pixels, F frequencies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eval.clip import FramesTCHW
from eval.marks.blocks import add_luma, luma
from eval.marks.learned.mask import Floats, just_noticeable

LOOKS = 8
"""Frames, evenly spread, that the strength is set by."""


@dataclass(frozen=True, slots=True)
class Pen:
    """How waves are written. amplitude_F: of each, relative.

    psnr_db: of the marked clip against the original, over all pixels; clipping at black and white leaves it higher.
    """

    amplitude_F: Floats
    psnr_db: float


def strength(frames_TCHW: FramesTCHW, pattern_HW: Floats, pen: Pen) -> float:
    """What pattern times mask is multiplied by, so that the marked clip has the wanted PSNR."""
    looked = np.unique(np.linspace(0, len(frames_TCHW) - 1, LOOKS).round().astype(int))
    powers = [np.mean(np.square(pattern_HW * just_noticeable(luma(frames_TCHW[t])))) for t in looked]
    return float(255.0 / 10 ** (pen.psnr_db / 20) / np.sqrt(np.mean(powers)))


def write(frames_TCHW: FramesTCHW, pattern_HW: Floats, pen: Pen) -> FramesTCHW:
    """The marked frames: the same change in red, green and blue, so that only brightness moves."""
    loud_HW = strength(frames_TCHW, pattern_HW, pen) * pattern_HW
    marked = np.empty(frames_TCHW.shape, np.uint8)
    for frame_CHW, out_CHW in zip(frames_TCHW, marked, strict=True):
        add_luma(frame_CHW, loud_HW * just_noticeable(luma(frame_CHW)), out_CHW)
    return marked
