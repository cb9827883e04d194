"""The store: a run is a folder of Parquet, read with DuckDB.

    runs/<run id>/  manifest.json   clips/<sha256>.<ext>   shards/000001/{rows,clips}.parquet   lock

A shard is a folder that holds whole units, rows and clip records together; renaming it into place commits both.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import pandas as pd
import pyarrow as pa

from benchmarks.manifest import Manifest, StoreError
from benchmarks.records import Unit, UnitResult
from eval.metric import Status

MetricKey = tuple[str, int]
"""Name and version of a metric."""


@dataclass(frozen=True, slots=True)
class UnitState:
    """What the store holds of one unit: its clip, and the status of each (metric, version)."""

    clip_sha256: str
    file: str
    metrics: dict[MetricKey, Status]


class RunWriter:
    """The one writer of a run folder; a second one gets a StoreError.

    Use it as a context manager: leaving it flushes what was added and releases the lock.
    """

    def __init__(self, folder: Path) -> None:
        """Open an existing run for writing: takes the lock, removes what a killed writer left."""
        raise NotImplementedError

    @classmethod
    def create(cls, folder: Path, manifest: Manifest) -> Self:
        """Make a new run folder (parents too) with its manifest. StoreError if it exists."""
        raise NotImplementedError

    @property
    def manifest(self) -> Manifest:
        raise NotImplementedError

    def update_manifest(self, manifest: Manifest) -> None:
        """Replace the manifest (more metrics, more generators, status). Run id and suite hash cannot change."""
        raise NotImplementedError

    def adopt_clip(self, path: Path, sha256: str, *, move: bool = False) -> str:
        """Copy (or move) a clip into clips/ under its hash; returns its name for UnitResult.file."""
        raise NotImplementedError

    def add(self, result: UnitResult) -> None:
        """Take one whole unit; it is on disk after the next flush."""
        raise NotImplementedError

    @property
    def pending(self) -> int:
        """Units added since the last flush."""
        raise NotImplementedError

    def flush(self) -> None:
        """Commit what was added as one shard. OSError (a full disk) leaves earlier shards and what is pending."""
        raise NotImplementedError

    def recorded(self) -> dict[Unit, UnitState]:
        """What is on disk, unit by unit."""
        raise NotImplementedError

    def done(self, metrics: Collection[MetricKey], retry: Collection[Status] = ()) -> set[Unit]:
        """Units that hold a row for every wanted (metric, version), none of them with a status to retry."""
        raise NotImplementedError

    def compact(self) -> None:
        """Merge all shards into one; a kill at any moment neither loses nor doubles a row."""
        raise NotImplementedError

    def close(self) -> None:
        """Flush and release the lock."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class Run:
    """A run to read; cheap to open, safe to read while a sweep writes."""

    def __init__(self, folder: Path) -> None:
        """Raises StoreError where the folder is not a run."""
        raise NotImplementedError

    @property
    def id(self) -> str:
        raise NotImplementedError

    @property
    def folder(self) -> Path:
        raise NotImplementedError

    @property
    def manifest(self) -> Manifest:
        raise NotImplementedError

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
        """Rows (records.ROW_SCHEMA), ordered by generator, case, seed, metric, version; filters are bound parameters."""
        raise NotImplementedError

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
        """Clip records (records.CLIP_SCHEMA), ordered by generator, case, seed."""
        raise NotImplementedError

    def row_table(self, columns: Sequence[str]) -> pa.Table:
        """Some columns of all rows as Arrow, in no particular order: for arithmetic over whole runs."""
        raise NotImplementedError

    def clip_path(self, file: str) -> Path | None:
        """The path of a clip by its name in the clips table; None where there is none. Never outside the run folder."""
        raise NotImplementedError

    @property
    def stamp(self) -> tuple[int, int]:
        """Changes whenever the run does (shards, manifest): a key for caches."""
        raise NotImplementedError


def open_run(root: Path, run_id: str) -> Run:
    """Open root/run_id. StoreError for an id that is not a name, or unknown (with the nearest ones)."""
    raise NotImplementedError


def list_runs(root: Path) -> list[Run]:
    """Readable runs under root, newest first. Folders that are no runs are passed over."""
    raise NotImplementedError


__all__ = ["MetricKey", "Run", "RunWriter", "StoreError", "Unit", "UnitResult", "UnitState", "list_runs", "open_run"]
