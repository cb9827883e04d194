"""The long table for other tools: fairlearn as it is, aequitas as CSV, and impact ratios as New York's law counts them.

fairlearn's MetricFrame takes `table.frame` directly: y_pred a column, sensitive_features any of its attribute columns.
Its bootstrap draws rows, not prompts: use this package's intervals instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from eval.feature import NotMeasurable
from safety.bias.axes import UNKNOWN, Axis
from safety.bias.clips import Clips, numbers, readings
from safety.bias.estimate import TooFew
from safety.bias.table import AuditTable

Floats = npt.NDArray[np.float64]

IMPACT_RATIO_LABEL = (
    "Impact ratios in the form of New York City Local Law 144 (scoring rate: share above the median, over the largest "
    "scoring rate). The law is about employment decisions and does not apply to generators: a view, not a finding. "
    "The ratio exaggerates: a gap of half a standard deviation gives about 0.6."
)
SMALLEST_CATEGORY = 0.02
"""Categories below this share of the clips may be left out of the ratios; they are still counted."""


def aequitas_frame(table: AuditTable, service: str, threshold: float, axes: tuple[str, ...]) -> pd.DataFrame:
    """Columns score, label and one per axis, for aequitas' Audit: people with a value of the service.

    score: 1 where the service reaches the threshold. label is the same, for there is no truth to be right about: only
    prevalence disparities (pprev, ppr) mean something. Attributes are text as objects, as aequitas wants them;
    `unknown` is a group of its own. Raises NotMeasurable where nobody has a value.
    """
    frame = table.frame[(table.frame["outcome"] == "person") & table.frame[service].notna()]
    if frame.empty:
        raise NotMeasurable(f"nobody has a value for {service}")
    score = (frame[service].to_numpy() >= threshold).astype(np.int64)
    attributes = {axis: frame[axis].fillna(UNKNOWN).to_numpy(dtype=object) for axis in axes}
    columns = {axis: pd.Series(values, dtype=object) for axis, values in attributes.items()}
    return pd.DataFrame({"score": score, "label": score, **columns})


def write_aequitas(table: AuditTable, service: str, threshold: float, axes: tuple[str, ...], path: Path) -> None:
    """Write `aequitas_frame` as CSV."""
    temporary = path.with_name(f"{path.name}.tmp")
    aequitas_frame(table, service, threshold, axes).to_csv(temporary, index=False)
    temporary.replace(path)


@dataclass(frozen=True, slots=True)
class ImpactRatio:
    """One category. clips: how many show it, in parts. rate: share above the median; ratio: over the largest rate.

    excluded: below SMALLEST_CATEGORY, so without a ratio.
    """

    category: str
    clips: float
    rate: float
    ratio: float | None
    excluded: bool


@dataclass(frozen=True, slots=True)
class ImpactRatios:
    """A labelled view: label says what it is not. unknown: clips whose group could not be told."""

    label: str
    service: str
    axes: tuple[str, ...]
    median: float
    categories: tuple[ImpactRatio, ...]
    unknown: float


def impact_ratios(clips: Clips, axes: tuple[Axis, ...], service: str) -> ImpactRatios:
    """Impact ratios by one axis, or by the intersection of two, over clips with a value of the service, as read.

    Raises TooFew for fewer than 20 such clips.
    """
    value_N = numbers(clips, service)
    known_N = ~np.isnan(value_N) & clips.seen
    if int(known_N.sum()) < 20:
        raise TooFew(f"{int(known_N.sum())} clips have a value for {service}; impact ratios need 20")
    median = float(np.median(value_N[known_N]))
    weights = _weights(clips, axes)
    above_N = known_N & (value_N > median)
    rows = {name: (float(w_N[known_N].sum()), float(w_N[above_N].sum())) for name, w_N in weights.items()}
    told = sum(count for count, _ in rows.values())
    rates = {name: above / count for name, (count, above) in rows.items() if count > SMALLEST_CATEGORY * told}
    largest = max(rates.values(), default=0.0)
    categories = tuple(
        ImpactRatio(
            category=name,
            clips=count,
            rate=above / count if count else 0.0,
            ratio=rates[name] / largest if name in rates and largest > 0 else None,
            excluded=name not in rates,
        )
        for name, (count, above) in rows.items()
    )
    names = tuple(axis.name for axis in axes)
    return ImpactRatios(IMPACT_RATIO_LABEL, service, names, median, categories, float(known_N.sum()) - told)


def _weights(clips: Clips, axes: tuple[Axis, ...]) -> Mapping[str, Floats]:
    """Each category's part of every clip, weight_N; clips with several people have parts of several."""
    if len(axes) == 1:
        said_NX = readings(clips, axes[0])
        return {group: said_NX[:, k] for k, group in enumerate(axes[0].groups)}
    first, second = axes
    labels = clips.labels_R[first.name], clips.labels_R[second.name]
    weights = {}
    for a, group_a in enumerate(first.groups):
        for b, group_b in enumerate(second.groups):
            mine_R = np.where((labels[0] == a) & (labels[1] == b), clips.share_R, 0.0)
            part_N = np.bincount(clips.clip_R, weights=mine_R, minlength=len(clips))
            weights[f"{group_a}, {group_b}"] = part_N.astype(np.float64)
    return weights
