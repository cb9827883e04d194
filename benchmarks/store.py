"""The store: a run is a folder of Parquet, read with DuckDB.

    runs/<run id>/  manifest.json   clips/<sha256>.<ext>   shards/000001/{rows,clips}.parquet   sets.parquet   lock

A shard holds whole units, rows and clip records together; sets.parquet holds the rows about all clips of a generator.
Writing is RunWriter's, in writer.py.
"""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyarrow as pa

from benchmarks.clip_store import CLIP_NAME, CLIPS
from benchmarks.manifest import RUN_ID, Manifest, StoreError, read_manifest
from benchmarks.records import CLIP_SCHEMA, ROW_SCHEMA, Unit, UnitResult
from benchmarks.set_rows import FILE as SETS
from benchmarks.set_rows import SetRow, read_set_rows
from benchmarks.shards import query
from benchmarks.writer import MetricKey, RunWriter, UnitState
from eval.metric import Status

_LOG = logging.getLogger(__name__)


class Run:
    """A run to read; cheap to open, safe to read while a sweep writes."""

    def __init__(self, folder: Path) -> None:
        """Raises StoreError where the folder is not a run."""
        self.folder = folder
        self.manifest: Manifest = read_manifest(folder)

    @property
    def id(self) -> str:
        return self.manifest.run

    def rows(
        self,
        *,
        generator: str | None = None,
        case: str | None = None,
        seed: int | None = None,
        metric: str | None = None,
        status: Status | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> pd.DataFrame:
        """Rows (records.ROW_SCHEMA) by generator, case, seed, metric, version; filters are bound parameters."""
        filters = {"generator": generator, "case": case, "seed": seed, "metric": metric, "status": status}
        return self._select(
            "rows", ROW_SCHEMA, ("generator", "case", "seed", "metric", "version"), filters, limit, offset
        )

    def clips(
        self,
        *,
        generator: str | None = None,
        case: str | None = None,
        seed: int | None = None,
        status: Status | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> pd.DataFrame:
        """Clip records (records.CLIP_SCHEMA) by generator, case, seed."""
        filters = {"generator": generator, "case": case, "seed": seed, "status": status}
        return self._select("clips", CLIP_SCHEMA, ("generator", "case", "seed"), filters, limit, offset)

    def set_rows(self) -> list[SetRow]:
        """Rows about whole sets of clips; none where none were measured yet."""
        return read_set_rows(self.folder)

    def row_table(self, columns: Sequence[str]) -> pa.Table:
        """Some columns of all rows as Arrow, in no particular order: for arithmetic over whole runs."""
        schema = pa.schema([ROW_SCHEMA.field(name) for name in columns])
        return query(self.folder, "rows", schema, f"SELECT {_names(columns)} FROM {{table}}")  # noqa: S608 - our columns

    def case_table(self) -> pa.Table:
        """One line per case of the clips: case, prompt, tags, seeds (sorted), in the order of the case ids."""
        return query(self.folder, "clips", _CASE_SCHEMA, _CASES)

    def outcome_table(self) -> pa.Table:
        """How many rows ended how: generator, metric, version, status, reason, rows; most frequent first."""
        return query(self.folder, "rows", _OUTCOME_SCHEMA, _OUTCOMES)

    def clip_outcome_table(self) -> pa.Table:
        """How many clips ended how: generator, status, reason, clips; most frequent first."""
        return query(self.folder, "clips", _CLIP_OUTCOME_SCHEMA, _CLIP_OUTCOMES)

    def cost_table(self) -> pa.Table:
        """What clips cost: generator, generate_s and score_s, means over its clips in seconds (null where none is)."""
        return query(self.folder, "clips", _COST_SCHEMA, _COSTS)

    def clip_path(self, file: str) -> Path | None:
        """The path of a clip by its name in the clips table; None where there is none. Never outside the run folder."""
        if not CLIP_NAME.fullmatch(file):
            return None
        path = (self.folder / CLIPS / file).resolve()
        return path if path == self.folder.resolve() / CLIPS / file and path.is_file() else None

    @property
    def stamp(self) -> tuple[int, int, int]:
        """Changes whenever the run does (shards, set rows, manifest): a key for caches."""
        shards, sets = self.folder / "shards", self.folder / SETS
        changed = shards.stat().st_mtime_ns if shards.is_dir() else 0
        measured = sets.stat().st_mtime_ns if sets.is_file() else 0
        return changed, measured, (self.folder / "manifest.json").stat().st_mtime_ns

    def _select(
        self,
        table: Literal["rows", "clips"],
        schema: pa.Schema,
        order: Sequence[str],
        filters: Mapping[str, Any],
        limit: int | None,
        offset: int,
    ) -> pd.DataFrame:
        used = {name: value for name, value in filters.items() if value is not None}
        where = " AND ".join(f'"{name}" = ${name}' for name in used) or "true"
        page = f"LIMIT {int(limit)}" if limit is not None else ""
        sql = f"SELECT * FROM {{table}} WHERE {where} ORDER BY {_names(order)} {page} OFFSET {int(offset)}"  # noqa: S608
        frame: pd.DataFrame = query(self.folder, table, schema, sql, **used).to_pandas()
        return frame


_CASE_SCHEMA = pa.schema(
    [
        ("case", pa.string()),
        ("prompt", pa.string()),
        ("tags", pa.list_(pa.string())),
        ("seeds", pa.list_(pa.int64())),
    ]
)
_CASES = """
    SELECT "case", max(prompt) AS prompt, any_value(tags) AS tags, list_sort(list(DISTINCT seed)) AS seeds
    FROM {table} GROUP BY "case" ORDER BY "case" """
_OUTCOME_SCHEMA = pa.schema(
    [
        *(ROW_SCHEMA.field(name) for name in ("generator", "metric", "version", "status", "reason")),
        pa.field("rows", pa.int64()),
    ]
)
_OUTCOMES = """
    SELECT generator, metric, version, status, reason, count(*) AS rows
    FROM {table} GROUP BY ALL ORDER BY rows DESC, generator, metric, version, status, reason"""


_CLIP_OUTCOME_SCHEMA = pa.schema(
    [*(CLIP_SCHEMA.field(name) for name in ("generator", "status", "reason")), pa.field("clips", pa.int64())]
)
_CLIP_OUTCOMES = """
    SELECT generator, status, reason, count(*) AS clips
    FROM {table} GROUP BY ALL ORDER BY clips DESC, generator, status, reason"""


_COST_SCHEMA = pa.schema([("generator", pa.string()), ("generate_s", pa.float64()), ("score_s", pa.float64())])
_COSTS = """
    SELECT generator, avg(generate_seconds) AS generate_s, avg(score_seconds) AS score_s
    FROM {table} WHERE file <> '' GROUP BY generator ORDER BY generator"""


def open_run(root: Path, run_id: str) -> Run:
    """Open root/run_id. StoreError for an id that is not a name, or unknown (with the nearest ones)."""
    if not re.fullmatch(RUN_ID, run_id):
        raise StoreError(f"{run_id!r} is not a run: a run is named by letters, digits, '.', '_' and '-'")
    if not (root / run_id / "manifest.json").is_file():
        known = [run.id for run in list_runs(root)]
        near = difflib.get_close_matches(run_id, known, n=3, cutoff=0.4) or known[:3]
        hint = (
            f"did you mean {' or '.join(map(repr, near))}?" if near else "there is none yet: moviegen sweep makes one"
        )
        raise StoreError(f"unknown run {run_id!r} in {root}: {hint}")
    return Run(root / run_id)


def list_runs(root: Path) -> list[Run]:
    """Readable runs under root, newest first. A run with a broken manifest is left out and logged."""
    runs = []
    for folder in sorted(root.iterdir()) if root.is_dir() else []:
        if not re.fullmatch(RUN_ID, folder.name) or not (folder / "manifest.json").is_file():
            continue
        try:
            runs.append(Run(folder))
        except StoreError as error:
            _LOG.warning("run left out: %s", error)
    return sorted(runs, key=lambda run: run.manifest.created, reverse=True)


def _names(columns: Sequence[str]) -> str:
    return ", ".join(f'"{ROW_SCHEMA.field(name).name}"' for name in columns)


__all__ = ["MetricKey", "Run", "RunWriter", "StoreError", "Unit", "UnitResult", "UnitState", "list_runs", "open_run"]
