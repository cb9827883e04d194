"""How far a decoder under one fixed key is from fair coins: what a fixed message would really cost in false alarms.

With a message drawn at random for every trial, the binomial is exact whatever the decoder does. An owner who writes one
message into every clip has no such luck: a decoder whose bits lean, or go together, agrees with some messages far too
often. Both can be measured on unmarked clips.

Shapes: N unmarked clips, K bits, M messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from eval.marks.mark import Bits
from safety.watermark.statistics import minimal_matches

Floats = npt.NDArray[np.float64]

MESSAGES = 2_000
WORLDS = 400


@dataclass(frozen=True, slots=True)
class Dispersion:
    """Unmarked clips read under one key, against fair and independent bits.

    clips: one of each file, so that they are independent. bias: mean distance of a bit's mean from one half;
    correlation: mean size of the correlation between two bits, over those that vary. *_fair: the same for fair coins
    and so many clips. inflation: 95th percentile over messages of the second moment of (matches - K/2), over K/4: 1 for
    very many fair clips; inflation_fair: for this many. p: how often fair coins are as uneven. worst_alarms: share of
    the clips on which the unluckiest 1 % of messages is found at `rate`; rate: None: no message could ever be.
    """

    clips: int
    bits: int
    bias: float
    bias_fair: float
    correlation: float | None
    correlation_fair: float
    inflation: float
    inflation_fair: float
    p: float
    rate: float
    worst_alarms: float | None


def one_of_each(bits_NK: Bits, clusters: Sequence[str]) -> Bits:
    """The first reading of every file."""
    first: dict[str, int] = {}
    for place, name in enumerate(clusters):
        first.setdefault(name, place)
    return bits_NK[sorted(first.values())]


def dispersion(bits_NK: Bits, rate: float, seed: int) -> Dispersion | None:
    """Measure the readings; None for fewer than five clips, which tell nothing."""
    clips, bits = bits_NK.shape
    if clips < 5:
        return None
    generator = np.random.default_rng(seed)
    signs_NK = _signs(bits_NK)
    messages_MK = _signs(generator.integers(0, 2, (MESSAGES, bits)))
    uneven = _unevenness(signs_NK)
    fair_W, fair_inflation_W, fair_bias_W, fair_correlation_W = [], [], [], []
    for _ in range(WORLDS):
        coins_NK = _signs(generator.integers(0, 2, (clips, bits)))
        fair_W.append(_unevenness(coins_NK))
        fair_bias_W.append(_bias(coins_NK))
        fair_correlation_W.append(_correlation(coins_NK) or 0.0)
        fair_inflation_W.append(_inflation(coins_NK, messages_MK[:200]))
    needed = minimal_matches(bits, rate)
    worst = None
    if needed is not None:
        matches_MN = (messages_MK @ signs_NK.T + bits) / 2
        worst = float(np.quantile((matches_MN >= needed).mean(axis=1), 0.99))
    return Dispersion(
        clips,
        bits,
        _bias(signs_NK),
        float(np.mean(fair_bias_W)),
        _correlation(signs_NK),
        float(np.mean(fair_correlation_W)),
        _inflation(signs_NK, messages_MK),
        float(np.mean(fair_inflation_W)),
        float((1 + np.sum(np.array(fair_W) >= uneven)) / (1 + WORLDS)),
        rate,
        worst,
    )


def _signs(bits: npt.NDArray[np.integer[Any]]) -> Floats:
    """-1 and 1."""
    return np.asarray(2.0 * bits - 1, np.float64)


def _bias(signs_NK: Floats) -> float:
    return float(np.abs(signs_NK.mean(axis=0)).mean() / 2)


def _correlation(signs_NK: Floats) -> float | None:
    moving = signs_NK[:, signs_NK.std(axis=0) > 0]
    if moving.shape[1] < 2:
        return None
    together = np.asarray(np.corrcoef(moving, rowvar=False), np.float64)
    return float(np.abs(together[np.triu_indices_from(together, 1)]).mean())


def _inflation(signs_NK: Floats, messages_MK: Floats) -> float:
    # (2 matches - K) is the sum of sign times message; K of them have variance K where they are fair.
    moment_M = ((messages_MK @ signs_NK.T) ** 2).mean(axis=1) / signs_NK.shape[1]
    return float(np.quantile(moment_M, 0.95))


def _unevenness(signs_NK: Floats) -> float:
    """Mean square of the second moments between bits: the variance over messages of their second moment, but for a
    factor. Bits that lean raise it as those do that go together.
    """
    moment_KK = signs_NK.T @ signs_NK / len(signs_NK)
    return float((moment_KK[np.triu_indices_from(moment_KK, 1)] ** 2).mean())
