"""Feature `small_changes`: changes between frames shrunk to a short side of 64, at native rate.

Shrinking averages codec noise away, so that a repeated frame is seen as repeated after compression; the highest of
8×8 cells, not the mean over the picture, keeps a small mover visible.

Shape legend: T frames, P = T−1 consecutive pairs.
"""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np

from eval.clip import ClipInfo, Window
from eval.feature import FEATURES, Arrays, Feature, Sampling
from eval.features.frame_view import PictureHWC, channels_last

CELLS = 8
STILL = 2.0
"""Grey levels in the most changed cell up to which a frame counts as the same as its anchor. A still picture
encoded with x264 stays near 1 at crf 23 and below 2 at 30; a ball of a sixteenth of the picture's height moving by
a tenth of its size exceeds 3."""


class SmallChanges:
    """Keeps the last four small frames, the anchor of the present still stretch, and a few numbers per frame."""

    def __init__(self, _info: ClipInfo) -> None:
        self._last: deque[PictureHWC] = deque(maxlen=4)
        self._anchor: PictureHWC | None = None
        self._times_T: list[float] = []
        self._rows: dict[str, list[float]] = {"cell_P": [], "mean_P": [], "across_P": [], "anchored_P": []}

    def update(self, window: Window) -> None:
        for frame_CHW in window.frames_TCHW:
            self._push(channels_last(frame_CHW).copy())
        self._times_T.extend(window.times_s)

    def _push(self, now: PictureHWC) -> None:
        if self._anchor is None:
            self._anchor = now
        else:
            before = self._last[-1]
            self._rows["cell_P"].append(most_changed_cell(before, now))
            self._rows["mean_P"].append(mean_change(before, now))
            anchored = most_changed_cell(self._anchor, now)
            self._rows["anchored_P"].append(anchored)
            if anchored > STILL:
                self._anchor = now
        self._last.append(now)
        if len(self._last) == 4:
            self._rows["across_P"].append(mean_change(self._last[0], now))

    def finish(self) -> Arrays:
        """All in grey levels, 0-255: cell_P, change of the most changed cell; mean_P, mean change over the picture;
        across_P (P−2), mean change from the frame before a pair's neighbour to the one after (1 → 4 around 2 → 3);
        anchored_P, most changed cell against the first frame of the present still stretch. times_T in seconds.
        """
        arrays = {name: np.array(row, np.float64) for name, row in self._rows.items()}
        return {**arrays, "times_T": np.array(self._times_T, np.float64)}


def most_changed_cell(a_HWC: PictureHWC, b_HWC: PictureHWC) -> float:
    """Highest mean absolute difference over an 8×8 grid of cells and RGB, 0-255."""
    difference = cv2.absdiff(a_HWC, b_HWC).astype(np.float32)
    return float(cv2.resize(difference, (CELLS, CELLS), interpolation=cv2.INTER_AREA).max(axis=2).max())


def mean_change(a_HWC: PictureHWC, b_HWC: PictureHWC) -> float:
    """Mean absolute difference over pixels and RGB, 0-255."""
    return cv2.norm(a_HWC, b_HWC, cv2.NORM_L1) / a_HWC.size


FEATURES.add(
    "small_changes",
    Feature("small_changes", 1, "picture", SmallChanges, Sampling(short_side=64)),
)
