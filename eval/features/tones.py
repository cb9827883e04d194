"""Feature `tones`: the mean and covariance of RGB in each sampled frame.

Exposure, contrast and colourfulness are all functions of these twelve numbers.

Shape legend: T sampled frames, C = 3 channels (red, green, blue).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from eval.clip import ClipInfo, Window
from eval.feature import FEATURES, Arrays, Feature, Sampling
from eval.features.frame_view import channels_last


class Tones:
    def __init__(self, _info: ClipInfo) -> None:
        self._mean_TC: list[npt.NDArray[np.float64]] = []
        self._covariance_TCC: list[npt.NDArray[np.float64]] = []
        self._times_T: list[float] = []

    def update(self, window: Window) -> None:
        for frame_CHW in window.frames_TCHW:
            pixels_NC = channels_last(frame_CHW).reshape(-1, 3).astype(np.float64)
            mean_C = pixels_NC.mean(axis=0)
            pixels_NC -= mean_C
            self._mean_TC.append(mean_C)
            self._covariance_TCC.append(pixels_NC.T @ pixels_NC / len(pixels_NC))
        self._times_T.extend(window.times_s)

    def finish(self) -> Arrays:
        """mean_TC: 0-255. covariance_TCC: population covariance over pixels. times_T: seconds."""
        return {
            "mean_TC": np.array(self._mean_TC, np.float64).reshape(-1, 3),
            "covariance_TCC": np.array(self._covariance_TCC, np.float64).reshape(-1, 3, 3),
            "times_T": np.array(self._times_T, np.float64),
        }


FEATURES.add("tones", Feature("tones", 1, "picture", Tones, Sampling(fps=8, short_side=256)))
