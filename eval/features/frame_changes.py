"""Feature `frame_changes`: how much each frame differs from the one before, at native size and rate.

Shape legend: T frames, P = T−1 consecutive pairs.
"""

from __future__ import annotations

import cv2
import numpy as np

from eval.clip import ClipInfo, Window
from eval.feature import FEATURES, Arrays, Feature
from eval.features.frame_view import PictureHWC, channels_last


class FrameChanges:
    """Keeps one frame and two numbers per frame."""

    def __init__(self, _info: ClipInfo) -> None:
        self._before: PictureHWC | None = None
        self._mean_abs_P: list[float] = []
        self._times_T: list[float] = []

    def update(self, window: Window) -> None:
        for frame_CHW in window.frames_TCHW:
            now = channels_last(frame_CHW)
            if self._before is not None:
                # NORM_L1 sums whole numbers exactly, so the result does not depend on the order of summing
                self._mean_abs_P.append(cv2.norm(self._before, now, cv2.NORM_L1) / now.size)
            self._before = now
        # the window's memory is the reader's to reuse
        self._before = None if self._before is None else self._before.copy()
        self._times_T.extend(window.times_s)

    def finish(self) -> Arrays:
        """mean_abs_P: mean absolute difference over pixels and RGB, 0-255. times_T: presentation times, seconds."""
        return {"mean_abs_P": np.array(self._mean_abs_P, np.float64), "times_T": np.array(self._times_T, np.float64)}


FEATURES.add("frame_changes", Feature("frame_changes", 1, "picture", FrameChanges))
