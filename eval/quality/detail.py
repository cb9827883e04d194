"""sharpness, noise and blockiness: the fine grain of the picture at its native size."""

from __future__ import annotations

import numpy as np

from eval.metric import Measured, NotMeasurable, metric


@metric(
    name="sharpness",
    version=1,
    family="picture",
    unit="1",
    low=0.0,
    high=1.0,
    direction="band",
    needs=("detail",),
    source="1 minus the blur of Crété-Roffet et al. 2007",
    summary="how much a strong blur would take from the picture: 0 already blurred, 1 pixel-sharp",
    blind_spots="noise is sharp; a picture enlarged from a small one is not; out-of-focus backgrounds and motion blur "
    "that belong there count as blur",
    invariant_to=frozenset({"fps"}),
)
def sharpness(measured: Measured) -> float:
    """1 − mean over sampled frames of the blur; 0-1. Raises NotMeasurable when every frame is flat."""
    blur_T = measured["detail"]["blur_T"]
    if np.isnan(blur_T).all():
        raise NotMeasurable("every frame is one flat colour")
    return 1.0 - float(np.nanmean(blur_T))


@metric(
    name="noise",
    version=1,
    family="picture",
    unit="grey levels",
    low=0.0,
    high=float("inf"),
    direction="band",
    needs=("detail",),
    source="Immerkær 1996, Fast noise variance estimation",
    summary="standard deviation of pixel noise, of 255",
    blind_spots="hair, foliage and fabric as fine as a pixel read as noise; noise coarser than that does not",
    invariant_to=frozenset({"fps"}),
)
def noise(measured: Measured) -> float:
    """Mean over sampled frames of Immerkær's σ, grey levels."""
    noise_T = measured["detail"]["noise_T"]
    if np.isnan(noise_T).all():
        raise NotMeasurable("needs a picture of at least 3×3 pixels")
    return float(np.nanmean(noise_T))


@metric(
    name="blockiness",
    version=1,
    family="picture",
    unit="1",
    low=0.0,
    high=1.0,
    direction="lower",
    needs=("detail",),
    source="ours, after Wang, Bovik & Evans 2000: neighbour differences across the 8×8 grid against those inside",
    summary="how visible an 8×8 grid is: 0 not at all, 1 nothing but blocks",
    blind_spots="grids of another size or offset (after scaling or cropping); deblocking filters hide it",
    invariant_to=frozenset({"fps"}),
)
def blockiness(measured: Measured) -> float:
    """Mean over sampled frames of max(0, (on − off) / (on + off)): differences at block borders and inside."""
    return float(measured["detail"]["blockiness_T"].mean())
