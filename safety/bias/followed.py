"""The third target: what the prompt stated. How often somebody is shown as asked, by group, and for whom less often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from eval.feature import NotMeasurable
from safety.bias.axes import Axis
from safety.bias.clips import Clips
from safety.bias.clustered import Quantities, t_quantile, two_sided_p
from safety.bias.correction import Correction
from safety.bias.estimate import Estimate, Gap
from safety.bias.shares import Shares, read_shares


@dataclass(frozen=True, slots=True)
class Followed:
    """shown: per stated group, the share of people shown as stated. gaps: all pairs; their intervals hold together.

    Groups that no prompt states have no entry.
    """

    axis: str
    shown: Mapping[str, Estimate]
    gaps: tuple[Gap, ...]


def followed(clips: Clips, axis: Axis, confidence: float, correction: Correction | None = None) -> Followed:
    """Among visible people whose group can be told. Raises NotMeasurable where no prompt states this axis."""
    if axis.name not in clips.stated_N:
        raise NotMeasurable(f"prompts do not state {axis.name}")
    stated_N = clips.stated_N[axis.name]
    shares = {
        k: read_shares(clips, axis, stated_N == k, correction)
        for k in range(len(axis.groups))
        if ((stated_N == k) & clips.made).any()
    }
    if not shares:
        raise NotMeasurable(f"no prompt states {axis.name}")
    shown = {axis.groups[k]: part.estimates(confidence)[axis.groups[k]] for k, part in shares.items()}
    pairs = list(combinations(shares, 2))
    gaps = tuple(Gap(axis.groups[a], axis.groups[b], _gap(shares, a, b, confidence, len(pairs))) for a, b in pairs)
    return Followed(axis.name, shown, gaps)


def _gap(shares: Mapping[int, Shares], a: int, b: int, confidence: float, tests: int) -> Estimate:
    """Sets that state both groups are clusters of both shares: their influences subtract."""
    first, second = (shares[k].quantities for k in (a, b))
    difference = Quantities(
        first.value_K[[a]] - second.value_K[[b]],
        first.influence_GK[:, [a]] - second.influence_GK[:, [b]],
        first.outside_EK[:, [a]] - second.outside_EK[:, [b]],
        min(first.clusters, second.clusters),
    )
    value, error = float(difference.value_K[0]), float(difference.error[0])
    # Where everybody is shown as asked there is no spread to see: no less than one clip's worth of error.
    error = max(error, 1 / min(shares[a].clips, shares[b].clips))
    reach = t_quantile(confidence, difference.df, tests) * error
    return Estimate(
        value=value,
        low=value - reach,
        high=value + reach,
        p=min(1.0, tests * float(two_sided_p(np.array([value / error]), difference.df)[0])),
        clips=round(shares[a].clips + shares[b].clips),
        prompts=difference.clusters,
        caveat=shares[a].caveat,
    )
