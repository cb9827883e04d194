"""Weights of time for frames and pairs: what a metric averages over is seconds, not frames.

Shape legend: T frames, P = T−1 consecutive pairs.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from eval.feature import NotMeasurable

FloatsT = npt.NDArray[np.float64]


def steps_s(times_T: FloatsT) -> FloatsT:
    """Seconds from each frame to the next, P. Raises NotMeasurable for one frame, or times that do not increase."""
    if times_T.size < 2:
        raise NotMeasurable("needs at least two frames")
    steps = np.diff(times_T)
    if steps.min() <= 0:
        raise NotMeasurable("presentation times do not increase")
    return np.asarray(steps, np.float64)
