"""looping: whether the clip repeats itself.

Shape legend: T sampled frames, L lags in frames, N values of a frame's signature.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from eval.metric import Measured, NotMeasurable, metric
from eval.quality.timing import steps_s

SHORTEST_S = 0.5
LEAST_CHANGE = 0.25
"""Grey levels² of mean squared difference between frames of a signature; below it nothing moves that could repeat."""


@metric(
    name="looping",
    version=1,
    family="temporal",
    unit="1",
    low=0.0,
    high=1.0,
    direction="band",
    needs=("signatures",),
    source="ours",
    summary="how far the clip returns to itself at some fixed lag: 0 never, 1 an exact loop",
    blind_spots="a spinning wheel or a pendulum returns too; fewer than two full rounds are not seen; a loop with "
    "changing noise or drift scores lower",
    invariant_to=frozenset({"fps", "size"}),
)
def looping(measured: Measured) -> float:
    """Maximum over lags L of 1 − D(L) / max_{l<L} D(l), at least 0; 0-1.

    D(L) is the mean squared difference between 16×16 grey signatures L apart, at eight frames a second; lags run
    from 0.5 s to half the clip, so that at least two rounds were seen. Raises NotMeasurable for clips under a
    second and clips in which nothing moves.
    """
    signatures = measured["signatures"]
    steps_P = steps_s(signatures["times_T"])
    shortest = max(2, int(np.ceil(SHORTEST_S / float(np.median(steps_P)) - 1e-6)))
    frames = signatures["grey_THW"]
    if len(frames) < 2 * shortest:
        raise NotMeasurable("too short to show two rounds of a loop")
    differences_L = lag_differences(frames.reshape(len(frames), -1))
    if differences_L.max() < LEAST_CHANGE:
        raise NotMeasurable("nothing moves that could repeat")
    highest_L = np.maximum.accumulate(differences_L)
    returns_L = 1 - differences_L[shortest:] / np.maximum(highest_L[shortest - 1 : -1], LEAST_CHANGE)
    return float(np.clip(returns_L.max(), 0, 1))


def lag_differences(values_TN: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """D(L) for L = 0 … T//2: mean over t and N of (x_t − x_t+L)².

    By Fourier transform (Σ x_t·x_t+L is an autocorrelation), one value of the signature at a time, so that memory
    stays in proportion to T.
    """
    length = len(values_TN)
    centred_TN = values_TN.astype(np.float64) - values_TN.mean(axis=0, dtype=np.float64)
    products_L = np.zeros(length)
    for value_T in centred_TN.T:
        spectrum = np.fft.rfft(value_T, 2 * length)
        products_L += np.fft.irfft(spectrum.real**2 + spectrum.imag**2, 2 * length)[:length]
    squares_T = np.square(centred_TN).sum(axis=1)
    heads = np.cumsum(squares_T)[::-1]  # Σ over t < T−L
    tails = np.cumsum(squares_T[::-1])[::-1]  # Σ over t ≥ L
    counts_L = np.arange(length, 0, -1)
    differences_L = (heads + tails - 2 * products_L) / (counts_L * values_TN.shape[1])
    return np.asarray(np.maximum(differences_L, 0)[: length // 2 + 1])
