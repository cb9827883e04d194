"""The set metrics of a leaderboard: a column for each, and a cell for each generator, with its reason where it has one.

They stand beside the totals and never in them: totals are means over cases, compared case by case, and a number about
a set is a number about no case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.cube import MixError
from benchmarks.estimates import Interval
from benchmarks.manifest import SetMetricFacts
from benchmarks.set_rows import SetRow
from benchmarks.store import Run
from eval.metric import Direction, Status

CONFIDENCE = 0.95
"""Of every interval of a set metric, whatever confidence the board's other intervals are asked for."""


@dataclass(frozen=True, slots=True)
class SetColumn:
    """What a set metric means."""

    name: str
    version: int
    family: str
    unit: str
    direction: Direction
    low: float
    high: float
    encoder: str
    encoder_sha256: str
    source: str
    summary: str
    blind_spots: str


@dataclass(frozen=True, slots=True)
class SetCell:
    """One set metric of one generator. The fields are SetRow's; `ranks`: whether the number may be compared."""

    value: Interval
    samples: int
    clips: int
    expected: int
    real_clips: int
    status: Status
    reason: str
    ranks: bool


@dataclass(frozen=True, slots=True)
class SetBoard:
    """columns: in the suite's order. cells: (run, generator) → metric → cell."""

    columns: tuple[SetColumn, ...]
    cells: Mapping[tuple[str, str], Mapping[str, SetCell]]


def set_board(runs: Sequence[Run]) -> SetBoard:
    """Read the set rows of runs of one suite. MixError where a metric's version or its encoder differs between them."""
    facts = _facts(runs)
    rows = {(run.id, row.generator, row.metric): row for run in runs for row in run.set_rows()}
    rows = {key: row for key, row in rows.items() if key[2] in facts and row.version == facts[key[2]].version}
    encoders = {name: _encoder(name, rows) for name in facts}
    cells = {
        (run.id, generator.name): {name: _cell(run, rows.get((run.id, generator.name, name))) for name in facts}
        for run in runs
        for generator in run.manifest.generators
    }
    return SetBoard(tuple(_column(fact, encoders[name]) for name, fact in facts.items()), cells)


def _facts(runs: Sequence[Run]) -> dict[str, SetMetricFacts]:
    known: dict[str, tuple[SetMetricFacts, str]] = {}
    for run in runs:
        for facts in run.manifest.set_metrics:
            first, where = known.setdefault(facts.name, (facts, run.id))
            if first.version != facts.version:
                raise MixError(
                    f"set metric {facts.name!r} is version {first.version} in run {where} and version {facts.version} "
                    f"in run {run.id}: sweep one of them again"
                )
    return {name: facts for name, (facts, _) in known.items()}


def _encoder(name: str, rows: Mapping[tuple[str, str, str], SetRow]) -> tuple[str, str]:
    """(encoder, SHA-256 of its weights) behind a metric's numbers; ("", "") where there is none yet."""
    found = {
        (row.encoder, row.encoder_sha256): run
        for (run, _, metric), row in rows.items()
        if metric == name and row.status == "ok"
    }
    if len(found) > 1:
        (one, first), (other, second) = list(found.items())[:2]
        raise MixError(
            f"set metric {name!r} was measured by encoder {one[0]} ({one[1][:12]}) in run {first} and by {other[0]} "
            f"({other[1][:12]}) in run {second}: resume one of them"
        )
    return next(iter(found), ("", ""))


def _column(facts: SetMetricFacts, encoder: tuple[str, str]) -> SetColumn:
    return SetColumn(
        name=facts.name,
        version=facts.version,
        family=facts.family,
        unit=facts.unit,
        direction=facts.direction,
        low=facts.low,
        high=facts.high,
        encoder=encoder[0] or facts.encoder,
        encoder_sha256=encoder[1],
        source=facts.source,
        summary=facts.summary,
        blind_spots=facts.blind_spots,
    )


def _cell(run: Run, row: SetRow | None) -> SetCell:
    if row is None:
        reason = f"not measured yet: moviegen sweep --resume {run.id}"
        return SetCell(Interval(None, None, None), 0, 0, 0, 0, "missing", reason, ranks=False)
    return cell_of(row)


def cell_of(row: SetRow) -> SetCell:
    """The row as a cell of a board."""
    return SetCell(
        value=Interval(row.value, row.low, row.high),
        samples=row.samples,
        clips=row.clips,
        expected=row.expected,
        real_clips=row.real_clips,
        status=row.status,
        reason=row.reason,
        ranks=row.ranks,
    )
