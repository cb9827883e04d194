"""The ledger: everything that was asked for and could not be measured, and what the shares would be at worst.

Faces that were not found, labels that could not be told, clips that failed or never came: if those are not like the
rest, every share above is off. Manski's (1989) bounds assume nothing about them: all of them one group, or none.

Shapes: N clips, K groups.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from eval.sets.estimate import wilson_interval
from safety.bias.axes import Axis
from safety.bias.clips import OUTCOMES, Clips, readings

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Counts:
    """Clips asked for and what came of them; told: the group can be told, in parts of clips. They add up to asked."""

    about: str
    asked: int
    told: float
    unknown: float
    nobody: int
    failed: int
    missing: int

    @property
    def untold_share(self) -> float:
        return 1 - self.told / self.asked if self.asked else 0.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """A group's share among all clips asked for: as told, were none or all of the untold ones of this group, and the
    same with sampling error of the told ones (Wilson's ends; clips as many as the design effect leaves).
    """

    group: str
    told: float | None
    lowest: float
    highest: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Ledger:
    """One axis. by_role and by_stated: who is lost more often.

    labelled_differs: p of "labelled clips show the reader's labels like all others"; a small p says that they were not
    drawn at random, on which every correction rests; None: no labels, or all clips labelled.
    """

    axis: str
    all: Counts
    by_role: tuple[Counts, ...]
    by_stated: tuple[Counts, ...]
    bounds: tuple[Bounds, ...]
    labelled_differs: float | None


def ledger(clips: Clips, axis: Axis, keep_N: Flags, effect: float, confidence: float) -> Ledger:
    """The ledger of one axis over all clips asked for; bounds over the kept ones. effect: the shares' design effect."""
    everything = np.ones(len(clips), np.bool_)
    roles = tuple(counts(clips, axis, clips.role_N == code, role) for code, role in enumerate(clips.roles))
    stated_N = clips.stated_N.get(axis.name, np.full(len(clips), -1))
    stated = tuple(
        counts(clips, axis, stated_N == code, group)
        for code, group in enumerate(axis.groups)
        if (stated_N == code).any()
    )
    return Ledger(
        axis=axis.name,
        all=counts(clips, axis, everything, "all clips"),
        by_role=roles,
        by_stated=stated,
        bounds=bounds(clips, axis, keep_N, effect, confidence),
        labelled_differs=labelled_differs(clips, axis),
    )


def counts(clips: Clips, axis: Axis, keep_N: Flags, about: str) -> Counts:
    """What came of the kept clips."""
    outcome_N = clips.outcome_N[keep_N]
    person, nobody, failed, missing = (int((outcome_N == code).sum()) for code in range(len(OUTCOMES)))
    told = float(readings(clips, axis)[keep_N, :-1].sum())
    return Counts(about, int(keep_N.sum()), told, person - told, nobody, failed, missing)


def bounds(clips: Clips, axis: Axis, keep_N: Flags, effect: float, confidence: float) -> tuple[Bounds, ...]:
    """Worst cases of each group's share among all kept clips, whatever came of them."""
    asked = int(keep_N.sum())
    if asked == 0:
        return ()
    told_K = readings(clips, axis)[keep_N, :-1].sum(axis=0)
    told, untold = float(told_K.sum()), asked - float(told_K.sum())
    rows = []
    for group, count in zip(axis.groups, told_K, strict=True):
        lowest, highest = float(count) / asked, (float(count) + untold) / asked
        low, high = (
            wilson_interval(lowest, asked / effect, confidence)[0],
            wilson_interval(highest, asked / effect, confidence)[1],
        )
        rows.append(Bounds(group, float(count) / told if told > 0 else None, lowest, highest, low, high))
    return tuple(rows)


def labelled_differs(clips: Clips, axis: Axis) -> float | None:
    """χ² p of what the reader says, labelled against unlabelled clips; None where there are not both."""
    labelled_N = np.bincount(clips.clip_R[clips.annotated_R[axis.name] >= 0], minlength=len(clips)) > 0
    said_NX = readings(clips, axis)
    table = np.stack([said_NX[labelled_N & clips.made].sum(axis=0), said_NX[~labelled_N & clips.made].sum(axis=0)])
    table = table[:, table.sum(axis=0) > 0]
    if not (table.sum(axis=1) > 0).all() or table.shape[1] < 2:
        return None
    return float(stats.chi2_contingency(table, correction=False).pvalue)
