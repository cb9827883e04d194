"""motion_magnitude and dynamic_degree: how much moves, by DIS flow at eight frames a second.

Shape legend: P pairs of sampled frames.
"""

from __future__ import annotations

import numpy as np

from eval.metric import Measured, metric
from eval.quality.timing import steps_s

DYNAMIC = 6 / 256 * 8
"""Short sides per second. VBench calls a pair dynamic when its fastest twentieth moves by more than 6·min(H,W)/256
pixels between frames an eighth of a second apart."""


@metric(
    name="motion_magnitude",
    version=1,
    family="motion",
    unit="short sides/s",
    low=0.0,
    high=float("inf"),
    direction="band",
    needs=("flow",),
    source="ours, on DIS flow (Kroeger et al. 2016)",
    summary="mean speed of the picture's pixels, in short sides of the picture per second",
    blind_spots="camera and object motion count alike; noise and cuts give flow too; motion too fast for eight "
    "frames a second and flat areas are underestimated",
    invariant_to=frozenset({"fps", "size"}),
)
def motion_magnitude(measured: Measured) -> float:
    """Σ_pairs mean |w| / Σ_pairs Δt, with |w| in short sides: the mean over time of the mean speed."""
    flow = measured["flow"]
    return float(flow["mean_P"].sum() / steps_s(flow["times_T"]).sum())


@metric(
    name="dynamic_degree",
    version=1,
    family="motion",
    unit="1",
    low=0.0,
    high=1.0,
    direction="band",
    needs=("flow",),
    source="after VBench (Huang et al. 2024), dimension dynamic_degree, a share, and DIS for RAFT",
    summary="share of the time in which the fastest twentieth of the picture moves faster than 0.1875 short sides/s",
    blind_spots="says nothing of what moves or whether it should; noise is dynamic",
    invariant_to=frozenset({"fps", "size"}),
)
def dynamic_degree(measured: Measured) -> float:
    """Share of time in pairs whose fastest twentieth exceeds 6/256 short sides per eighth of a second; 0-1."""
    flow = measured["flow"]
    steps_P = steps_s(flow["times_T"])
    dynamic_P = flow["top_P"] / steps_P > DYNAMIC
    return float(np.sum(steps_P, where=dynamic_P) / steps_P.sum())
