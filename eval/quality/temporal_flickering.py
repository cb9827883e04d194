"""temporal_flickering: how little consecutive frames differ."""

from __future__ import annotations

from eval.metric import Measured, NotMeasurable, metric


@metric(
    name="temporal_flickering",
    version=1,
    family="temporal",
    unit="1",
    low=0.0,
    high=1.0,
    direction="band",
    needs=("frame_changes",),
    source="VBench (Huang et al. 2024), dimension temporal_flickering",
    summary="1 minus the mean absolute difference of consecutive frames; 1 is a frozen picture",
    blind_spots="motion counts as flicker; a frozen clip scores 1; repeating frames raises it",
)
def temporal_flickering(measured: Measured) -> float:
    """1 − mean over pairs of mean |f_t+1 − f_t| / 255, RGB, native size and rate; 0-1."""
    mean_abs_P = measured["frame_changes"]["mean_abs_P"]
    if not mean_abs_P.size:
        raise NotMeasurable("needs at least two frames")
    return 1.0 - float(mean_abs_P.mean()) / 255.0
