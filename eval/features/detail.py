"""Feature `detail`: sharpness, noise and block edges of each sampled frame at native size.

Shape legend: T sampled frames, H height, W width.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from eval.clip import ClipInfo, Window
from eval.feature import FEATURES, Arrays, Feature, Sampling
from eval.features.frame_view import PictureHW, grey

BLUR_TAPS = 9
BLOCK = 8
LAPLACIANS = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)


class Detail:
    def __init__(self, _info: ClipInfo) -> None:
        self._rows: list[tuple[float, float, float]] = []
        self._times_T: list[float] = []

    def update(self, window: Window) -> None:
        for frame_CHW in window.frames_TCHW:
            luma_HW = grey(frame_CHW)
            self._rows.append((blur(luma_HW), noise_deviation(luma_HW), block_edges(luma_HW)))
        self._times_T.extend(window.times_s)

    def finish(self) -> Arrays:
        """blur_T: 0-1, NaN for a flat frame. noise_T: standard deviation, grey levels. blockiness_T: 0-1.
        times_T: seconds.
        """
        rows = np.array(self._rows, np.float64).reshape(-1, 3)
        return {
            "blur_T": rows[:, 0],
            "noise_T": rows[:, 1],
            "blockiness_T": rows[:, 2],
            "times_T": np.array(self._times_T, np.float64),
        }


def blur(grey_HW: PictureHW) -> float:
    """The blur of Crété-Roffet et al. 2007: how little a strong blur changes the picture, 0 (sharp) to 1.

    For each direction, with F the picture, B the picture after a 9-tap mean along that direction, D the absolute
    difference of neighbours: b = 1 − Σ max(0, D_F − D_B) / Σ D_F; the blur is the larger b. NaN for a flat picture.
    """
    worst = math.nan
    for axis, taps in ((0, (1, BLUR_TAPS)), (1, (BLUR_TAPS, 1))):
        blurred_HW = cv2.blur(grey_HW.astype(np.float32), taps)
        sharp = _neighbour_differences(grey_HW.astype(np.float32), axis)
        soft = _neighbour_differences(blurred_HW.astype(np.float32), axis)
        total = float(sharp.sum(dtype=np.float64))
        if total > 0:
            lost = float(np.maximum(sharp - soft, 0).sum(dtype=np.float64))
            worst = float(np.fmax(worst, 1 - lost / total))
    return worst


def _neighbour_differences(picture_HW: npt.NDArray[np.float32], axis: int) -> npt.NDArray[np.float32]:
    return np.abs(np.diff(picture_HW, axis=axis))


def noise_deviation(grey_HW: PictureHW) -> float:
    """Immerkær 1996: σ = √(π/2) · mean|I ∗ N| / 6, N the difference of two Laplacians; in grey levels."""
    if min(grey_HW.shape) < 3:
        return math.nan
    response = cv2.filter2D(grey_HW, cv2.CV_32F, LAPLACIANS)[1:-1, 1:-1]
    return math.sqrt(math.pi / 2) * float(np.abs(response).mean(dtype=np.float64)) / 6


def block_edges(grey_HW: PictureHW) -> float:
    """How much stronger neighbours differ across an 8×8 grid than anywhere inside its blocks, 0-1.

    For each of the eight positions in a block, the median over the picture's columns (rows) there of the mean
    absolute difference to the next: on at the blocks' borders, off the largest of the other seven. Then
    (on − off) / (on + off), 0 where on ≤ off; the mean of both directions. Medians, so that one real edge on the
    grid does not count; the largest, because of seven positions without blocks some stand out by chance. 0 for
    pictures of fewer than two blocks.
    """
    shares = [_border_share(_profile(grey_HW, axis)) for axis in (0, 1) if grey_HW.shape[axis] >= 2 * BLOCK]
    return float(np.mean(shares)) if shares else 0.0


def _profile(grey_HW: PictureHW, axis: int) -> npt.NDArray[np.float64]:
    """Mean absolute difference between each row (axis 0) or column (axis 1) and the next."""
    low, high = (grey_HW[:-1], grey_HW[1:]) if axis == 0 else (grey_HW[:, :-1], grey_HW[:, 1:])
    return np.asarray(cv2.absdiff(low, high).mean(axis=1 - axis, dtype=np.float64))


def _border_share(profile: npt.NDArray[np.float64]) -> float:
    medians = [float(np.median(profile[position::BLOCK])) for position in range(BLOCK)]
    on, off = medians[-1], max(medians[:-1])
    return (on - off) / (on + off) if on > off else 0.0


FEATURES.add("detail", Feature("detail", 1, "picture", Detail, Sampling(fps=8)))
