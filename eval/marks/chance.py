"""What chance amounts to where the key is random: one bound that holds for every clip and every filter before it.

A carrier's phase (or sign, or dither) is the key's secret, evenly spread and independent of the clip. So, without the
mark, the evidence of a bit is a sum of cosines of independent, evenly spread angles (or of random signs), with weights
that the clip may choose as it likes. Scaled to variance 1 such a sum is strictly sub-Gaussian
(E exp(s u cos a) = I0(s u) <= exp(s^2 u^2 / 4); E exp(s u x) = cosh(s u) <= exp(s^2 u^2 / 2)), so the sum of squares
over the bits goes beyond a value no more often than chi-squared's Chernoff bound says.

Each bit's sign is an even coin flip besides, also where an alignment was chosen by the largest sum of squares: turning
a bit's carriers by 180 degrees changes no square. So a message's agreement needs no correction for such a search.

Shape legend: K bits, N carriers.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]


def sign_evidence(turned_N: npt.NDArray[np.floating], owner_N: Integers, bits: int) -> npt.NDArray[np.float64]:
    """Evidence for 1 of each bit, K, in standard deviations of what no mark gives: what was found in each carrier times
    the key's sign there, summed over the bit's carriers. A bit whose carriers hold nothing has evidence 0.
    """
    agree_K = np.bincount(owner_N, turned_N, bits)
    spread_K = np.sqrt(np.bincount(owner_N, np.square(turned_N, dtype=np.float64), bits))
    return np.divide(agree_K, spread_K, out=np.zeros(bits), where=spread_K > 0)


def phase_evidence(turned_N: npt.NDArray[np.complexfloating], owner_N: Integers, bits: int) -> npt.NDArray[np.float64]:
    """The same for complex carriers that the key turns by an angle: what was found, turned back; 1 turns by half."""
    agree_K = -np.bincount(owner_N, np.real(turned_N), bits)
    spread_K = np.sqrt(np.bincount(owner_N, np.square(np.abs(turned_N), dtype=np.float64) / 2, bits))
    return np.divide(agree_K, spread_K, out=np.zeros(bits), where=spread_K > 0)


def surprise(squares: float, bits: int, tries: float = 1.0) -> float:
    """-log10 of the bound on the chance that one of `tries` alignments has this sum of squared evidence, or more.

    Below zero where the bound says nothing (it exceeds 1); rises with `squares` throughout.
    """
    ratio = squares / bits
    bound = -0.5 * bits * (ratio - 1.0 - math.log(ratio)) if ratio > 1.0 else 0.5 * bits * (1.0 - ratio)
    return -(bound + math.log(tries)) / math.log(10.0)


def p_of(surprise: float) -> float:
    """The bound itself, at most 1."""
    return float(min(1.0, 10.0**-surprise))
