"""Do the sets differ in what says nothing of how they were made? Then a classifier's success says nothing either.

GenVidBench is told apart at an AUC of 0.998 by clip length alone (VidAudit 2026): here such sets are refused.

Shape legend: N windows, D nuisances.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eval.sets.crossfit import Auc, Floats, Samples, measure_auc, plain_auc
from safety.deepfake.observe import AFTER, BEFORE, NUISANCE_TITLE
from safety.deepfake.table import TraceTable

GATE = 0.6
"""No verdict while nuisances that are left separate the sets by more than this AUC."""

DEALS = 24
"""More than elsewhere: the gate hangs on one number, which fewer deals leave to chance."""


@dataclass(frozen=True, slots=True)
class Nuisances:
    """How well nuisances alone separate the sets. single: each by itself, as AUC or 1 - AUC, whichever is larger."""

    together: Auc
    single: dict[str, float]

    @property
    def worst(self) -> list[str]:
        """Titles of those that separate by more than the gate, the worst first."""
        above = sorted((-value, name) for name, value in self.single.items() if value > GATE)
        return [NUISANCE_TITLE[name] for _, name in above]


def nuisances(samples: Samples, names: Sequence[str], seed: int, confidence: float) -> Nuisances:
    """The AUC of a cross-fitted classifier on nuisances alone. Needs two groups of each class."""
    together = measure_auc(with_squares(samples), seed, confidence=confidence, deals=DEALS)
    single = {}
    for place, name in enumerate(names):
        auc = plain_auc(samples.values_ND[:, place], samples.fake_N)
        single[name] = max(auc, 1 - auc)
    return Nuisances(together, single)


def with_squares(samples: Samples) -> Samples:
    """Numbers and their squares about the mean: lengths that are all alike on one side separate from spread-out ones,
    though the means agree.
    """
    centred_ND = samples.values_ND - samples.values_ND.mean(axis=0)
    return Samples(np.concatenate([centred_ND, centred_ND**2], axis=1), samples.fake_N, samples.group_N)


def before_and_after(table: TraceTable, seed: int, confidence: float) -> tuple[Nuisances, Nuisances]:
    """Of the files as they came, and of the windows in canonical form."""

    def measured(values_ND: Floats, names: Sequence[str]) -> Nuisances:
        return nuisances(Samples(values_ND, table.is_fake, table.groups), names, seed, confidence)

    return measured(table.before_ND, BEFORE), measured(table.after_ND, AFTER)
