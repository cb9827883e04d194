"""Two attributes at once: is a combination shown more or less often than its parts would have it?

deviation = share of the cell - product of the two groups' shares; 0 where the attributes are independent. With many
small cells the largest deviation is mostly noise, so deviations are also shrunk towards 0 by how much they vary in
truth (empirical Bayes, normal: τ² by moments). Cells too small to speak of are suppressed, and that is on record.

Shapes: N clips, G clusters, X, Z what is said of either axis, A, B groups of either axis, C = A B cells.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import numpy.typing as npt

from eval.feature import NotMeasurable
from safety.bias.axes import Axis
from safety.bias.clips import Clips, said, sums
from safety.bias.clustered import Quantities, t_quantile, two_sided_p
from safety.bias.correction import Correction, as_read
from safety.bias.estimate import Estimate

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination. clips: how many clips show it as read. expected: clips, were the attributes independent.

    share, deviation, shrunk: with intervals; a suppressed cell has none, and suppressed says why.
    """

    groups: tuple[str, str]
    clips: float
    expected: float
    share: Estimate
    deviation: Estimate
    shrunk: Estimate
    suppressed: str = ""


@dataclass(frozen=True, slots=True)
class Intersections:
    """All cells of two axes. spread: τ, standard deviation of true deviations. suppressed: how many cells."""

    axes: tuple[str, str]
    cells: tuple[Cell, ...]
    spread: float
    suppressed: int


def intersections(
    clips: Clips,
    axes: tuple[Axis, Axis],
    keep_N: Flags,
    confidence: float,
    minimum_cell: int,
    corrections: tuple[Correction, Correction] | None = None,
) -> Intersections:
    """Cells over the kept clips. minimum_cell: clips that independence would give a cell, below which it is suppressed:
    by what is expected, not by what is seen, for a combination that is never shown is a finding.

    Raises NotMeasurable where nobody can be told on both axes.
    """
    first, second = axes
    used = corrections or tuple(as_read(axis, len(clips.clusters), len(clips.strata)) for axis in axes)
    seen_GSXZ = _joint_sums(clips, first, second, keep_N)
    clusters = int((seen_GSXZ.sum(axis=(1, 2, 3)) > 0).sum())
    columns = used[0].joint_totals(used[1], seen_GSXZ, clusters)
    a, b = len(first.groups), len(second.groups)
    cells = _stacked([column.linear(np.eye(len(column.value_K))[:, :a]) for column in columns[:b]], clusters)
    if cells.value_K.sum() <= 0:
        raise NotMeasurable(f"no clip shows a person whose {first.name} and {second.name} can both be told")
    shares = cells.over(cells.linear(np.ones((a * b, 1))))
    deviations = _deviations(shares, a, b)
    said_AB = seen_GSXZ.sum(axis=(0, 1))[:a, :b]
    said_C, expected_C = said_AB.T.ravel(), np.outer(said_AB.sum(axis=0), said_AB.sum(axis=1)).ravel() / said_AB.sum()
    shown_C = expected_C >= minimum_cell
    shrunk, spread = _shrunk(deviations, shown_C, confidence)
    caveat = " ".join(dict.fromkeys(part.note for part in used if part.note))
    prompts = int((seen_GSXZ.sum(axis=1)[:, :a, :b].sum(axis=(1, 2)) > 0).sum())
    rows = []
    for c, (group_b, group_a) in enumerate(product(second.groups, first.groups)):
        if not shown_C[c]:
            why = f"{expected_C[c]:.0f} clips would be expected; {minimum_cell} are needed"
            hidden = Estimate(None, None, None, status="too few", reason=why)
            rows.append(Cell((group_a, group_b), float(said_C[c]), float(expected_C[c]), hidden, hidden, hidden, why))
            continue
        share, deviation, calmer = (
            replace(part, clips=round(float(said_C[c])), prompts=prompts, caveat=caveat)
            for part in (
                _estimate(shares, c, confidence, (0.0, 1.0)),
                _estimate(deviations, c, confidence, (-1.0, 1.0)),
                Estimate(*shrunk[c]),
            )
        )
        rows.append(Cell((group_a, group_b), float(said_C[c]), float(expected_C[c]), share, deviation, calmer))
    return Intersections((first.name, second.name), tuple(rows), spread, int((~shown_C).sum()))


def _joint_sums(clips: Clips, first: Axis, second: Axis, keep_N: Flags) -> Floats:
    """What is said of both axes at once, by cluster and stratum, sums_GSXZ."""
    x, z = len(first.groups) + 1, len(second.groups) + 1
    place_R = (clips.clip_R * x + said(clips, first)) * z + said(clips, second)
    flat = np.bincount(place_R, weights=clips.share_R, minlength=len(clips) * x * z).astype(np.float64)
    joint = sums(clips, flat.reshape(len(clips), x * z), keep_N & clips.made)
    return joint.reshape(*joint.shape[:2], x, z)


def _stacked(columns: list[Quantities], clusters: int) -> Quantities:
    return Quantities(
        np.concatenate([q.value_K for q in columns]),
        np.concatenate([q.influence_GK for q in columns], axis=1),
        np.concatenate([q.outside_EK for q in columns], axis=1),
        clusters,
    )


def _deviations(shares: Quantities, a: int, b: int) -> Quantities:
    """Cell shares less the product of their margins, cells ordered by B, then A; delta method."""
    of_a, of_b = np.tile(np.eye(a), (b, 1)), np.repeat(np.eye(b), a, axis=0)
    margin_A, margin_B = shares.value_K @ of_a, shares.value_K @ of_b
    slope_CC = (
        np.eye(a * b) - of_a @ (of_a * (of_b @ margin_B)[:, None]).T - of_b @ (of_b * (of_a @ margin_A)[:, None]).T
    )
    moved = shares.linear(slope_CC)
    value_C = shares.value_K - (of_a @ margin_A) * (of_b @ margin_B)
    return Quantities(value_C, moved.influence_GK, moved.outside_EK, shares.clusters)


def _shrunk(
    deviations: Quantities, shown_C: Flags, confidence: float
) -> tuple[list[tuple[float, float, float]], float]:
    """Posterior mean and interval of each deviation under N(0, τ²), τ² = max(0, mean of square - mean of variance)."""
    error_C, value_C = deviations.error, deviations.value_K
    if not shown_C.any():
        return [(0.0, 0.0, 0.0)] * len(value_C), 0.0
    tau2 = max(0.0, float((value_C[shown_C] ** 2 - error_C[shown_C] ** 2).mean()))
    # The uncertainty of τ² itself: without it intervals collapse to 0 wherever τ² is estimated as 0.
    spread2 = tau2 + float(np.sqrt(2 * (error_C[shown_C] ** 4).sum())) / int(shown_C.sum())
    keep_C = np.where(error_C > 0, spread2 / (spread2 + error_C**2), 1.0)
    t = t_quantile(confidence, deviations.df)
    # Shrinking is right on average, not for the one cell that stands out: the interval also reaches back by as much.
    reach_C = t * np.sqrt(keep_C) * error_C + (1 - keep_C) * np.abs(value_C)
    middle_C = keep_C * value_C
    return [(float(m), float(m - r), float(m + r)) for m, r in zip(middle_C, reach_C, strict=True)], float(
        np.sqrt(tau2)
    )


def _estimate(quantities: Quantities, c: int, confidence: float, possible: tuple[float, float]) -> Estimate:
    value, error = float(quantities.value_K[c]), float(quantities.error[c])
    reach = t_quantile(confidence, quantities.df) * error
    tested = possible[0] < 0 and error > 0
    p = float(two_sided_p(np.array([value / error]), quantities.df)[0]) if tested else None
    value, low, high = (float(np.clip(end, *possible)) for end in (value, value - reach, value + reach))
    return Estimate(value, low, high, p=p)
