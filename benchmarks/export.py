"""A leaderboard as JSON and CSV; any table as CSV."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from benchmarks.estimates import Interval

if TYPE_CHECKING:
    import pandas as pd

    from benchmarks.leaderboard import Board, BoardRow, SetCell

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What makes a spreadsheet run a cell instead of showing it (OWASP, "CSV Injection")."""


def board_json(board: Board) -> str:
    """One JSON document; what is not known is null, never NaN."""
    document = {
        "suite": board.suite,
        "suite_version": board.suite_version,
        "suite_hash": board.suite_hash,
        "run": ", ".join(board.runs),
        "runs": board.runs,
        "confidence": board.confidence,
        "draws": board.draws,
        "cases": board.cases,
        "generators": [_generator(row) for row in board.rows],
        "metrics": [asdict(column) for column in board.columns],
        "sets": [asdict(column) for column in board.set_columns],
        "notes": board.notes,
    }
    return to_json(document)


def to_json(document: Any) -> str:
    """JSON text in which infinite and undefined numbers are null."""
    return json.dumps(_finite(document), ensure_ascii=False, allow_nan=False, indent=2)


def board_csv(board: Board) -> str:
    """One line per generator, numbers unrounded, empty where not known."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    lines = [dict(_cells(board, row)) for row in board.rows]
    header = list(lines[0]) if lines else []
    writer.writerow([guarded(name) for name in header])
    writer.writerows([guarded(line[name]) for name in header] for line in lines)
    return out.getvalue()


def guarded(cell: str | float | None) -> str | float | None:
    """Text that a spreadsheet would run as a formula, made text again by a leading '."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS) else cell


def frame_csv(frame: pd.DataFrame) -> str:
    """A data frame as CSV, numbers unrounded, lists joined by `; `, empty where not known, formulas made text."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([guarded(str(name)) for name in frame.columns])
    for row in frame.itertuples(index=False, name=None):
        writer.writerow([guarded(_csv_cell(value)) for value in row])
    return out.getvalue()


def _csv_cell(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return "; ".join(map(str, value))
    return None if isinstance(value, float) and math.isnan(value) else value


def _generator(row: BoardRow) -> dict[str, Any]:
    return {
        "generator": row.generator,
        "name": row.name,
        "run": row.run,
        "bracket": row.bracket,
        "rank": row.rank,
        "total": asdict(row.total),
        "families": {name: asdict(interval) for name, interval in row.families.items()},
        "metrics": {
            name: {
                **asdict(cell.raw),
                "scored": cell.scored,
                "skipped": cell.skipped,
                "failed": cell.failed,
                "missing": cell.missing,
                "expected": cell.expected,
                "as_worst": cell.as_worst,
                "utility": None if cell.utility is None else asdict(cell.utility),
            }
            for name, cell in row.metrics.items()
        },
        "sets": {name: set_document(cell) for name, cell in row.sets.items()},
        "coverage": row.coverage,
        "cases": row.cases,
        "reasons": row.reasons,
    }


def set_document(cell: SetCell) -> dict[str, Any]:
    """A set metric's number with its interval beside everything else that is known of it."""
    document = asdict(cell)
    return {**document.pop("value"), **document}


def _cells(board: Board, row: BoardRow) -> Iterator[tuple[str, str | float | None]]:
    best, worst = row.rank or (None, None)
    yield from (("generator", row.generator), ("run", row.run), ("bracket", row.bracket))
    yield from (("rank_best", best), ("rank_worst", worst))
    yield from _ends("total", row.total)
    yield "coverage", row.coverage
    for family in board.families:
        yield from _ends(f"{family} family", row.families[family])
    for column in board.columns:
        cell = row.metrics[column.name]
        yield from _ends(column.name, cell.raw)
        yield from ((f"{column.name} scored", cell.scored), (f"{column.name} expected", cell.expected))
    for measure in board.set_columns:
        found = row.sets[measure.name]
        yield from _ends(measure.name, found.value)
        yield from ((f"{measure.name} samples", found.samples), (f"{measure.name} clips", found.clips))
        yield from ((f"{measure.name} expected", found.expected), (f"{measure.name} reason", found.reason))
    yield "reasons", "; ".join(row.reasons)
    yield from (("suite", board.suite), ("suite_hash", board.suite_hash))


def _ends(name: str, interval: Interval) -> Iterator[tuple[str, float | None]]:
    yield from ((name, interval.value), (f"{name} low", interval.low), (f"{name} high", interval.high))


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
