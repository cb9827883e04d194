"""frozen_frames and duplicated_frames: time in which the picture stands still, and frames that are only repeats.

Shape legend: T frames, P = T−1 consecutive pairs.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from eval.features.small_changes import STILL
from eval.metric import Measured, metric
from eval.quality.timing import steps_s

FREEZE_S = 0.5
SAME = 1.7
"""Grey levels in the most changed cell. On real clips x264 adds up to 1.1 to a repeated frame at crf 23, 1.7 at 30."""
OF_MOTION = 0.1
"""A repeat changes less than this share of what the frames around it change: on footage that hardly moves, frames are
alike without being repeats."""
REACH = 6
"""Pairs before and after that must show motion: enough for 24 fps made from 4. A pause is not a repeat."""


@metric(
    name="frozen_frames",
    version=1,
    family="temporal",
    unit="1",
    low=0.0,
    high=1.0,
    direction="lower",
    needs=("small_changes",),
    source="ours, after FFmpeg's freezedetect: a stretch is measured against its first frame",
    summary="share of the time in stretches of half a second or more without any visible change",
    blind_spots="a scene in which nothing should move counts as frozen; noise hides a freeze",
    invariant_to=frozenset({"fps", "size"}),
)
def frozen_frames(measured: Measured) -> float:
    """Share of the time between first and last frame spent in still stretches of at least 0.5 s; 0-1.

    A frame continues a stretch while no cell of an 8×8 grid over the picture, shrunk to a short side of 64, differs
    by more than 2 of 255 from the stretch's first frame.
    """
    changes = measured["small_changes"]
    steps_P = steps_s(changes["times_T"])
    still_P = changes["anchored_P"] <= STILL
    stretches = np.cumsum(~still_P)[still_P]
    lengths_s = np.bincount(stretches, weights=steps_P[still_P]) if stretches.size else np.zeros(1)
    return float(lengths_s[lengths_s >= FREEZE_S - 1e-6].sum() / steps_P.sum())


@metric(
    name="duplicated_frames",
    version=1,
    family="temporal",
    unit="1",
    low=0.0,
    high=1.0,
    direction="lower",
    needs=("small_changes",),
    source="ours",
    summary="share of the frames that repeat the one before while the clip moves on around them",
    blind_spots="drawn animation repeats frames on purpose; blended in-between frames are not repeats; a stretch "
    "without motion is frozen_frames' business",
    invariant_to=frozenset({"size"}),
)
def duplicated_frames(measured: Measured) -> float:
    """Share of the frames after the first whose change is at most 1.7 grey levels, and less than a tenth of the
    largest change both among the six pairs before and among the six after; 0-1. Changes are those of the most
    changed cell of an 8×8 grid over the picture, shrunk to a short side of 64.
    """
    changes = measured["small_changes"]
    steps_s(changes["times_T"])
    return float(repeats(changes["cell_P"]).mean())


def repeats(cell_P: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Which pairs are repeats, bool P. Where the clip's end cuts one side short, the other stands in for it."""
    padded = np.concatenate([np.zeros(REACH), cell_P, np.zeros(REACH)])
    largest = np.lib.stride_tricks.sliding_window_view(padded, REACH).max(axis=1)
    before_P, after_P = largest[: cell_P.size], largest[REACH + 1 :]
    either_P = np.maximum(before_P, after_P)
    from_start_P = np.arange(cell_P.size)
    before_P = np.where(from_start_P < REACH, either_P, before_P)
    after_P = np.where(from_start_P[::-1] < REACH, either_P, after_P)
    return np.asarray((cell_P <= SAME) & (cell_P < OF_MOTION * np.minimum(before_P, after_P)))
