"""A number about a set, with its interval, and whether it may be ranked.

Shape legend: G groups of samples.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]

FEWEST_GROUPS = 5
"""Below, a jackknife's standard error is itself off by a third or more, and t has a quantile of 3.2 and upwards."""


@dataclass(frozen=True, slots=True)
class SetEstimate:
    """A measured set. str() is the line to show.

    value: NaN where there is only the caveat. low, high: 95 % interval; None where there is none.
    samples: what the number rests on: clips of the smaller set, or cases.
    caveat: why it must not be ranked, in words; empty: it may.
    """

    value: float
    low: float | None
    high: float | None
    samples: int
    caveat: str = ""

    @property
    def ranks(self) -> bool:
        """Whether the interval means what it says, so that the number may be compared."""
        return not self.caveat

    def __str__(self) -> str:
        interval = "" if self.low is None or self.high is None else f" [{self.low:.5g}, {self.high:.5g}]"
        if not self.caveat:
            return f"{self.value:.5g}{interval}"
        return f"not ranked: {self.caveat}" + ("" if math.isnan(self.value) else f" (value {self.value:.5g})")


@dataclass(frozen=True, slots=True)
class Jackknife:
    """corrected: the value extrapolated to infinitely many samples, linearly in 1/N. error: the value's standard error.

    groups: how many it rests on.
    """

    corrected: float
    error: float
    groups: int

    def interval(self, centre: float, confidence: float = 0.95) -> tuple[float, float]:
        """Interval about `centre` by Student's t, with one degree of freedom less than groups."""
        reach = float(stats.t.ppf((1 + confidence) / 2, self.groups - 1)) * self.error
        return centre - reach, centre + reach


def jackknife(value: float, without_G: Floats, share_G: Floats) -> Jackknife:
    """Delete-a-group jackknife with groups of unequal size: Busing, Meijer and van der Leeden (1999).

    value: of all samples; without_G: the same with one group left out; share_G: each group's share of the samples.
    With equal groups `corrected` is where the line through the values at N and N (1 - 1/G) meets 1/N = 0.
    """
    ratio_G = 1 / share_G
    corrected = len(share_G) * value - float(((1 - share_G) * without_G).sum())
    pseudo_G = ratio_G * value - (ratio_G - 1) * without_G
    variance = float(((pseudo_G - corrected) ** 2 / (ratio_G - 1)).mean())
    return Jackknife(corrected, math.sqrt(variance), len(share_G))


def wilson_interval(share: float, samples: float, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a proportion: never of no width, not even at 0 and 1."""
    z = float(stats.norm.ppf((1 + confidence) / 2))
    centre = (share + z * z / (2 * samples)) / (1 + z * z / samples)
    reach = z * math.sqrt(share * (1 - share) / samples + (z / (2 * samples)) ** 2) / (1 + z * z / samples)
    return 0.0 if share <= 0 else max(0.0, centre - reach), 1.0 if share >= 1 else min(1.0, centre + reach)
