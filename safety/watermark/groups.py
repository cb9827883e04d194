"""Is a mark weaker on some clips? Robustness by luminance, motion, detail and tag, with one false-discovery rate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats

from safety.watermark.plan import NONE, WatermarkPlan
from safety.watermark.statistics import Interval, adjusted, permutation_p

SEEN = {"luminance": ("dark", "bright"), "motion": ("still", "moving"), "detail": ("plain", "detailed")}
FEWEST = 3
"""Clusters in either group; below it nothing is said."""


@dataclass(frozen=True, slots=True)
class GroupGap:
    """Mean bit accuracy after attacks of `group` less `other`. cut: the median that divides them; None for tags.

    reason: why there is no figure. clusters: in either group.
    """

    mark: str
    feature: str
    group: str
    other: str
    cut: float | None
    group_accuracy: float | None
    other_accuracy: float | None
    difference: Interval
    p: float | None
    q: float | None
    clusters: tuple[int, int]
    reason: str = ""


def group_gaps(plan: WatermarkPlan, trials: pd.DataFrame, facts: pd.DataFrame) -> tuple[GroupGap, ...]:
    """All gaps of all marks. trials: marked ones that worked; each clip counts by its mean over attacks, each cluster
    by the mean over its clips.
    """
    found = list(_gaps(plan, trials, facts)) if len(facts) else []
    return tuple(replace(gap, q=q) for gap, q in zip(found, adjusted([gap.p for gap in found]), strict=True))


def _gaps(plan: WatermarkPlan, trials: pd.DataFrame, facts: pd.DataFrame) -> Iterator[GroupGap]:
    known = facts.drop_duplicates("clip").set_index("clip")
    for mark in plan.marks:
        own = trials[(trials["mark"] == mark.name) & (trials["attack"] != NONE)]
        by_clip = (own["matches"] / mark.bits).groupby(own["clip"]).mean()
        clips = known.join(by_clip.rename("accuracy"), how="inner")
        for feature, names in SEEN.items():
            if len(clips) == 0:
                continue
            cut = float(clips[feature].median())
            yield _gap(plan, mark.name, feature, names, cut, _clusters(clips, clips[feature] > cut))
        for tag in sorted({tag for text in clips["tags"] for tag in str(text).split("; ") if tag}):
            has = clips["tags"].map(lambda text, tag=tag: tag in str(text).split("; "))
            yield _gap(plan, mark.name, "tag", ("others", tag), None, _clusters(clips, has))


def _clusters(clips: pd.DataFrame, inside: pd.Series[bool]) -> tuple[np.ndarray, np.ndarray]:
    """Mean accuracy of every cluster, and which group most of it is in."""
    grouped = clips.assign(inside=inside).groupby("cluster")
    return grouped["accuracy"].mean().to_numpy(np.float64), (grouped["inside"].mean() > 0.5).to_numpy(bool)


def _gap(
    plan: WatermarkPlan,
    mark: str,
    feature: str,
    names: tuple[str, str],
    cut: float | None,
    clusters: tuple[np.ndarray, np.ndarray],
) -> GroupGap:
    value_C, inside_C = clusters
    many, few = int(inside_C.sum()), int((~inside_C).sum())
    other, group = names
    blank = GroupGap(mark, feature, group, other, cut, None, None, Interval(None, None, None), None, None, (many, few))
    if min(many, few) < FEWEST:
        return replace(blank, reason=f"{many} and {few} files: a gap needs {FEWEST} in either group")
    first, second = value_C[inside_C], value_C[~inside_C]
    test = stats.ttest_ind(first, second, equal_var=False)
    ends = test.confidence_interval(plan.confidence)
    difference = float(first.mean() - second.mean())
    known = bool(np.isfinite(ends.low) and np.isfinite(ends.high))
    return replace(
        blank,
        group_accuracy=float(first.mean()),
        other_accuracy=float(second.mean()),
        difference=Interval(difference, float(ends.low) if known else None, float(ends.high) if known else None),
        p=permutation_p(value_C, inside_C, plan.seed),
    )
