"""backlot_consistency, backlot_consistency_horizon, backlot_moving_consistency: whether a Backlot clip stays itself.

Each frame is a point of the Backlot encoder's, placed by what its caption would say: who is there, in which colour and
place and light. What moves without changing moves it little.
"""

from __future__ import annotations

from functools import partial

from eval.formulas import frame_consistency, long_consistency, share_moving
from eval.metric import Measured, metric
from eval.quality.coherence import LEAST_TRAVEL, motion_coherence
from eval.quality.timing import steps_s

consistency = partial(
    metric,
    version=1,
    family="consistency",
    unit="1",
    low=0.0,
    high=1.0,
    direction="higher",
    invariant_to=frozenset({"fps", "size"}),
)

BLIND = "knows drawn scenes of the Backlot only, at 64 pixels; what no caption would tell (eyes, texture) may change"


@consistency(
    name="backlot_consistency",
    needs=("backlot_encoding",),
    source="VBench's formula of subject and background consistency (Huang et al. 2024) on the Backlot encoder's frames",
    summary="how like each frame is to the frame before and to the first, 8 frames a second; 1 is no change",
    blind_spots=f"a frozen clip scores 1: see backlot_moving_consistency; {BLIND}",
)
def backlot_consistency(measured: Measured) -> float:
    """Mean over frames t > 0 of ½[max(0, cos(f_t, f_t-1)) + max(0, cos(f_t, f_0))]; 0-1.

    Raises NotMeasurable for one frame.
    """
    return frame_consistency(measured["backlot_encoding"]["frames_TD"])


@consistency(
    name="backlot_consistency_horizon",
    needs=("backlot_encoding",),
    source="ours, after Vchitect/VBench issue 206: similarity against distance in time, by the Backlot encoder",
    summary="how like frames 1, 2, 4, … s apart are, on average; 1 is no drift",
    blind_spots="a frozen clip scores 1; a longer clip has longer distances to hold out over, so compare clips of one "
    f"length; {BLIND}",
)
def backlot_consistency_horizon(measured: Measured) -> float:
    """Mean over distances of 1, 2, 4, … s of the mean max(0, cos) of frames so far apart; 0-1.

    Raises NotMeasurable for clips of a second or less.
    """
    encoding = measured["backlot_encoding"]
    return long_consistency(encoding["frames_TD"], encoding["times_T"])


@consistency(
    name="backlot_moving_consistency",
    needs=("backlot_encoding", "flow"),
    source="ours: backlot_consistency · share of time in which something moves · motion_coherence, by DIS flow",
    summary="consistency, counted only for as much of the clip as moves, and moves on; a frozen clip scores 0",
    blind_spots="what is still on purpose scores low, and so do quick reversals; a moving camera is motion; beyond "
    f"0.1875 short sides/s more motion earns nothing; {BLIND}",
)
def backlot_moving_consistency(measured: Measured) -> float:
    """Consistency · mean over time of min(1, speed of the fastest twentieth / 0.1875 short sides/s) · coherence; 0-1.

    The last is motion_coherence: what changes without moving on, as noise or shuffled frames, has flow but no motion.
    Raises NotMeasurable for fewer than three frames.
    """
    flow = measured["flow"]
    if flow["travel_R"].size and flow["travel_R"].mean() < LEAST_TRAVEL:
        return 0.0
    moving = share_moving(flow["top_P"], steps_s(flow["times_T"])) * motion_coherence(measured)
    return moving * frame_consistency(measured["backlot_encoding"]["frames_TD"])
