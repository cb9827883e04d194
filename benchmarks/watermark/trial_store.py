"""The trials of an audit on disk: shards of whole units, so that a killed audit goes on where it stopped.

    AUDIT/plan.json   trials/000001/{units.json,trials.parquet,tax.parquet,facts.parquet,encodings.parquet}   lock

A shard is written under a temporary name and renamed: its units and rows appear at once.
"""

from __future__ import annotations

import fcntl
import json
import re
import shutil
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.clip_store import TEMPORARY
from eval.cache import write_atomically
from safety.watermark.figures import Tables
from safety.watermark.plan import WatermarkError, WatermarkPlan
from safety.watermark.subjects import Facts
from safety.watermark.trial import Encoding, Tax, Trial, UnitResult, record

PLAN, SHARDS = "plan.json", "trials"
_TYPES = {"str": pa.string(), "int": pa.int64(), "float": pa.float64(), "bool": pa.bool_()}


def _schema(kind: type[Any]) -> pa.Schema:
    """Columns of a row's fields: None is null, literals are text, the vector a list of numbers."""
    columns = []
    for field in fields(kind):
        name = str(field.type).removesuffix(" | None")
        columns.append(
            (field.name, pa.list_(pa.float64()) if name.startswith("tuple") else _TYPES.get(name, pa.string()))
        )
    return pa.schema(columns)


SCHEMAS = {
    "trials": _schema(Trial),
    "tax": _schema(Tax),
    "facts": _schema(Facts),
    "encodings": _schema(Encoding),
}


class TrialStore:
    """The one writer of an audit's folder. A context manager: leaving it flushes and releases the lock."""

    def __init__(self, folder: Path, plan: WatermarkPlan) -> None:
        """Open the folder, new or begun with the same plan. Raises WatermarkError for another plan or writer."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._lock = (folder / "lock").open("a+", encoding="utf-8")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.close()
            raise WatermarkError(
                f"{folder} is being written by another audit: wait for it, or give --run another name"
            ) from error
        try:
            self._settle(plan)
        except BaseException:
            self._lock.close()
            raise
        self._pending: list[UnitResult] = []

    def _settle(self, plan: WatermarkPlan) -> None:
        path = self.folder / PLAN
        if path.is_file():
            held = json.loads(path.read_bytes()).get("sha256", "")
            if held != plan.sha256:
                raise WatermarkError(
                    f"{self.folder} holds an audit with another plan ({held[:12]}, not {plan.sha256[:12]}): "
                    "give --run another name"
                )
        else:
            document = {"sha256": plan.sha256, "plan": plan.to_json()}
            write_atomically(path, (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode())
        for left in (self.folder / SHARDS).glob(f"{TEMPORARY}*"):
            shutil.rmtree(left)

    def done(self) -> set[str]:
        """Ids of the units on disk."""
        return {unit for shard in _shards(self.folder) for unit in json.loads((shard / "units.json").read_bytes())}

    def add(self, result: UnitResult) -> None:
        """Take a unit; it is on disk after the next flush."""
        self._pending.append(result)

    @property
    def pending(self) -> int:
        return len(self._pending)

    def flush(self) -> None:
        """Commit what was added as one shard. OSError (a full disk) leaves earlier shards as they are."""
        if not self._pending:
            return
        last = _shards(self.folder)
        number = int(last[-1].name) + 1 if last else 1
        target = self.folder / SHARDS / f"{number:06d}"
        temporary = target.with_name(f"{TEMPORARY}{target.name}")
        try:
            temporary.mkdir(parents=True)
            (temporary / "units.json").write_text(json.dumps([result.unit for result in self._pending]))
            for name, schema in SCHEMAS.items():
                rows = [record(row) for result in self._pending for row in getattr(result, name)]
                pq.write_table(
                    pa.Table.from_pylist(rows, schema=schema), temporary / f"{name}.parquet", compression="zstd"
                )
            temporary.rename(target)
        except OSError:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        self._pending.clear()

    def tables(self) -> Tables:
        """All rows on disk, sorted, so that the order in which workers finished does not show."""
        return read_tables(self.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.flush()
        except OSError as unsaved:
            if error is None:
                raise
            error.add_note(f"and the last {self.pending} units could not be stored: {unsaved}")
        finally:
            self._lock.close()


def read_tables(folder: Path) -> Tables:
    """The long tables of an audit's folder."""
    shards = _shards(folder)
    found = {name: _read(schema, (shard / f"{name}.parquet" for shard in shards)) for name, schema in SCHEMAS.items()}
    return Tables(
        trials=found["trials"].sort_values(["mark", "kind", "clip", "seed", "attack", "strength"], ignore_index=True),
        tax=found["tax"].sort_values(["mark", "clip", "seed", "metric"], ignore_index=True),
        facts=found["facts"].drop_duplicates("clip").sort_values("clip", ignore_index=True),
        encodings=found["encodings"].sort_values(["beside", "clip", "mark"], ignore_index=True),
    )


def _read(schema: pa.Schema, paths: Iterable[Path]) -> pd.DataFrame:
    tables = [schema.empty_table(), *(pq.read_table(path, schema=schema) for path in paths)]
    frame: pd.DataFrame = pa.concat_tables(tables).to_pandas()
    return frame


def _shards(folder: Path) -> list[Path]:
    try:
        found = [path for path in (folder / SHARDS).iterdir() if re.fullmatch(r"\d{6,}", path.name)]
    except FileNotFoundError:
        return []
    return sorted(found, key=lambda path: int(path.name))
