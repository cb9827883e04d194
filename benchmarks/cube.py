"""The rows of one or more runs as arrays: generator × metric × case, seeds averaged inside the case.

Shapes: G generators, M metrics, C cases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.manifest import MetricFacts
from benchmarks.normalise import CountedMetric, ScoringPlan, scoring_plan
from benchmarks.store import Run
from eval.errors import UserError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_COLUMNS = (
    "generator", "case", "seed", "metric", "version", "encoder", "encoder_sha256", "value", "status", "suite_hash"
)  # fmt: skip
_STATUSES = ("ok", "skipped", "failed")
_NOBODY = -1

_Encoders = dict[str, tuple[tuple[str, str], str]]
"""Metric → (encoder, SHA-256 of its weights), and the run where it was seen first."""


class MixError(UserError):
    """Results that must not share a ranking. One line that names the difference."""


@dataclass(frozen=True, slots=True)
class Entrant:
    """One generator of one run. label: its name, or name@run where several runs hold the name."""

    label: str
    name: str
    run: str
    bracket: str


@dataclass(frozen=True, slots=True)
class ScoreCube:
    """Every number of a ranking.

    raw_GMC: mean over seeds of the values scored, in the metric's unit; NaN where there is none.
    utility_GMC: mean over seeds of the utilities (0…1); skipped clips are 0 where the suite says `worst`.
    scored_GM, skipped_GM, failed_GM, as_worst_GM: clips by what happened to them; expected: clips asked for.
    encoders: (encoder, SHA-256 of its weights) of each metric, ("", "") where no network is involved.
    """

    entrants: tuple[Entrant, ...]
    cases: tuple[str, ...]
    plan: ScoringPlan
    raw_GMC: Floats
    utility_GMC: Floats
    scored_GM: Integers
    skipped_GM: Integers
    failed_GM: Integers
    as_worst_GM: Integers
    expected: int
    encoders: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]

    @property
    def metrics(self) -> tuple[CountedMetric, ...]:
        return self.plan.metrics

    def find(self, label: str) -> int:
        """Index of a generator by its label. Raises ValueError naming the known ones."""
        labels = [entrant.label for entrant in self.entrants]
        if label not in labels:
            raise UserError(f"unknown generator {label!r}: this run holds {', '.join(labels)}")
        return labels.index(label)


@dataclass(slots=True)
class _Sums:
    """What is added up, run by run; flat over G × M × C."""

    raw: Floats
    utility: Floats
    scored: Integers
    counted: Integers
    by_status_GM: Integers


@dataclass(frozen=True, slots=True)
class _Axes:
    """Names → places along the cube's axes."""

    entrants: tuple[Entrant, ...]
    metrics: tuple[CountedMetric, ...]
    cases: tuple[str, ...]
    seeds: Integers
    planned_CS: npt.NDArray[np.bool_]

    @property
    def size(self) -> int:
        return len(self.entrants) * len(self.metrics) * len(self.cases)


def score_cube(runs: Sequence[Run]) -> ScoreCube:
    """Read the runs into one cube. MixError where suites, metric versions or encoders differ."""
    if not runs:
        raise UserError("no run given: name at least one")
    if len({run.id for run in runs}) < len(runs):
        raise UserError("a run is given twice: name each once")
    _same_suite(runs)
    plan = scoring_plan(runs[0].manifest.parsed_suite(), _same_metrics(runs))
    axes = _axes(runs, plan)
    sums = _Sums(
        raw=np.zeros(axes.size),
        utility=np.zeros(axes.size),
        scored=np.zeros(axes.size, np.int64),
        counted=np.zeros(axes.size, np.int64),
        by_status_GM=np.zeros((len(_STATUSES), len(axes.entrants), len(axes.metrics)), np.int64),
    )
    encoders: _Encoders = {}
    notes: list[str] = []
    for run in runs:
        _add(run, axes, sums, encoders, notes)
    used = tuple(
        encoders[metric.facts.name][0] if metric.facts.name in encoders else ("", "") for metric in plan.metrics
    )
    return _finish(axes, plan, sums, used, notes)


def _same_suite(runs: Sequence[Run]) -> None:
    ours = runs[0].manifest
    for run in runs[1:]:
        theirs = run.manifest
        if theirs.suite_hash != ours.suite_hash:
            raise MixError(
                f"runs {ours.run} and {theirs.run} hold different suites: {ours.suite_name} version "
                f"{ours.suite_version} ({ours.suite_hash[:12]}) and {theirs.suite_name} version {theirs.suite_version} "
                f"({theirs.suite_hash[:12]}): rank them apart"
            )


def _same_metrics(runs: Sequence[Run]) -> list[MetricFacts]:
    known: dict[str, tuple[MetricFacts, str]] = {}
    for run in runs:
        for facts in run.manifest.metrics:
            first, where = known.setdefault(facts.name, (facts, run.id))
            if first.version != facts.version:
                raise MixError(
                    f"metric {facts.name!r} is version {first.version} in run {where} and version {facts.version} in "
                    f"run {run.id}: score one of them again"
                )
    return [facts for facts, _ in known.values()]


def _axes(runs: Sequence[Run], plan: ScoringPlan) -> _Axes:
    names = [facts.name for run in runs for facts in run.manifest.generators]
    entrants = tuple(
        Entrant(
            f"{facts.name}@{run.id}" if names.count(facts.name) > 1 else facts.name, facts.name, run.id, facts.bracket
        )
        for run in runs
        for facts in run.manifest.generators
    )
    planned = runs[0].manifest.planned()
    if not planned:
        raise MixError(f"run {runs[0].id} has no cases: nothing to rank")
    cases = tuple(dict.fromkeys(case for case, _ in planned))
    seeds = np.unique(np.array([seed for _, seed in planned], np.int64))
    place = {case: index for index, case in enumerate(cases)}
    planned_CS = np.zeros((len(cases), len(seeds)), bool)
    planned_CS[[place[case] for case, _ in planned], np.searchsorted(seeds, [seed for _, seed in planned])] = True
    return _Axes(entrants, plan.metrics, cases, seeds, planned_CS)


def _add(run: Run, axes: _Axes, sums: _Sums, encoders: _Encoders, notes: list[str]) -> None:
    """Add up one run's rows. Rows of another suite are refused, rows of other metric versions or units left out."""
    table = run.row_table(_COLUMNS)
    if set(table["suite_hash"].unique().to_pylist()) - {run.manifest.suite_hash}:
        raise MixError(f"run {run.id} holds rows of a suite that is not its own: sweep again")
    generators = {entrant.name: g for g, entrant in enumerate(axes.entrants) if entrant.run == run.id}
    g_N = _places(table["generator"], generators)
    m_N = _places(table["metric"], {metric.facts.name: m for m, metric in enumerate(axes.metrics)})
    c_N = _places(table["case"], {case: c for c, case in enumerate(axes.cases)})
    status_N = _places(table["status"], {status: s for s, status in enumerate(_STATUSES)})
    s_N, seed_known_N = _seed_places(table["seed"], axes.seeds)
    known_N = (g_N != _NOBODY) & (m_N != _NOBODY) & (c_N != _NOBODY) & seed_known_N
    planned_N = known_N & axes.planned_CS[c_N, s_N]
    if not planned_N.all():
        notes.append(f"run {run.id}: {np.count_nonzero(~planned_N)} rows of nothing that the run planned are left out")
    versions_M = np.array([metric.facts.version for metric in axes.metrics], np.int64)
    current_N = table["version"].to_numpy() == versions_M[m_N]
    if (planned_N & ~current_N).any():
        notes.append(
            f"run {run.id}: {np.count_nonzero(planned_N & ~current_N)} rows of earlier metric versions are left out"
        )
    used_N = planned_N & current_N
    _note_encoders(table, m_N, used_N & (status_N == _STATUSES.index("ok")), run, axes, encoders)
    values_N = table["value"].to_numpy()
    status_N[(status_N == _STATUSES.index("ok")) & ~np.isfinite(values_N)] = _STATUSES.index("failed")
    _sum(g_N[used_N], m_N[used_N], c_N[used_N], status_N[used_N], values_N[used_N], axes, sums)


def _sum(
    g_N: Integers, m_N: Integers, c_N: Integers, status_N: Integers, values_N: Floats, axes: _Axes, sums: _Sums
) -> None:
    metrics = len(axes.metrics)
    flat_N = (g_N * metrics + m_N) * len(axes.cases) + c_N
    for s in range(len(_STATUSES)):
        pairs = (g_N * metrics + m_N)[status_N == s]
        sums.by_status_GM[s] += np.bincount(pairs, minlength=sums.by_status_GM[s].size).reshape(-1, metrics)
    ok_N = status_N == _STATUSES.index("ok")
    worst_M = np.array([metric.if_skipped == "worst" and metric.utility is not None for metric in axes.metrics], bool)
    counted_N = ok_N | ((status_N == _STATUSES.index("skipped")) & worst_M[m_N])
    utilities_N = np.where(ok_N, _utilities(values_N, m_N, axes.metrics), 0.0)
    sums.scored += np.bincount(flat_N[ok_N], minlength=axes.size)
    sums.raw += np.bincount(flat_N[ok_N], values_N[ok_N], minlength=axes.size)
    sums.counted += np.bincount(flat_N[counted_N], minlength=axes.size)
    sums.utility += np.bincount(flat_N[counted_N], utilities_N[counted_N], minlength=axes.size)


def _utilities(values_N: Floats, m_N: Integers, metrics: Sequence[CountedMetric]) -> Floats:
    result_N = np.full(values_N.shape, np.nan)
    for m, metric in enumerate(metrics):
        if metric.utility is not None:
            mine = np.flatnonzero(m_N == m)
            result_N[mine] = metric.utility(values_N[mine])
    return result_N


def _finish(
    axes: _Axes, plan: ScoringPlan, sums: _Sums, encoders: tuple[tuple[str, str], ...], notes: list[str]
) -> ScoreCube:
    shape = (len(axes.entrants), len(axes.metrics), len(axes.cases))
    worst_M = np.array([metric.if_skipped == "worst" and metric.utility is not None for metric in plan.metrics], bool)
    scored_GM, skipped_GM, failed_GM = sums.by_status_GM
    return ScoreCube(
        entrants=axes.entrants,
        cases=axes.cases,
        plan=plan,
        raw_GMC=_mean(sums.raw, sums.scored).reshape(shape),
        utility_GMC=_mean(sums.utility, sums.counted).reshape(shape),
        scored_GM=scored_GM,
        skipped_GM=skipped_GM,
        failed_GM=failed_GM,
        as_worst_GM=np.where(worst_M, skipped_GM, 0),
        expected=int(axes.planned_CS.sum()),
        encoders=encoders,
        notes=tuple(notes),
    )


def _mean(sums: Floats, counts: Integers) -> Floats:
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _places(column: pa.ChunkedArray, places: Mapping[str, int]) -> Integers:
    """Text → its place on an axis, _NOBODY where it has none; each distinct text is looked up once."""
    encoded = column.combine_chunks().dictionary_encode()
    lookup = np.array([places.get(text, _NOBODY) for text in encoded.dictionary.to_pylist()] or [_NOBODY], np.int64)
    return np.asarray(lookup[encoded.indices.to_numpy(zero_copy_only=False)], np.int64)


def _seed_places(column: pa.ChunkedArray, seeds: Integers) -> tuple[Integers, npt.NDArray[np.bool_]]:
    values_N = column.to_numpy()
    places_N = np.minimum(np.searchsorted(seeds, values_N), len(seeds) - 1)
    return places_N, seeds[places_N] == values_N


def _note_encoders(
    table: pa.Table, m_N: Integers, used_N: npt.NDArray[np.bool_], run: Run, axes: _Axes, encoders: _Encoders
) -> None:
    """Remember which encoder gave each metric's values, and refuse a second one."""
    columns = table.select(["encoder", "encoder_sha256"]).append_column("metric", pa.array(m_N))
    distinct = columns.filter(pa.array(used_N)).group_by(columns.column_names).aggregate([])
    for line in distinct.to_pylist():
        name = axes.metrics[line["metric"]].facts.name
        ours = (line["encoder"], line["encoder_sha256"])
        first, where = encoders.setdefault(name, (ours, run.id))
        if first != ours:
            raise MixError(
                f"metric {name!r} was scored by {_encoder(first)} in run {where} and by {_encoder(ours)} in run "
                f"{run.id}: score one of them again"
            )


def _encoder(encoder: tuple[str, str]) -> str:
    name, sha256 = encoder
    return f"encoder {name} ({sha256[:12]})" if name or sha256 else "no encoder"
