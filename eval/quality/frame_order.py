"""frame_order: whether neighbouring frames are closer to each other than frames that lie apart."""

from __future__ import annotations

import numpy as np

from eval.metric import Measured, NotMeasurable, metric
from eval.quality.looping import LEAST_CHANGE, lag_differences
from eval.quality.timing import steps_s

APART_S = 0.5


@metric(
    name="frame_order",
    version=1,
    family="temporal",
    unit="1",
    low=0.0,
    high=1.0,
    direction="band",
    needs=("signatures",),
    source="ours",
    summary="how much more alike neighbouring frames are than frames apart: 0 when their order means nothing",
    blind_spots="played backwards a clip scores the same; fast rain or flicker over a still scene hides its order; a "
    "cut lowers it little",
    invariant_to=frozenset({"fps", "size"}),
)
def frame_order(measured: Measured) -> float:
    """1 − D(1) / mean of D(L) over lags L of 0.5 s to half the clip, at least 0; 0-1.

    D(L) is the mean squared difference between 16×16 grey signatures L apart, at eight frames a second. For frames in
    random order D does not depend on the lag. Raises NotMeasurable for clips under a second and clips in which nothing
    moves.
    """
    signatures = measured["signatures"]
    frames = signatures["grey_THW"]
    first = max(2, int(np.ceil(APART_S / float(np.median(steps_s(signatures["times_T"]))) - 1e-6)))
    if len(frames) < 2 * first:
        raise NotMeasurable("too short to tell neighbours from frames apart")
    differences_L = lag_differences(frames.reshape(len(frames), -1))
    apart = float(differences_L[first:].mean())
    if apart < LEAST_CHANGE:
        raise NotMeasurable("nothing moves whose order could be told")
    return float(np.clip(1 - differences_L[1] / apart, 0, 1))
