"""Two generators, case by case: paired differences with intervals, a permutation test, wins and losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from benchmarks.cube import ScoreCube, score_cube
from benchmarks.estimates import Interval, case_parts, spread
from benchmarks.manifest import Manifest
from benchmarks.statistics import bootstrap_means, detectable_difference, holm, paired_differences, sign_flip_p
from benchmarks.store import Run
from eval.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Difference:
    """a − b over the cases that both have.

    difference: in the metric's unit for a metric; in utility (0…1) for a family and the total.
    utility: the same in utility; None for a metric without one (a band without reference clips).
    p: sign-flip permutation test of `difference`, two-sided; p_holm: adjusted over the metrics, or over the families.
    wins, ties, losses: cases where a is better, equal, worse; None where neither end is better.
    net_win: (wins − losses) / cases, -1…1, with its bootstrap interval over cases (Movie Gen, arXiv:2410.13720, gives
        it in percent); seeds are averaged inside the case first, so a case counts once.
    detectable: the smallest true difference that this many cases find with 80 % power.
    cases: how many cases both have.
    """

    difference: Interval
    utility: Interval | None
    p: float | None
    p_holm: float | None
    wins: int | None
    ties: int | None
    losses: int | None
    net_win: Interval | None
    detectable: float | None
    cases: int


@dataclass(frozen=True, slots=True)
class CaseDifference:
    """One case: its part of the difference in the total (a − b), and each metric's difference in utility."""

    case: str
    difference: float
    metrics: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Comparison:
    """cases: largest absolute difference first. notes: what a reader must know (cases left out, and why)."""

    a: str
    b: str
    suite: str
    suite_hash: str
    confidence: float
    total: Difference
    families: Mapping[str, Difference]
    metrics: Mapping[str, Difference]
    cases: tuple[CaseDifference, ...]
    notes: tuple[str, ...]

    def to_json(self) -> str:
        """The JSON document of `moviegen compare --json`."""
        from benchmarks.export import to_json

        return to_json(
            {
                **asdict(self),
                "total": _flat(self.total),
                "families": {name: _flat(part) for name, part in self.families.items()},
                "metrics": {name: _flat(part) for name, part in self.metrics.items()},
            }
        )


def compare(
    run: Run | Sequence[Run], a: str, b: str, *, draws: int = 2000, confidence: float = 0.95, seed: int = 0
) -> Comparison:
    """Compare generator a with generator b, named as on the leaderboard, on the cases that both have.

    Raises ValueError for an unknown name or a generator compared with itself, MixError for runs that must not be mixed.
    """
    runs = [run] if isinstance(run, Run) else list(run)
    return compare_in(score_cube(runs), runs[0].manifest, a, b, draws=draws, confidence=confidence, seed=seed)


def compare_in(
    cube: ScoreCube,
    manifest: Manifest,
    a: str,
    b: str,
    *,
    draws: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """The same within rows that were read already. manifest: of the cube's first run."""
    i, j = cube.find(a), cube.find(b)
    if i == j:
        raise UserError(f"{a!r} compared with itself: name two generators")
    generator = np.random.default_rng(seed)
    families = list(cube.plan.families)
    raw_CM = paired_differences(cube.raw_GMC[i], cube.raw_GMC[j]).T
    utility_CM = paired_differences(cube.utility_GMC[i], cube.utility_GMC[j]).T
    parts_CF = np.stack([case_parts(cube, i, j), *(case_parts(cube, i, j, family) for family in families)], axis=1)
    tests = _Tests(draws, confidence, generator)
    total, *by_family = tests.differences(parts_CF, parts_CF, parts_CF, split=1)
    by_metric = tests.differences(raw_CM, utility_CM, _better(cube, raw_CM, utility_CM), split=0)
    return Comparison(
        a=a,
        b=b,
        suite=manifest.suite_name,
        suite_hash=manifest.suite_hash,
        confidence=confidence,
        total=total,
        families=dict(zip(families, by_family, strict=True)),
        metrics={metric.facts.name: part for metric, part in zip(cube.metrics, by_metric, strict=True)},
        cases=_cases(cube, parts_CF[:, 0], utility_CM),
        notes=(*_left_out(cube, i, j), *cube.notes),
    )


def render_comparison(comparison: Comparison, console: Console, worst: int = 5) -> None:
    """Print the comparison with rich, with the cases that differ most."""
    from benchmarks.compare_table import print_comparison

    print_comparison(comparison, console, worst)


@dataclass(frozen=True, slots=True)
class _Tests:
    """How differences are judged."""

    draws: int
    confidence: float
    generator: np.random.Generator

    def differences(self, values_CK: Floats, utility_CK: Floats, better_CK: Floats, split: int) -> list[Difference]:
        """One Difference per column. Holm's correction runs over the columns from `split` on; those before stand alone.

        better_CK: positive where a is better, NaN where that cannot be said.
        """
        ends = self._intervals(values_CK)
        utility_ends = self._intervals(utility_CK)
        outcome_CK = np.sign(better_CK)
        net_ends = self._intervals(outcome_CK)
        p_K = sign_flip_p(values_CK, self.generator)
        adjusted_K = np.concatenate([p_K[:split], holm(p_K[split:])])
        return [
            Difference(
                difference=ends[k],
                utility=None if np.isnan(utility_CK[:, k]).all() else utility_ends[k],
                p=_known(p_K[k]),
                p_holm=_known(adjusted_K[k]),
                **_outcomes(better_CK[:, k]),
                net_win=None if np.isnan(outcome_CK[:, k]).all() else _within_one(net_ends[k]),
                detectable=detectable_difference(values_CK[:, k], self.confidence),
                cases=int((~np.isnan(values_CK[:, k])).sum()),
            )
            for k in range(values_CK.shape[1])
        ]

    def _intervals(self, values_CK: Floats) -> list[Interval]:
        cases_K = (~np.isnan(values_CK)).sum(axis=0)
        means_K = np.where(cases_K > 0, np.nansum(values_CK, axis=0) / np.maximum(cases_K, 1), np.nan)
        ends = spread(means_K, bootstrap_means(values_CK, self.draws, self.generator), cases_K, self.confidence)
        return [ends.at(k) for k in range(len(means_K))]


def _within_one(interval: Interval) -> Interval:
    """An interval of a rate, cut to -1…1: with fewer than 8 cases it can reach beyond."""
    ends = (None if end is None else min(max(end, -1.0), 1.0) for end in (interval.low, interval.high))
    return Interval(interval.value, *ends)


def _better(cube: ScoreCube, raw_CM: Floats, utility_CM: Floats) -> Floats:
    """Positive where a is better: by the raw value where more or less is better, by closeness for a band."""
    signs = {"higher": 1.0, "lower": -1.0}
    columns = [
        utility_CM[:, m] if metric.facts.direction == "band" else signs[metric.facts.direction] * raw_CM[:, m]
        for m, metric in enumerate(cube.metrics)
    ]
    return np.stack(columns, axis=1)


def _outcomes(better_C: Floats) -> dict[str, int | None]:
    if np.isnan(better_C).all():
        return {"wins": None, "ties": None, "losses": None}
    return {"wins": int((better_C > 0).sum()), "ties": int((better_C == 0).sum()), "losses": int((better_C < 0).sum())}


def _cases(cube: ScoreCube, parts_C: Floats, utility_CM: Floats) -> tuple[CaseDifference, ...]:
    known = np.flatnonzero(~np.isnan(parts_C))
    names = [metric.facts.name for metric in cube.metrics]
    return tuple(
        CaseDifference(cube.cases[c], float(parts_C[c]), dict(zip(names, map(_known, utility_CM[c]), strict=True)))
        for c in known[np.argsort(-np.abs(parts_C[known]), kind="stable")]
    )


def _left_out(cube: ScoreCube, i: int, j: int) -> list[str]:
    """Which metrics are compared on fewer cases than the suite has."""
    total = len(cube.cases)
    common_M = (~np.isnan(cube.raw_GMC[i]) & ~np.isnan(cube.raw_GMC[j])).sum(axis=1)
    return [
        f"{metric.facts.name}: {common} of {total} cases have a value from both"
        for metric, common in zip(cube.metrics, common_M, strict=True)
        if common < total
    ]


def _flat(part: Difference) -> dict[str, Any]:
    fields = asdict(part)
    ends = fields.pop("difference")
    return {"difference": ends["value"], "low": ends["low"], "high": ends["high"], **fields}


def _known(value: np.float64) -> float | None:
    return None if np.isnan(value) else float(value)
