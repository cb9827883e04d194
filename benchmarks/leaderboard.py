"""The leaderboard: every number with its interval, ranks as intervals, ties shown as ties."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.cube import ScoreCube, score_cube
from benchmarks.estimates import Estimates, Interval, case_parts, estimate
from benchmarks.set_board import SetBoard, SetCell, SetColumn, set_board
from benchmarks.statistics import rank_intervals, step_down_p
from benchmarks.store import Run
from eval.metric import Direction

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True, slots=True)
class MetricCell:
    """One metric of one generator.

    raw: mean over cases (seeds averaged inside the case) in the metric's unit, scored rows only.
    utility: the same on 0…1, higher is better; None for a band metric without reference clips.
    scored … missing: rows by status; they add up to expected.
    as_worst: how many of the skipped count as utility 0 by the suite's rule.
    """

    raw: Interval
    utility: Interval | None
    scored: int
    skipped: int
    failed: int
    missing: int
    expected: int
    as_worst: int


@dataclass(frozen=True, slots=True)
class MetricColumn:
    """What a metric means and how it counts. counted: part of the totals; else `note` says why not."""

    name: str
    version: int
    family: str
    unit: str
    direction: Direction
    low: float
    high: float
    weight: float
    counted: bool
    note: str
    encoder: str
    encoder_sha256: str
    summary: str
    blind_spots: str


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One generator.

    generator: its name; with the run (`name@run`) where two runs hold the same name.
    rank: best and worst place that the data allow; None below the suite's minimum coverage or without a total.
    coverage: scored / expected over the counted metrics (0…1); None where nothing counts.
    sets: measures of all its clips together, which no total and no rank contains.
    reasons: why there is no total or no rank, or what to know about them.
    """

    generator: str
    name: str
    run: str
    bracket: str
    rank: tuple[int, int] | None
    total: Interval
    families: Mapping[str, Interval]
    metrics: Mapping[str, MetricCell]
    coverage: float | None
    cases: int
    reasons: tuple[str, ...]
    sets: Mapping[str, SetCell] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Board:
    """A leaderboard. rows: ranked generators first, by best place, then total; then the others. notes: what to know."""

    suite: str
    suite_version: int
    suite_hash: str
    runs: tuple[str, ...]
    confidence: float
    draws: int
    cases: int
    columns: tuple[MetricColumn, ...]
    families: tuple[str, ...]
    rows: tuple[BoardRow, ...]
    notes: tuple[str, ...]
    set_columns: tuple[SetColumn, ...] = ()

    def to_json(self) -> str:
        """The JSON document of `moviegen leaderboard --json`."""
        from benchmarks.export import board_json

        return board_json(self)

    def to_csv(self) -> str:
        """One line per generator; cells that a spreadsheet would run as a formula are quoted with '."""
        from benchmarks.export import board_csv

        return board_csv(self)

    def to_html(self) -> str:
        """One self-contained page: table and dot plot, nothing remote, every text escaped."""
        from benchmarks.reports.board_page import board_page

        return board_page(self)


def build_board(
    runs: Sequence[Run],
    *,
    draws: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
    cube: ScoreCube | None = None,
) -> Board:
    """Rank the generators of one or more runs of the same suite. MixError names a difference that forbids it.

    Intervals: bootstrap over cases, the same resamples for every generator and metric. Ranks: paired sign-flip tests of
    the totals between all ranked generators, corrected together, so that all rank intervals hold at once.

    cube: `score_cube(runs)`, where it was read already.
    """
    cube, sets = cube or score_cube(runs), set_board(runs)
    generator = np.random.default_rng(seed)
    estimates = estimate(cube, draws, confidence, generator)
    obstacles = [_obstacles(cube, g) for g in range(len(cube.entrants))]
    ranked = [g for g, reasons in enumerate(obstacles) if not reasons]
    ranks = _ranks(cube, ranked, 1 - confidence, generator)
    rows = [
        _row(cube, estimates, sets, g, ranks.get(g), obstacles[g] or _incomplete(cube, g))
        for g in range(len(cube.entrants))
    ]
    first = runs[0].manifest
    return Board(
        suite=first.suite_name,
        suite_version=first.suite_version,
        suite_hash=first.suite_hash,
        runs=tuple(run.id for run in runs),
        confidence=confidence,
        draws=draws,
        cases=len(cube.cases),
        columns=tuple(_column(cube, m) for m in range(len(cube.metrics))),
        families=tuple(cube.plan.families),
        rows=tuple(sorted(rows, key=_order)),
        notes=(*_notes(runs, cube, len(ranked), 1 - confidence), *cube.notes),
        set_columns=sets.columns,
    )


def coverage(cube: ScoreCube, g: int) -> float | None:
    """Scored / expected over the counted metrics; None where nothing counts."""
    counted = [m for m, metric in enumerate(cube.metrics) if metric.counted]
    expected = cube.expected * (len(counted) + len(cube.plan.absent))
    scored = cube.scored_GM[g, counted].sum() + cube.as_worst_GM[g, counted].sum()
    return float(scored / expected) if expected else None


def render_table(board: Board, console: Console) -> None:
    """Print the board with rich, in at most 100 columns."""
    from benchmarks.board_table import print_board

    print_board(board, console)


def _row(
    cube: ScoreCube,
    estimates: Estimates,
    sets: SetBoard,
    g: int,
    rank: tuple[int, int] | None,
    reasons: tuple[str, ...],
) -> BoardRow:
    entrant = cube.entrants[g]
    return BoardRow(
        generator=entrant.label,
        name=entrant.name,
        run=entrant.run,
        bracket=entrant.bracket,
        rank=rank,
        total=estimates.total_G.at(g),
        families={family: estimates.families_GF.at(g, f) for f, family in enumerate(cube.plan.families)},
        metrics={metric.facts.name: _cell(cube, estimates, g, m) for m, metric in enumerate(cube.metrics)},
        coverage=coverage(cube, g),
        cases=int((~np.isnan(cube.raw_GMC[g])).any(axis=0).sum()),
        reasons=reasons,
        sets=sets.cells[entrant.run, entrant.name],
    )


def _cell(cube: ScoreCube, estimates: Estimates, g: int, m: int) -> MetricCell:
    scored, skipped, failed = (int(counts[g, m]) for counts in (cube.scored_GM, cube.skipped_GM, cube.failed_GM))
    return MetricCell(
        raw=estimates.raw_GM.at(g, m),
        utility=None if cube.metrics[m].utility is None else estimates.utility_GM.at(g, m),
        scored=scored,
        skipped=skipped,
        failed=failed,
        missing=cube.expected - scored - skipped - failed,
        expected=cube.expected,
        as_worst=int(cube.as_worst_GM[g, m]),
    )


def _column(cube: ScoreCube, m: int) -> MetricColumn:
    metric, (encoder, encoder_sha256) = cube.metrics[m], cube.encoders[m]
    facts = metric.facts
    return MetricColumn(
        name=facts.name,
        version=facts.version,
        family=facts.family,
        unit=facts.unit,
        direction=facts.direction,
        low=facts.low,
        high=facts.high,
        weight=metric.weight,
        counted=metric.counted,
        note=metric.note,
        encoder=encoder,
        encoder_sha256=encoder_sha256,
        summary=facts.summary,
        blind_spots=facts.blind_spots,
    )


def _obstacles(cube: ScoreCube, g: int) -> tuple[str, ...]:
    """Why a generator has no rank; nothing when it has one."""
    if not cube.plan.families:
        return ("no metric of this suite counts towards a total",)
    reasons = [f"{name} was never scored: no total" for name in cube.plan.absent]
    for m, metric in enumerate(cube.metrics):
        if metric.counted and np.isnan(cube.utility_GMC[g, m]).all():
            what = f"{cube.skipped_GM[g, m]} skipped, {cube.failed_GM[g, m]} failed of {cube.expected}"
            reasons.append(f"no value for {metric.facts.name} ({what}): no total")
    covered = coverage(cube, g) or 0.0
    if covered < cube.plan.minimum_coverage:
        reasons.append(f"coverage {covered:.1%} is below the suite's {cube.plan.minimum_coverage:.1%}: no rank")
    return tuple(reasons)


def _incomplete(cube: ScoreCube, g: int) -> tuple[str, ...]:
    counted = [m for m, metric in enumerate(cube.metrics) if metric.counted]
    lacking = int(np.isnan(cube.utility_GMC[g, counted]).any(axis=0).sum())
    if not lacking:
        return ()
    return (f"{lacking} of {len(cube.cases)} cases lack a value: ranked on the cases in common with each rival",)


def _ranks(
    cube: ScoreCube, ranked: Sequence[int], alpha: float, generator: np.random.Generator
) -> dict[int, tuple[int, int]]:
    pairs = list(itertools.combinations(range(len(ranked)), 2))
    better_GG = np.zeros((len(ranked), len(ranked)), bool)
    if pairs:
        parts_CP = np.stack([case_parts(cube, ranked[i], ranked[j]) for i, j in pairs], axis=1)
        sums_P = np.nansum(parts_CP, axis=0)
        for (i, j), total, p in zip(pairs, sums_P, step_down_p(parts_CP, generator), strict=True):
            if p <= alpha and total != 0:
                better_GG[(i, j) if total > 0 else (j, i)] = True
    return dict(zip(ranked, rank_intervals(better_GG), strict=True))


def _notes(runs: Sequence[Run], cube: ScoreCube, ranked: int, alpha: float) -> list[str]:
    notes = [f"run {run.id} is not complete: resume it" for run in runs if run.manifest.status == "partial"]
    if ranked > 1 and 2.0 ** (1 - len(cube.cases)) > alpha:
        notes.append(f"{len(cube.cases)} cases are too few to tell generators apart: every rank is open")
    return notes


def _order(row: BoardRow) -> tuple[bool, bool, int, bool, float, str]:
    """By best place; among generators tied for it the ceiling goes first: the data cannot put anything above it."""
    value, best = row.total.value, 0 if row.rank is None else row.rank[0]
    return (
        row.rank is None,
        value is None,
        best,
        row.bracket != "ceiling",
        0.0 if value is None else -value,
        row.generator,
    )


__all__ = [
    "Board",
    "BoardRow",
    "Interval",
    "MetricCell",
    "MetricColumn",
    "SetCell",
    "SetColumn",
    "build_board",
    "coverage",
    "render_table",
]
