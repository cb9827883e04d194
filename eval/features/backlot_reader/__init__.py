"""Feature `backlot_reading`: what a small network, trained on the Backlot's truth, sees in a clip's first seconds.

Shape legend: T frames, C channels, H height, W width, K classes.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from eval.clip import ClipInfo, Window
from eval.feature import FEATURES, Arrays, Feature, Sampling
from eval.features.backlot_reader.weights import ENCODER, shipped_reader, weights_sha256
from eval.features.frame_view import PictureHWC, channels_last

SIZE = 64
FPS = 8.0
FRAMES = 32
"""Four seconds: what the reader was trained on. The rest of a longer clip is not read."""
_SLACK = 0.05
"""A frame may be this share of a frame's time late, as in eval.sampling."""


class BacklotReading:
    """Keeps the small frames of the first four seconds and reads them at the end."""

    def __init__(self, info: ClipInfo) -> None:
        self._reader = shipped_reader()
        self._step_s = 1.0 / info.fps
        self._frames: list[PictureHWC] = []
        self._times_s: list[float] = []

    def update(self, window: Window) -> None:
        for frame_CHW, time_s in zip(window.frames_TCHW, window.times_s, strict=True):
            if in_time(float(time_s)):
                self._frames.append(squared(channels_last(frame_CHW)))
                self._times_s.append(float(time_s))

    def finish(self) -> Arrays:
        """Factor → probability of each of its classes, float32 K, in the order of the weights' header."""
        frames_THWC = np.stack([self._frames[index] for index in on_the_grid(self._times_s, self._step_s)])
        return self._reader.read(frames_THWC)


def in_time(time_s: float) -> bool:
    """Whether a frame that appears then belongs to the seconds that are read."""
    return time_s * FPS < FRAMES - _SLACK


def squared(picture_HWC: PictureHWC) -> PictureHWC:
    """The whole picture at SIZE × SIZE, whatever its shape: a copy."""
    height, width = picture_HWC.shape[:2]
    shrinks = min(height, width) >= SIZE
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.array(cv2.resize(picture_HWC, (SIZE, SIZE), interpolation=how), np.uint8)


def on_the_grid(times_s: list[float], step_s: float) -> npt.NDArray[np.int64]:
    """The frame shown at each time k / FPS while the clip lasts, at most FRAMES and at least one.

    times_s: when each frame appears; step_s: how long the last one is shown.
    """
    ready = np.array(times_s) * FPS - _SLACK
    count = int(np.clip(round((times_s[-1] + step_s) * FPS), 1, FRAMES))
    return np.maximum(np.searchsorted(ready, np.arange(count), side="right") - 1, 0)


FEATURES.add(
    "backlot_reading",
    Feature(
        "backlot_reading",
        1,
        "picture",
        BacklotReading,
        Sampling(fps=FPS, short_side=SIZE),
        encoder=ENCODER,
        weights=weights_sha256,
    ),
)
