"""Attributes over time: do they persist, how long and how large are people seen, by group as shown.

These are descriptions of what is shown together, not of what causes what: dark scenes may be short, and their people
read as darker. Whether a group is *served* worse is asked with counterfactuals (parity.py), of the same columns.

Shapes: N clips, G clusters, K groups.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from eval.feature import NotMeasurable
from safety.bias.axes import Axis
from safety.bias.clips import Clips, numbers, readings, sums
from safety.bias.clustered import Quantities, t_quantile, two_sided_p
from safety.bias.correction import Correction, as_read
from safety.bias.estimate import Estimate, Gap

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

TEMPORAL = ("persistence", "screen_time", "shot_size")


@dataclass(frozen=True, slots=True)
class ShownMeans:
    """Means of a column among people shown as each group. gaps: all pairs; their intervals hold together."""

    column: str
    axis: str
    means: Mapping[str, Estimate]
    gaps: tuple[Gap, ...]


def shown_means(
    clips: Clips, axis: Axis, column: str, keep_N: Flags, confidence: float, correction: Correction | None = None
) -> ShownMeans:
    """Means of a number column by group as shown, over the kept clips; with a correction, by group as it is in truth,
    as far as the reader's errors do not depend on the column. Raises NotMeasurable where a group has no value, and
    for a correction that is uneven over strata.
    """
    value_N = numbers(clips, column)
    keep_N = keep_N & ~np.isnan(value_N)
    if not keep_N.any():
        raise NotMeasurable(f"no clip has a value for {column}")
    correction = correction or as_read(axis, len(clips.clusters), len(clips.strata))
    correction.require_even(f"{column} by {axis.name}")
    said_NX = readings(clips, axis)
    columns = np.stack([said_NX, said_NX * np.nan_to_num(value_N)[:, None]], axis=2)
    parts_GSXM = sums(clips, columns.reshape(len(clips), -1), keep_N)
    parts_GSXM = parts_GSXM.reshape(*parts_GSXM.shape[:2], *columns.shape[1:])
    k = len(axis.groups)
    said_K = parts_GSXM[..., 0].sum(axis=(0, 1))[:k]
    if (said_K <= 0).any():
        absent = [group for group, count in zip(axis.groups, said_K, strict=True) if count <= 0]
        raise NotMeasurable(f"{column} by {axis.name}: nobody shown as {', '.join(absent)}")
    clusters = int((parts_GSXM.sum(axis=(1, 2, 3)) != 0).sum())
    weight, total = correction.totals(parts_GSXM, clusters)
    groups = np.eye(len(weight.value_K))[:, :k]
    mean = total.linear(groups).over(weight.linear(groups))
    pairs = list(combinations(range(k), 2))
    contrasts = np.zeros((k, len(pairs)))
    for column_index, (a, b) in enumerate(pairs):
        contrasts[a, column_index], contrasts[b, column_index] = 1.0, -1.0
    clips_K = [round(float(count)) for count in said_K]
    note = "as shown: a description, no evidence of how a group is served" + (
        f"; {correction.note}" if correction.note else ""
    )
    means = _estimates(mean, confidence, 1, clips_K, note)
    gaps = _estimates(mean.linear(contrasts), confidence, len(pairs), [clips_K[a] + clips_K[b] for a, b in pairs], note)
    return ShownMeans(
        column=column,
        axis=axis.name,
        means=dict(zip(axis.groups, means, strict=True)),
        gaps=tuple(Gap(axis.groups[a], axis.groups[b], gap) for (a, b), gap in zip(pairs, gaps, strict=True)),
    )


def _estimates(q: Quantities, confidence: float, tests: int, clips: list[int], note: str) -> list[Estimate]:
    t = t_quantile(confidence, q.df, tests)
    p_K = np.minimum(1.0, tests * two_sided_p(q.value_K / np.maximum(q.error, np.finfo(np.float64).tiny), q.df))
    return [
        Estimate(
            value=float(value),
            low=float(value - t * error),
            high=float(value + t * error),
            p=float(p),
            clips=count,
            prompts=q.clusters,
            caveat=note,
        )
        for value, error, p, count in zip(q.value_K, q.error, p_K, clips, strict=True)
    ]
