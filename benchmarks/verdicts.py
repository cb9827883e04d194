"""Verdicts on clips, factor by factor, and what they come to: accuracies, shares, differences, with intervals.

Every interval is a bootstrap over cases (95 %). Ratios and differences over the same cases are paired: both sides see
the same resamples.

Shape legend: C cases, K factors (the first is OVERALL), X columns, B draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from benchmarks.estimates import Interval, spread
from benchmarks.statistics import bootstrap_means
from eval.case import Case
from eval.clip import Clip, MemorySource
from eval.errors import UserError
from eval.metric import METRICS
from eval.planner import score_clip

if TYPE_CHECKING:
    from rich.console import Console

Floats = npt.NDArray[np.float64]

OVERALL = "overall"

Judge = Callable[[Clip, Case], Mapping[str, float]]
"""For each factor that the prompt of a case states: 1 where the clip shows it, 0 where not; and what that comes to
OVERALL."""

PROMPT_ACCURACY, FACTOR_ACCURACY = "backlot_prompt_accuracy", "backlot_accuracy_"
DRAWS = 2000
CONFIDENCE = 0.95


class JudgeError(UserError):
    """A clip that cannot be judged."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: what of, its value with a 95 % interval, and over how many cases."""

    part: str
    of: str
    factor: str
    figure: str
    value: Interval
    cases: int


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What a judge found of every case: OVERALL and 1, 0 or NaN (not asked) of each factor."""

    factors: tuple[str, ...]
    values_CK: Floats

    def of(self, factor: str) -> Floats:
        """The factor's values, (C,); NaN where it was never asked."""
        if factor not in self.factors:
            return np.full(len(self.values_CK), np.nan)
        return self.values_CK[:, self.factors.index(factor)]


def judged(clips: Iterable[Clip], cases: Sequence[Case], judge: Judge) -> Verdicts:
    """Judge the clip of every case."""
    found = [judge(clip, case) for clip, case in zip(clips, cases, strict=True)]
    factors = tuple(dict.fromkeys([OVERALL, *(factor for one in found for factor in one)]))
    table = [[one.get(factor, np.nan) for factor in factors] for one in found]
    return Verdicts(factors, np.array(table, np.float64))


def backlot_judge() -> Judge:
    """The metrics of prompt accuracy as a judge: backlot_prompt_accuracy overall, backlot_accuracy_… per factor.

    A factor that a prompt does not state is skipped. The judge raises JudgeError where a clip cannot be judged at all,
    as without the reader's weights or for a case whose truth does not say what its prompt states.
    """
    metrics = [METRICS.get(PROMPT_ACCURACY), *(m for m in METRICS if m.spec.name.startswith(FACTOR_ACCURACY))]

    def judge(clip: Clip, case: Case) -> dict[str, float]:
        scores = score_clip(MemorySource(clip, case.id), metrics, case=case).scores
        for score in scores:
            not_stated = score.status == "skipped" and score.metric != PROMPT_ACCURACY
            if score.status != "ok" and not not_stated:
                raise JudgeError(f"{score.metric} of case '{case.id}': {score.reason}")
        known = {score.metric: score.value for score in scores if score.value is not None}
        return {_factor_of(name): value for name, value in known.items()}

    return judge


def _factor_of(metric: str) -> str:
    return OVERALL if metric == PROMPT_ACCURACY else metric.removeprefix(FACTOR_ACCURACY)


def means(part: str, of: str, verdicts: Verdicts) -> list[Row]:
    """Accuracy per factor."""
    return rows(part, of, "accuracy", verdicts.factors, [verdicts.values_CK], limits=(0, 1))


def shares(part: str, of: str, verdicts: Verdicts, oracle: Verdicts) -> list[Row]:
    """Accuracy per factor as a share of the oracle's on the same cases."""
    return rows(part, of, "share of the oracle's", verdicts.factors, _paired(verdicts, oracle), ratio)


def differences(part: str, of: str, verdicts: Verdicts, other: Verdicts) -> list[Row]:
    """Differences in accuracy per factor, case by case."""
    pair = _paired(verdicts, other)
    name = "difference in accuracy"
    return rows(part, of, name, verdicts.factors, pair, lambda one, two: one - two, limits=(-1, 1))


def _paired(verdicts: Verdicts, other: Verdicts) -> list[Floats]:
    """The values of both for the first one's factors, on the cases that both have a value for."""
    ones_CK = np.stack([verdicts.of(factor) for factor in verdicts.factors], axis=1)
    others_CK = np.stack([other.of(factor) for factor in verdicts.factors], axis=1)
    lacking_CK = np.isnan(ones_CK) | np.isnan(others_CK)
    return [np.where(lacking_CK, np.nan, table_CK) for table_CK in (ones_CK, others_CK)]


def gaps(part: str, of: str, verdicts: Verdicts, other: Verdicts) -> list[Row]:
    """Differences in accuracy between two sets of cases, for the factors that both speak of. Not paired."""
    shared = [factor for factor in verdicts.factors if factor in other.factors]
    found = []
    for factor in shared:
        both = [v.of(factor)[:, None] for v in (verdicts, other)]
        draws = [bootstrap_means(values_C1, DRAWS, np.random.default_rng(n)) for n, values_C1 in enumerate(both)]
        value = _means(both[0]) - _means(both[1])
        cases = min(int((~np.isnan(values_C1)).sum()) for values_C1 in both)
        ends = spread(value, draws[0] - draws[1], np.array([cases]), CONFIDENCE).within(-1, 1)
        found.append(Row(part, of, factor, "difference in accuracy", ends.at(0), cases))
    return found


def rows(
    part: str,
    of: str,
    figure: str,
    factors: Sequence[str],
    tables_CK: Sequence[Floats],
    combine: Callable[..., Floats] = lambda one: one,
    limits: tuple[float, float] = (0, np.inf),
) -> list[Row]:
    """`combine` of the mean(s) of each column, with the interval that it has over common resamples of the cases.

    limits: what the figure can be at all; intervals end there.
    """
    values_CX = np.concatenate(tables_CK, axis=1)
    draws_BX = bootstrap_means(values_CX, DRAWS, np.random.default_rng(0)).reshape(DRAWS, len(tables_CK), -1)
    counts_K = (~np.isnan(tables_CK[0])).sum(axis=0)
    value_K = combine(*map(_means, tables_CK))
    ends = spread(value_K, combine(*draws_BX.transpose(1, 0, 2)), counts_K, CONFIDENCE).within(*limits)
    return [Row(part, of, factor, figure, ends.at(k), int(counts_K[k])) for k, factor in enumerate(factors)]


def _means(values_CK: Floats) -> Floats:
    """The mean of each column, over the values there are; NaN where there are none."""
    count_K = (~np.isnan(values_CK)).sum(axis=0)
    return np.where(count_K > 0, np.nansum(values_CK, axis=0) / np.maximum(count_K, 1), np.nan)


def ratio(one: Floats, other: Floats) -> Floats:
    """The ratio of two accuracies; NaN where there is nothing to divide by."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(other == 0, np.nan, one / other)


def print_rows(figures: Sequence[Row], console: Console) -> None:
    """A table for each part: a line for each factor, a column for each figure of each generator.

    cases: the fewest that any figure of the line is over.
    """
    from rich.table import Table

    for part in dict.fromkeys(row.part for row in figures):
        own = [row for row in figures if row.part == part]
        columns = list(dict.fromkeys((row.of, row.figure) for row in own))
        table = Table(title=part, box=None, pad_edge=False)
        table.add_column("")
        table.add_column("cases", justify="right")
        for of, figure in columns:
            table.add_column(f"{of}\n{figure}", justify="right")
        for factor in dict.fromkeys(row.factor for row in own):
            cells = {(row.of, row.figure): row for row in own if row.factor == factor}
            fewest = min(row.cases for row in cells.values())
            table.add_row(factor, str(fewest), *(_cell(cells[column]) if column in cells else "" for column in columns))
        console.print(table)
        console.print()


def _cell(row: Row) -> str:
    if row.value.value is None:
        return "-"
    if row.value.low is None or row.value.high is None:
        return f"{row.value.value:.3f}"
    return f"{row.value.value:.3f} [{row.value.low:.3f}, {row.value.high:.3f}]"
