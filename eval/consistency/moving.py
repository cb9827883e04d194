"""moving_subject_consistency: consistency that only what moves can earn."""

from __future__ import annotations

from eval.formulas import frame_consistency, share_moving
from eval.metric import Measured, metric
from eval.quality.timing import steps_s


@metric(
    name="moving_subject_consistency",
    version=1,
    family="consistency",
    unit="1",
    low=0.0,
    high=1.0,
    direction="higher",
    needs=("dino_b16_frames", "flow"),
    source="ours: VBench's subject consistency times the share of time in which something moves, by DIS flow",
    summary="subject consistency, counted only for as much of the clip as moves; a frozen clip scores 0",
    blind_spots="what is still on purpose scores low; a moving camera is motion; beyond 0.1875 short sides/s more "
    "motion earns nothing",
)
def moving_subject_consistency(measured: Measured) -> float:
    """Subject consistency · mean over time of min(1, speed of the fastest twentieth / 0.1875 short sides/s); 0-1."""
    flow = measured["flow"]
    moving = share_moving(flow["top_P"], steps_s(flow["times_T"]))
    return moving * frame_consistency(measured["dino_b16_frames"]["features_TD"])
