"""scene_cuts: how often the picture changes altogether.

Shape legend: T frames, P = T−1 consecutive pairs.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from eval.metric import Measured, metric
from eval.quality.timing import steps_s

LEAST = 10.0
"""Grey levels of mean change. Lower, changing light competes with cuts. A fast pan at eight frames a second
reaches 50, but so do its neighbours."""
TIMES_USUAL = 3.0
TIMES_BESIDE = 2.0
REACH = 6


@metric(
    name="scene_cuts",
    version=1,
    family="temporal",
    unit="cuts/s",
    low=0.0,
    high=float("inf"),
    direction="band",
    needs=("small_changes",),
    source="ours, an adaptive threshold as in PySceneDetect's AdaptiveDetector",
    summary="abrupt changes of the whole picture per second",
    blind_spots="fades and dissolves are not cuts; a cut between two very similar pictures is missed; so are cuts "
    "less than three frames apart",
    invariant_to=frozenset({"fps", "size"}),
)
def scene_cuts(measured: Measured) -> float:
    """Cuts per second between the first and the last frame."""
    changes = measured["small_changes"]
    steps_P = steps_s(changes["times_T"])
    return float(cuts(changes["mean_P"], changes["across_P"]).sum() / steps_P.sum())


def cuts(mean_P: npt.NDArray[np.float64], across_P: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Which pairs are cuts, bool P.

    A cut changes at least 10 levels, three times the median of the six pairs before and after, and twice either
    neighbour (fast motion comes and goes, a cut is at once). It lasts: the frames on the far sides of its neighbours
    still differ half as much, those around a flash do not.
    """
    found_P = mean_P >= LEAST
    for pair in map(int, np.flatnonzero(found_P)):
        others = np.delete(mean_P[max(0, pair - REACH) : pair + REACH + 1], min(pair, REACH))
        usual = float(np.median(others)) if others.size else 0.0
        beside = max([*mean_P[max(0, pair - 1) : pair], *mean_P[pair + 1 : pair + 2]], default=0.0)
        # across_P[i] spans pairs i, i+1, i+2
        lasting = across_P[pair - 1] if 1 <= pair <= across_P.size else mean_P[pair]
        stands_out = mean_P[pair] >= max(TIMES_USUAL * usual, TIMES_BESIDE * beside)
        found_P[pair] = stands_out and lasting >= 0.5 * mean_P[pair]
    return np.asarray(found_P)
