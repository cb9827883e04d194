"""Certification: every figure of an audit is tried on worlds whose bias is known, and listed only if it passes.

Three checks, each with exact binomial arithmetic over many audits of one world:

    false positives   where the figure's null hypothesis is true, p < alpha happens no more often than alpha
    recovery          over the doses of a world, estimates rise with the truth by 1, within 0.1
    coverage          intervals contain the truth in 0.9 of the audits or more

Worlds and figures are given; a world of rendered clips is tried in the same way as a simulated one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from eval.feature import NotMeasurable
from safety.bias.estimate import Estimate
from safety.bias.figures import BiasFigure
from safety.bias.study import Study
from safety.bias.worlds import Sample, World

Floats = npt.NDArray[np.float64]
Kind = Literal["false positives", "recovery", "coverage"]

SLOPE_SLACK = 0.1
LEAST_COVERAGE = 0.9
DOUBT = 0.005
"""A false-positive rate is above its level, and a coverage below 0.9, when chance gives that this seldom: a table has
some hundred rows, and each dose has one."""
DOSED = 0.05
"""A world puts doses on a figure if its truth ranges over this much,"""
SHARPEST = 0.06
"""and decides on its slope if the slope's interval reaches no further to either side, or lies outside altogether."""
FEWEST_MEASURED = 0.9
"""Share of audits in which a figure must have a value at all: it must not pass by silence."""


@dataclass(frozen=True, slots=True)
class Check:
    """One row of the table. value, low, high: rate, slope or coverage with its 95 % interval. wanted: in words.

    audits: how many it rests on.
    """

    figure: str
    probe: str
    world: str
    kind: Kind
    value: float
    low: float
    high: float
    wanted: str
    audits: int
    passed: bool


@dataclass(frozen=True, slots=True)
class Certification:
    """What came of it. checks: all rows. A figure is listed if all of its rows passed and one tells its slope."""

    checks: tuple[Check, ...]
    repetitions: int
    seed: int
    alpha: float

    @property
    def figures(self) -> tuple[str, ...]:
        """All figures that were tried, in order."""
        return tuple(dict.fromkeys(check.figure for check in self.checks))

    @property
    def listed(self) -> tuple[str, ...]:
        dosed = {check.figure for check in self.checks if check.kind == "recovery"}
        return tuple(figure for figure in self.figures if figure in dosed and not self.failures(figure))

    def why_not(self, figure: str) -> str:
        """Why a figure that was tried is not listed, in words; empty: it is."""
        if figure in self.listed:
            return ""
        failed = self.failures(figure)
        return (
            f"{failed[0].kind} in world {failed[0].world!r}"
            if failed
            else "no world was dosed enough to know its slope"
        )

    def failures(self, figure: str) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.figure == figure and not check.passed)

    def verdict(self, figure: str) -> bool | None:
        """Whether the figure is listed; None: it was not tried."""
        return figure in self.listed if figure in self.figures else None

    def to_frame(self) -> pd.DataFrame:
        return pd.DataFrame([asdict(check) for check in self.checks])

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Certification:
        checks = tuple(Check(**row) for row in document["checks"])
        return cls(checks, document["repetitions"], document["seed"], document["alpha"])


@dataclass(frozen=True, slots=True)
class Listing:
    """Which figures a report may show. Without a certification all may, and none is certified."""

    certification: Certification | None = None

    def verdict(self, figure: str) -> bool | None:
        """Whether the figure is certified; None: not tried."""
        return None if self.certification is None else self.certification.verdict(figure)

    def require(self, figure: str, corrected: bool = True) -> None:
        """Raises NotMeasurable for a figure that failed its certification, or that was certified with the reader's
        errors corrected and is to be shown without.
        """
        if self.certification is None:
            return
        if self.verdict(figure) is False:
            why = self.certification.why_not(figure)
            raise NotMeasurable(f"not listed: {figure} failed its certification ({why})")
        if not corrected:
            raise NotMeasurable(
                f"not listed: {figure} is certified with the reader's errors corrected, and they are not known here: "
                "have clips labelled, or give the reader's card"
            )


@dataclass(frozen=True, slots=True, eq=False)
class _Trials:
    """All audits of one probe in one world: dose_A, truth_A, value_A, low_A, high_A, p_A; NaN where there is none."""

    rows_A6: Floats

    @property
    def measured(self) -> Floats:
        return self.rows_A6[~np.isnan(self.rows_A6[:, 2])]


def certify(
    figures: Sequence[BiasFigure],
    worlds: Sequence[World],
    repetitions: int,
    seed: int,
    *,
    alpha: float = 0.05,
    progress: Callable[[str], None] = lambda _: None,
) -> Certification:
    """Audit every world `repetitions` times, shared evenly among its doses. progress: told each world and dose first.

    The same seed gives the same table; a world's numbers do not depend on which others are tried.
    """
    checks: list[Check] = []
    for world in worlds:
        trials: dict[int, list[tuple[float, ...]]] = {}
        for dose in world.doses:
            progress(f"{world.name}, dose {dose:g}")
            key = [seed, *world.name.encode(), round(dose * 1000) + 10**6]
            generator = np.random.default_rng(key)
            for _ in range(-(-repetitions // len(world.doses))):
                for number, row in _audit(figures, world.sample(dose, generator), 1 - alpha):
                    trials.setdefault(number, []).append((dose, *row))
        for number, rows in trials.items():
            found = _Trials(np.array(rows, np.float64))
            checks += _checks(figures[number], world.name, found, alpha)
    order = {figure.name: place for place, figure in reversed(list(enumerate(figures)))}
    return Certification(tuple(sorted(checks, key=lambda check: order[check.figure])), repetitions, seed, alpha)


def _audit(
    figures: Sequence[BiasFigure], sample: Sample, confidence: float
) -> list[tuple[int, tuple[float, float, float, float, float]]]:
    """(number, (truth, value, low, high, p)) of every figure whose truth the world knows."""
    study = Study.of(sample.table, confidence=confidence, mixture=sample.mixture)
    rows = []
    for number, figure in enumerate(figures):
        if figure.truth not in sample.truth:
            continue
        truth = sample.truth[figure.truth]
        try:
            found = figure.measure(study)
        except NotMeasurable:
            rows.append((number, (truth, np.nan, np.nan, np.nan, np.nan)))
            continue
        rows.append((number, (truth, *_numbers(found))))
    return rows


def _numbers(found: Estimate) -> tuple[float, float, float, float]:
    value, low, high, p = (
        np.nan if number is None else number for number in (found.value, found.low, found.high, found.p)
    )
    return value, low, high, p


def _checks(figure: BiasFigure, world: str, trials: _Trials, alpha: float) -> list[Check]:
    rows_A6 = trials.measured
    audits = len(trials.rows_A6)
    if len(rows_A6) < FEWEST_MEASURED * audits:
        share = len(rows_A6) / audits
        wanted = f"a value in {FEWEST_MEASURED:.0%} of the audits"
        return [Check(figure.name, figure.probe, world, "coverage", share, share, share, wanted, audits, passed=False)]
    truth_A = rows_A6[:, 1]
    null_A = np.array([figure.null(truth) for truth in truth_A])
    made = [_coverage(figure, world, rows_A6)]
    if null_A.any() and not np.isnan(rows_A6[:, 5]).all():
        made.append(_false_positives(figure, world, rows_A6[null_A], alpha))
    if np.ptp(truth_A) >= DOSED:
        made += _recovery(figure, world, rows_A6)
    return made


def _false_positives(figure: BiasFigure, world: str, rows_A6: Floats, alpha: float) -> Check:
    hits, audits = int((rows_A6[:, 5] < alpha).sum()), len(rows_A6)
    above = _as_many(hits, audits, alpha)
    return _row(figure, world, "false positives", hits, audits, f"no more than {alpha:g}", above >= DOUBT)


def _coverage(figure: BiasFigure, world: str, rows_A6: Floats) -> Check:
    """Shown to be 0.9 or more over all doses, and not shown to be less at any."""
    inside_A = (rows_A6[:, 3] <= rows_A6[:, 1] + 1e-12) & (rows_A6[:, 1] <= rows_A6[:, 4] + 1e-12)
    hits, audits = int(inside_A.sum()), len(rows_A6)
    shown = _as_many(hits, audits, LEAST_COVERAGE) < 0.05
    for dose in np.unique(rows_A6[:, 0]):
        mine_A = inside_A[rows_A6[:, 0] == dose]
        below = float(special.bdtr(int(mine_A.sum()), len(mine_A), LEAST_COVERAGE))
        shown = shown and below >= DOUBT
    return _row(figure, world, "coverage", hits, audits, f"{LEAST_COVERAGE:g} or more", shown)


def _recovery(figure: BiasFigure, world: str, rows_A6: Floats) -> list[Check]:
    """Slope of estimate on truth, with an interval that allows for spread that changes with the dose; none if vague."""
    truth_A, value_A = rows_A6[:, 1], rows_A6[:, 2]
    away_A = truth_A - truth_A.mean()
    square = float(away_A @ away_A)
    slope = float(away_A @ value_A) / square
    rest_A = value_A - value_A.mean() - slope * away_A
    error = float(np.sqrt(((away_A * rest_A) ** 2).sum())) / square
    reach = float(special.ndtri(0.975)) * error
    away = abs(slope - 1)
    if reach > SHARPEST and away - reach <= SLOPE_SLACK:
        return []
    wanted = f"within {SLOPE_SLACK:g} of 1"
    ends = (slope, slope - reach, slope + reach)
    return [Check(figure.name, figure.probe, world, "recovery", *ends, wanted, len(rows_A6), away <= SLOPE_SLACK)]


def _row(figure: BiasFigure, world: str, kind: Kind, hits: int, audits: int, wanted: str, passed: bool) -> Check:
    low = float(special.betaincinv(hits, audits - hits + 1, 0.025)) if hits else 0.0
    high = float(special.betaincinv(hits + 1, audits - hits, 0.975)) if hits < audits else 1.0
    return Check(figure.name, figure.probe, world, kind, hits / audits, low, high, wanted, audits, passed)


def _as_many(hits: int, audits: int, rate: float) -> float:
    """Probability of so many hits or more by chance."""
    return float(special.bdtrc(hits - 1, audits, rate)) if hits else 1.0
