"""Boxes: left, top, right, bottom in pixels.

Shape legend: A and K boxes, N boxes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Areas = npt.NDArray[np.float64]


def areas(boxes_N4: Floats) -> Areas:
    """Pixels squared, N; 0 for a box whose sides are swapped."""
    areas_N: Areas = np.maximum(boxes_N4[:, 2:] - boxes_N4[:, :2], 0).astype(np.float64).prod(axis=1)
    return areas_N


def shared(one_A4: Floats, other_K4: Floats) -> Areas:
    """Area of the intersection of every box with every other, A,K."""
    low_AK2 = np.maximum(one_A4[:, None, :2], other_K4[None, :, :2])
    high_AK2 = np.minimum(one_A4[:, None, 2:], other_K4[None, :, 2:])
    shared_AK: Areas = np.maximum(high_AK2 - low_AK2, 0).astype(np.float64).prod(axis=2)
    return shared_AK


def overlaps(one_A4: Floats, other_K4: Floats) -> Areas:
    """Intersection over union of every box with every other, A,K; boxes without area overlap nothing."""
    shared_AK = shared(one_A4, other_K4)
    union_AK = areas(one_A4)[:, None] + areas(other_K4)[None] - shared_AK
    share_AK: Areas = shared_AK / np.maximum(union_AK, 1e-9)
    return share_AK


def covered(one_A4: Floats, other_K4: Floats) -> Areas:
    """What share of every box each other covers, A,K; boxes without area are not covered."""
    share_AK: Areas = shared(one_A4, other_K4) / np.maximum(areas(one_A4), 1e-9)[:, None]
    return share_AK
