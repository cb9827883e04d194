"""long_subject_consistency and long_background_consistency: how like frames are that lie seconds apart.

The curve behind the number is eval.formulas.similarity_over_time of the same features.
"""

from __future__ import annotations

from functools import partial

from eval.formulas import long_consistency
from eval.metric import Measured, metric

long_horizon = partial(
    metric,
    version=1,
    family="consistency",
    unit="1",
    low=0.0,
    high=1.0,
    direction="higher",
    source="ours, after Vchitect/VBench issue 206: similarity against distance in time",
    blind_spots="a frozen clip scores 1; a longer clip has longer distances to hold out over, so compare clips of one "
    "length; intended cuts and turns count against it; what changes and comes back within a second is not seen",
    invariant_to=frozenset({"fps"}),
)


@long_horizon(
    name="long_subject_consistency",
    needs=("dino_b16_frames", "frame_changes"),
    summary="how like frames 1, 2, 4, … s apart are to DINO, on average; 1 is no drift",
)
def long_subject_consistency(measured: Measured) -> float:
    """Mean over distances of 1, 2, 4, … s of the mean max(0, cos) of frames so far apart; 0-1.

    Raises NotMeasurable for clips of a second or less.
    """
    return long_consistency(measured["dino_b16_frames"]["features_TD"], measured["frame_changes"]["times_T"])


@long_horizon(
    name="long_background_consistency",
    needs=("clip_b32_frames", "frame_changes"),
    summary="how like frames 1, 2, 4, … s apart are to CLIP, on average; 1 is no drift",
)
def long_background_consistency(measured: Measured) -> float:
    """Mean over distances of 1, 2, 4, … s of the mean max(0, cos) of frames so far apart; 0-1.

    Raises NotMeasurable for clips of a second or less.
    """
    return long_consistency(measured["clip_b32_frames"]["features_TD"], measured["frame_changes"]["times_T"])
