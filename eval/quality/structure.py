"""structure: whether there is anything in the picture, or only noise, blobs or a flat colour."""

from __future__ import annotations

import math

import numpy as np

from eval.features.edges import TOP
from eval.metric import Measured, metric

NOISE_SHARE = TOP * (1 - math.log(TOP))
"""0.330. For Gaussian noise of any spectrum the two gradient components are independent and normal, so gradient
energy is exponential, and the strongest tenth of the pixels hold 0.1 (1 + ln 10) of it."""


@metric(
    name="structure",
    version=1,
    family="picture",
    unit="1",
    low=0.0,
    high=1.0,
    direction="band",
    needs=("edges",),
    source="ours; natural pictures have sparse gradients (Field 1987; Simoncelli 1997), noise has not",
    summary="how much of the gradients lies in edges rather than spread evenly: 0 noise, blobs or flat, 1 all edges",
    blind_spots="any few sharp lines are structure, whether they mean something or not; rain, foliage or confetti that "
    "fill the frame look like noise",
    invariant_to=frozenset({"fps"}),
)
def structure(measured: Measured) -> float:
    """Mean over sampled frames of max(0, (s − s₀) / (1 − s₀)); 0-1.

    s is the share of gradient energy in the strongest tenth of the pixels, s₀ = 0.330 that of Gaussian noise.
    """
    share_T = measured["edges"]["top_share_T"]
    return float(np.clip((share_T - NOISE_SHARE) / (1 - NOISE_SHARE), 0, 1).mean())
