"""Votes on the bits of a message, and what they amount to where there is no mark.

Noise read back, times the keystream's sign at that place, is a vote on one bit. Under the null hypothesis the
keystream has nothing to do with the clip: given the clip, a bit's sum of votes is one of fair signs times known
magnitudes, of mean 0 and variance the sum of their squares, independent of the other bits'. So the sum over the K bits
of (sum of votes)^2 / variance is chi-squared with K degrees of freedom, whatever the clip is and however its votes are
weighted by what is seen in the clip alone. (Sums of 64 and more signs are normal to within what matters here, and lie
on the safe side: their tails are the lighter ones.)

Shape legend: K bits, R places of a bit in a latent frame, T latent frames as made, J as received, N nonces,
C channels, H W latents in height and width.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import lgamma, log

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from moviegen.latent_mark.shading import Signs, places

Floats = npt.NDArray[np.float64]

LIMIT = 2.0
"""Votes are cut off at so many deviations: what lies beyond is a codec's doing more often than the noise's."""


@dataclass(frozen=True, slots=True, eq=False)
class Votes:
    """Sums of votes of every received latent frame j, were it frame t of the clip as made.

    sums_NJTK: signed, positive for 1. squares_JTK: their variances under the null hypothesis, the same for all nonces.
    """

    sums_NJTK: Floats
    squares_JTK: Floats


def weighted(noise_CJHW: Floats, weight_C: Floats) -> Floats:
    """Noise read back as votes: each channel at unit variance over the clip, cut off at LIMIT, times its weight."""
    spread_C111 = np.sqrt(np.square(noise_CJHW).mean(axis=(1, 2, 3), keepdims=True))
    unit_CJHW = np.clip(noise_CJHW / np.maximum(spread_C111, 1e-12), -LIMIT, LIMIT)
    voted: Floats = unit_CJHW * weight_C[:, None, None, None]
    return voted


def count_votes(votes_CJHW: Floats, signs_NTKR: Signs) -> Votes:
    """Each received frame against each frame as made. signs_NTKR: shading.placed_signs of the nonces tried."""
    nonces, frames, bits, _ = signs_NTKR.shape
    votes_JP = votes_CJHW.transpose(1, 0, 2, 3).reshape(votes_CJHW.shape[1], -1)
    places_TKR = places(frames, votes_JP.shape[1], bits)
    sums_NJTK = np.empty((nonces, len(votes_JP), frames, bits))
    squares_JTK = np.empty((len(votes_JP), frames, bits))
    for t in range(frames):
        placed_JKR = votes_JP[:, places_TKR[t]]
        squares_JTK[:, t] = np.square(placed_JKR).sum(axis=2)
        sums_NJTK[:, :, t] = np.einsum("jkr,nkr->njk", placed_JKR, signs_NTKR[:, t], optimize=True)
    return Votes(sums_NJTK, squares_JTK)


def log_p(sums_XK: Floats, squares_XK: Floats) -> Floats:
    """Natural logarithm of the probability of such sums, or stronger ones, without a mark; X: any leading axes.

    An odd K counts as one more, which errs towards there being no mark. No votes at all are p = 1.
    """
    standard_XK = np.divide(np.square(sums_XK), squares_XK, out=np.zeros_like(sums_XK), where=squares_XK > 0)
    return _log_chi_squared_tail(standard_XK.sum(axis=-1), sums_XK.shape[-1])


def _log_chi_squared_tail(value_X: Floats, freedom: int) -> Floats:
    """The logarithm of P(chi-squared > v), for even degrees of freedom the finite sum e^-y sum_i y^i / i!, y = v / 2.

    In logarithms, since marked clips lie far beyond what a float can hold.
    """
    half_X = np.maximum(value_X, 1e-300) / 2
    terms = [i * np.log(half_X) - lgamma(i + 1) for i in range((freedom + 1) // 2)]
    tail: Floats = np.minimum(logsumexp(terms, axis=0) - half_X, 0.0)
    return tail


def corrected(log_p: float, tries: float, share: float) -> float:
    """Bonferroni: log p after `tries` tries that were allotted `share` of the error; at most 0."""
    return min(0.0, log_p + log(tries) - log(share))
