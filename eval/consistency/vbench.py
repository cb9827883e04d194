"""VBench's subject and background consistency: how like each frame is to the one before it and to the first."""

from __future__ import annotations

from functools import partial

from eval.formulas import frame_consistency
from eval.metric import Measured, metric

consistency = partial(
    metric,
    version=1,
    family="consistency",
    unit="1",
    low=0.0,
    high=1.0,
    direction="higher",
    blind_spots="a frozen clip scores 1, and little motion raises it: see moving_subject_consistency; intended cuts "
    "and turns count against it; repeating frames raises it",
)


@consistency(
    name="vbench_subject_consistency",
    needs=("dino_b16_frames",),
    source="VBench (Huang et al. 2024), dimension subject_consistency, with DINO ViT-B/16 (Caron et al. 2021)",
    summary="how like each frame's DINO features are to the frame before and to the first; 1 is no change",
)
def vbench_subject_consistency(measured: Measured) -> float:
    """Mean over frames t > 0 of ½[max(0, cos(f_t, f_t−1)) + max(0, cos(f_t, f_0))]; 0-1."""
    return frame_consistency(measured["dino_b16_frames"]["features_TD"])


@consistency(
    name="vbench_background_consistency",
    needs=("clip_b32_frames",),
    source="VBench (Huang et al. 2024), dimension background_consistency, with CLIP ViT-B/32 (Radford et al. 2021)",
    summary="how like each frame's CLIP features are to the frame before and to the first; 1 is no change",
)
def vbench_background_consistency(measured: Measured) -> float:
    """Mean over frames t > 0 of ½[max(0, cos(f_t, f_t−1)) + max(0, cos(f_t, f_0))]; 0-1."""
    return frame_consistency(measured["clip_b32_frames"]["features_TD"])
