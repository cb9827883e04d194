"""motion_smoothness and warp_error: how well flow explains a frame from its neighbours.

Shape legend: P pairs and R triples of sampled frames.
"""

from __future__ import annotations

import numpy as np

from eval.metric import Measured, NotMeasurable, metric
from eval.quality.timing import steps_s

LEAST_VISIBLE = 0.05
"""A pair in which less of the picture is found again says nothing about how it was warped."""


@metric(
    name="motion_smoothness",
    version=1,
    family="motion",
    unit="1",
    low=0.0,
    high=1.0,
    direction="band",
    needs=("flow",),
    source="after VBench (Huang et al. 2024), dimension motion_smoothness, with DIS flow for AMT",
    summary="how well each frame is guessed half-way between its neighbours; 1 is perfect, or frozen",
    blind_spots="a frozen clip scores 1; jitter faster than eight frames a second falls between the samples; newly "
    "uncovered background counts against it",
    invariant_to=frozenset({"fps", "size"}),
)
def motion_smoothness(measured: Measured) -> float:
    """1 − mean over triples of mean |½(I_t−1(x − w/2) + I_t+1(x + w/2)) − I_t(x)| / 255, w the flow t−1 → t+1; 0-1."""
    errors_R = measured["flow"]["interpolation_error_R"]
    if not errors_R.size:
        raise NotMeasurable("needs at least three frames")
    return 1.0 - float(errors_R.mean()) / 255.0


@metric(
    name="warp_error",
    version=1,
    family="temporal",
    unit="1",
    low=0.0,
    high=1.0,
    direction="band",
    needs=("flow",),
    source="after Lai et al. 2018, eq. 10, absolute instead of squared; occlusion by Sundaram et al. 2010, eq. 5",
    summary="mean difference between a frame and the next one warped back along the flow, where both see the same",
    blind_spots="a frozen clip scores 0; what the flow gets wrong is called occluded and left out; light that "
    "changes counts as error",
    invariant_to=frozenset({"fps", "size"}),
)
def warp_error(measured: Measured) -> float:
    """Mean over pairs and pixels seen in both frames of |I_t(x) − I_t+1(x + w)| / 255, w the flow t → t+1; 0-1."""
    flow = measured["flow"]
    steps_s(flow["times_T"])
    told_P = flow["visible_P"] >= LEAST_VISIBLE
    if not told_P.any():
        raise NotMeasurable("no two frames show the same thing, so nothing can be warped")
    return float(np.average(flow["warp_error_P"][told_P], weights=flow["visible_P"][told_P])) / 255.0
