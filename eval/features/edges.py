"""Feature `edges`: how the gradient energy of each sampled frame is spread over its pixels.

Shape legend: T sampled frames, H height, W width.
"""

from __future__ import annotations

import cv2
import numpy as np

from eval.clip import ClipInfo, Window
from eval.feature import FEATURES, Arrays, Feature, Sampling
from eval.features.frame_view import PictureHW, grey

TOP = 0.1


class Edges:
    def __init__(self, _info: ClipInfo) -> None:
        self._rows: list[tuple[float, float]] = []
        self._times_T: list[float] = []

    def update(self, window: Window) -> None:
        self._rows.extend(gradient_concentration(grey(frame_CHW)) for frame_CHW in window.frames_TCHW)
        self._times_T.extend(window.times_s)

    def finish(self) -> Arrays:
        """top_share_T: share of the gradient energy in the strongest tenth of the pixels, 0-1 (0 for a flat frame).
        energy_T: mean squared gradient, grey levels² per pixel². times_T: seconds.
        """
        rows = np.array(self._rows, np.float64).reshape(-1, 2)
        return {"top_share_T": rows[:, 0], "energy_T": rows[:, 1], "times_T": np.array(self._times_T, np.float64)}


def gradient_concentration(grey_HW: PictureHW) -> tuple[float, float]:
    """Share of gradient energy in the top tenth of the pixels, and the mean energy; (0, 0) for a flat picture.

    Central differences after a Gaussian blur of one pixel, which keeps single-pixel noise from hiding the edges.
    """
    smooth_HW = cv2.GaussianBlur(grey_HW.astype(np.float32), (0, 0), 1.0)
    across = smooth_HW[1:-1, 2:] - smooth_HW[1:-1, :-2]
    down = smooth_HW[2:, 1:-1] - smooth_HW[:-2, 1:-1]
    energy = (0.25 * (across * across + down * down)).ravel().astype(np.float64)
    total = float(energy.sum())
    if total <= 1e-6 * max(1, energy.size):
        return 0.0, 0.0
    top = max(1, round(TOP * energy.size))
    return float(np.partition(energy, energy.size - top)[-top:].sum()) / total, total / energy.size


FEATURES.add("edges", Feature("edges", 1, "picture", Edges, Sampling(fps=8, short_side=256)))
