"""How much change the eye does not notice: luminance adaptation and contrast masking (Chou and Li 1995, Yang 2005).

Shape legend: H height, W width, 2 the two parts.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

MOST_HIDDEN = 4.0
"""What contrast hides at most, in steps of 0-255: the published 16 is for textures, and draws dashes along lone edges.
How the two parts are weighed changes nothing in what survives crf 40, so it is not trained: straight-through, training
would be told that all survives, and spread the mark evenly.
"""
OVERLAP = 0.3
"""What is masked twice counts less (Yang et al. 2005)."""


def mask_parts(luma_HW: Floats) -> tuple[Floats, Floats]:
    """Just noticeable change by luminance adaptation, and by contrast masking: two images in steps of 0-255."""
    mean_HW = cv2.blur(luma_HW, (5, 5))
    dark_HW = 17.0 * (1.0 - np.sqrt(np.clip(mean_HW / 127.0, 0.0, 1.0)))
    adaptation_HW = dark_HW + np.clip(mean_HW - 127.0, 0.0, None) * (3.0 / 128.0) + 3.0
    down_HW = cv2.Sobel(luma_HW, cv2.CV_32F, 0, 1, scale=0.25)
    across_HW = cv2.Sobel(luma_HW, cv2.CV_32F, 1, 0, scale=0.25)
    # the blur's running sums can end a hair below zero
    steep_HW = np.maximum(cv2.blur(np.square(down_HW) + np.square(across_HW), (3, 3)), 0.0)
    contrast_HW = MOST_HIDDEN * np.power(steep_HW, 1.2) / (steep_HW + 676.0)
    return adaptation_HW.astype(np.float32), contrast_HW.astype(np.float32)


def just_noticeable(luma_HW: Floats) -> Floats:
    """Change that is just not seen, in steps of 0-255, H, W."""
    adapted_HW, contrasted_HW = mask_parts(luma_HW)
    seen_HW = adapted_HW + contrasted_HW - OVERLAP * np.minimum(adapted_HW, contrasted_HW)
    return seen_HW.astype(np.float32, copy=False)
