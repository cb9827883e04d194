"""VBench's temporal dimensions: temporal_flickering, motion_smoothness and dynamic_degree, with its own networks.

Ours of the same names (temporal_flickering, motion_smoothness, dynamic_degree) need no weights and are bands: more is
not better. Here more is better, as VBench ranks.
"""

from __future__ import annotations

from functools import partial

from eval.formulas import interpolation_smoothness, moves
from eval.metric import Measured, metric
from eval.quality.temporal_flickering import temporal_flickering

dimension = partial(metric, version=1, unit="1", low=0.0, high=1.0, direction="higher")


@dimension(
    name="vbench_temporal_flickering",
    family="temporal",
    needs=("frame_changes",),
    source="VBench (Huang et al. 2024), dimension temporal_flickering",
    summary="1 minus the mean absolute difference of consecutive frames, as VBench ranks it",
    blind_spots="motion counts as flicker; a frozen clip scores 1; repeating frames raises it",
)
def vbench_temporal_flickering(measured: Measured) -> float:
    """1 − mean over pairs of mean |f_t+1 − f_t| / 255, RGB, native size and rate; 0-1."""
    return temporal_flickering(measured)


@dimension(
    name="vbench_motion_smoothness",
    family="motion",
    needs=("amt_interpolation",),
    source="VBench (Huang et al. 2024), dimension motion_smoothness, with AMT-S (Li et al. 2023)",
    summary="how well AMT-S guesses every second frame from its neighbours; 1 is perfect, or frozen",
    blind_spots="a frozen clip scores 1; repeating frames raises it; cuts and newly uncovered background count against "
    "it",
)
def vbench_motion_smoothness(measured: Measured) -> float:
    """1 − mean over odd frames of mean |guess − frame| / 255; 0-1. Raises NotMeasurable for under three frames."""
    return interpolation_smoothness(measured["amt_interpolation"]["difference_P"])


@dimension(
    name="vbench_dynamic_degree",
    family="motion",
    needs=("raft_flow",),
    source="VBench (Huang et al. 2024), dimension dynamic_degree, with RAFT-things (Teed & Deng 2020)",
    summary="1 where a quarter of the sampled pairs move fast, else 0; a generator's mean is its share of moving clips",
    blind_spots="says nothing of what moves or whether it should; noise and cuts move; a yes or no, so few clips tell "
    "little",
)
def vbench_dynamic_degree(measured: Measured) -> float:
    """1 or 0: enough pairs, eight a second, whose fastest twentieth moves by more than 6·min(H,W)/256 pixels.

    Raises NotMeasurable for under three sampled frames.
    """
    return float(moves(measured["raft_flow"]["strongest_P"], min(measured.info.width, measured.info.height)))
