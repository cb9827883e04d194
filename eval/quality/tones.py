"""exposure, contrast and colourfulness: the picture's light and colour as a whole.

Shape legend: T sampled frames, C = 3 channels, K linear combinations of channels.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from eval.feature import Arrays
from eval.metric import Measured, metric

LUMA = (0.299, 0.587, 0.114)
"""BT.601, on gamma-coded values: what exposure and contrast mean on a screen."""


@metric(
    name="exposure",
    version=1,
    family="picture",
    unit="1",
    low=0.0,
    high=1.0,
    direction="band",
    needs=("tones",),
    source="mean luma (ITU-R BT.601)",
    summary="mean brightness on screen: 0 black, 1 white",
    blind_spots="a night scene is dark on purpose; half black and half white is 0.5",
    invariant_to=frozenset({"fps", "size"}),
)
def exposure(measured: Measured) -> float:
    """Mean over sampled frames and pixels of luma / 255; 0-1."""
    return float((measured["tones"]["mean_TC"] @ np.array(LUMA)).mean()) / 255.0


@metric(
    name="contrast",
    version=1,
    family="picture",
    unit="1",
    low=0.0,
    high=0.5,
    direction="band",
    needs=("tones",),
    source="RMS contrast (Peli 1990)",
    summary="standard deviation of brightness over the picture: 0 flat, 0.5 half black and half white",
    blind_spots="says nothing of where the contrast is; mist is low on purpose, noise is high",
    invariant_to=frozenset({"fps", "size"}),
)
def contrast(measured: Measured) -> float:
    """Mean over sampled frames of the standard deviation of luma / 255; 0-0.5."""
    _, deviation_TK = combined(measured["tones"], [LUMA])
    return float(deviation_TK.mean()) / 255.0


@metric(
    name="colourfulness",
    version=1,
    family="picture",
    unit="1",
    low=0.0,
    high=float("inf"),
    direction="band",
    needs=("tones",),
    source="Hasler & Süsstrunk 2003, M̂⁽³⁾",
    summary="how colourful the picture looks: 0 grey, 33 moderately, 82 highly, 109 extremely",
    blind_spots="colour noise and wrong colours are colourful; black-and-white footage is 0 on purpose",
    invariant_to=frozenset({"fps", "size"}),
)
def colourfulness(measured: Measured) -> float:
    """Mean over sampled frames of √(σ²_rg + σ²_yb) + 0.3 √(μ²_rg + μ²_yb), rg = R − G, yb = (R + G)/2 − B."""
    mean_TK, deviation_TK = combined(measured["tones"], [(1.0, -1.0, 0.0), (0.5, 0.5, -1.0)])
    spread_T = np.sqrt(np.square(deviation_TK).sum(axis=1))
    offset_T = np.sqrt(np.square(mean_TK).sum(axis=1))
    return float((spread_T + 0.3 * offset_T).mean())


def combined(
    tones: Arrays, weights: list[tuple[float, float, float]]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean and standard deviation over pixels, T,K each, of K linear combinations of red, green and blue."""
    weights_KC = np.array(weights)
    variance_TK = np.einsum("kc,tcd,kd->tk", weights_KC, tones["covariance_TCC"], weights_KC)
    return tones["mean_TC"] @ weights_KC.T, np.sqrt(np.maximum(variance_TK, 0))
