"""Feature `signatures`: every sampled frame as 16×16 grey values, to ask whether a clip repeats itself.

Shape legend: T sampled frames, H = W = 16.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from eval.clip import ClipInfo, Window
from eval.feature import FEATURES, Arrays, Feature, Sampling
from eval.features.frame_view import grey

SIDE = 16


class Signatures:
    """Keeps one kilobyte per sampled frame: 15 MB for half an hour."""

    def __init__(self, _info: ClipInfo) -> None:
        self._rows: list[npt.NDArray[np.float32]] = []
        self._times_T: list[float] = []

    def update(self, window: Window) -> None:
        for frame_CHW in window.frames_TCHW:
            luma = grey(frame_CHW).astype(np.float32)
            self._rows.append(cv2.resize(luma, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32))
        self._times_T.extend(window.times_s)

    def finish(self) -> Arrays:
        """grey_THW: float32, 0-255. times_T: seconds."""
        stacked = np.stack(self._rows) if self._rows else np.zeros((0, SIDE, SIDE), np.float32)
        return {"grey_THW": stacked, "times_T": np.array(self._times_T, np.float64)}


FEATURES.add("signatures", Feature("signatures", 1, "picture", Signatures, Sampling(fps=8, short_side=256)))
