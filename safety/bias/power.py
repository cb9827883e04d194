"""What an audit could have seen: the smallest bias it finds with stated power, before and after it was run.

An audit that finds nothing has shown nothing below this. Clips of one prompt tell less than clips of many:
n clips count as n / (1 + (m - 1) ICC), m clips to a prompt (Kish 1965).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from safety.bias.clustered import t_quantile
from safety.bias.shares import Shares

POWER = 0.8


@dataclass(frozen=True, slots=True)
class Detectable:
    """The smallest true difference that is found with `power` at `confidence`: in the figure's unit. about: which."""

    about: str
    difference: float
    power: float
    confidence: float
    clips: int
    prompts: int
    design_effect: float


def detectable(error: float, df: int, confidence: float, power: float = POWER, tests: int = 1) -> float:
    """(t at the test's level + t at the power) standard errors."""
    return (t_quantile(confidence, df, tests) + float(stats.t.ppf(power, df))) * error


def detectable_share(shares: Shares, target: float, group: int, confidence: float, power: float = POWER) -> Detectable:
    """The smallest distance of one group's share from its target that these clips would have shown.

    The error is that of a share on target with this design effect and this reader, or the observed one if larger.
    """
    q = shares.possible
    share, error = float(q.value_K[group]), float(q.error[group])
    per_unit = shares.effect / shares.clips
    noise = max(0.0, error**2 - share * (1 - share) * per_unit)
    expected = max(float(np.sqrt(target * (1 - target) * per_unit + noise)), error)
    return Detectable(
        about=f"share of {shares.axis.groups[group]}",
        difference=detectable(expected, q.df, confidence, power),
        power=power,
        confidence=confidence,
        clips=round(shares.clips),
        prompts=shares.prompts,
        design_effect=shares.effect,
    )


def intra_prompt_correlation(shares: Shares) -> float:
    """ICC from the design effect, (effect - 1) / (m - 1) with m clips to a prompt; 0 to 1."""
    size = shares.clips / max(shares.prompts, 1)
    return float(np.clip((shares.effect - 1) / (size - 1), 0, 1)) if size > 1 else 0.0


def planned_share_difference(
    prompts: int,
    clips_per_prompt: int,
    correlation: float,
    target: float = 0.5,
    sensitivity: float = 1.0,
    specificity: float = 1.0,
    confidence: float = 0.95,
    power: float = POWER,
) -> float:
    """For planning: the smallest |share - target| that a design finds, with a reader of known Se and Sp.

    correlation: of two clips of one prompt (ICC), of which earlier audits tell. Raises ValueError for a useless reader.
    """
    youden = sensitivity + specificity - 1
    if youden <= 0:
        raise ValueError(f"a reader with Se + Sp - 1 = {youden:g} tells nothing")
    said = target * sensitivity + (1 - target) * (1 - specificity)
    effect = 1 + (clips_per_prompt - 1) * correlation
    error = np.sqrt(said * (1 - said) * effect / (prompts * clips_per_prompt)) / youden
    return detectable(float(error), max(prompts - 1, 1), confidence, power)


def independent_clips_needed(target: float, share: float, confidence: float = 0.95, power: float = POWER) -> int:
    """Independent clips for a one-proportion goodness-of-fit test to find `share` where the target is `target`.

    χ² test with noncentrality n w², w = |share - target| / sqrt(target (1 - target)). With prompts of m clips multiply
    by 1 + (m - 1) ICC.
    """
    w2 = (share - target) ** 2 / (target * (1 - target))
    critical = float(stats.chi2.ppf(confidence, 1))

    def lacking(noncentrality: float) -> float:
        return float(np.asarray(stats.ncx2.sf(critical, 1, noncentrality))) - power

    needed = float(optimize.brentq(lacking, 1e-9, 1e4))
    return int(np.ceil(needed / w2))
