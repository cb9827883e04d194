"""The one writer of a run: takes whole units, commits them in shards, knows what is done."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self, cast

import pyarrow as pa

from benchmarks.manifest import Manifest, StoreError, read_manifest, write_manifest
from benchmarks.records import CLIP_SCHEMA, ROW_SCHEMA, Unit, UnitResult, check_unit, clip_record, row_records
from benchmarks.shards import commit_shard, query, remove_leftovers, remove_shards, shard_folders
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

    Use it as a context manager: leaving it flushes what was added and releases the lock. The operating system
    releases the lock of a killed process. Worker processes must be spawned, not forked: a fork keeps the lock.
    """

    def __init__(self, folder: Path) -> None:
        """Open an existing run for writing: takes the lock, removes what a killed writer left."""
        self.folder = folder
        read_manifest(folder)  # a folder that is not a run gets no lock file
        self._lock = _locked(folder)
        self._manifest = read_manifest(folder)
        self._pending: dict[Unit, UnitResult] = {}
        remove_leftovers(folder)

    @classmethod
    def create(cls, folder: Path, manifest: Manifest) -> Self:
        """Make a new run folder (parents too) with its manifest. StoreError if it exists."""
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder):
            if (folder / "manifest.json").exists():
                raise StoreError(f"run {folder} exists: resume it, or choose another name")
            for name in ("clips", "shards"):
                (folder / name).mkdir(exist_ok=True)
            write_manifest(folder, manifest)
        return cls(folder)

    @property
    def manifest(self) -> Manifest:
        return self._manifest

    def update_manifest(self, manifest: Manifest) -> None:
        """Replace the manifest (more metrics, more generators, status). Run id and suite hash cannot change."""
        old = self._manifest
        if (manifest.run, manifest.suite_hash) != (old.run, old.suite_hash):
            raise StoreError(
                f"run {old.run} holds suite {old.suite_name} {old.suite_hash[:12]}, not {manifest.suite_name} "
                f"{manifest.suite_hash[:12]}: sweep a changed suite into a new run"
            )
        write_manifest(self.folder, manifest)
        self._manifest = manifest

    def add(self, result: UnitResult) -> None:
        """Take one whole unit; it is on disk after the next flush."""
        check_unit(result)
        if result.unit in self._pending:
            self.flush()  # a shard holds a unit once, so that the later one wins
        self._pending[result.unit] = result

    @property
    def pending(self) -> int:
        """Units added since the last flush."""
        return len(self._pending)

    def flush(self) -> None:
        """Commit what was added as one shard. OSError (a full disk) leaves earlier shards and what is pending."""
        if not self._pending:
            return
        units = self._pending.values()
        constants = {
            "run": self._manifest.run,
            "suite": self._manifest.suite_name,
            "suite_hash": self._manifest.suite_hash,
        }
        rows = [row for result in units for row in row_records(result, constants)]
        clips = [clip_record(result) for result in units]
        commit_shard(
            self.folder,
            pa.Table.from_pylist(rows, schema=ROW_SCHEMA),
            pa.Table.from_pylist(clips, schema=CLIP_SCHEMA),
        )
        self._pending.clear()

    def recorded(self) -> dict[Unit, UnitState]:
        """What is on disk, unit by unit."""
        states: dict[Unit, UnitState] = {}
        for line in query(self.folder, "clips", CLIP_SCHEMA).to_pylist():
            states[Unit(line["generator"], line["case"], line["seed"])] = UnitState(
                line["clip_sha256"], line["file"], {}
            )
        for line in query(self.folder, "rows", ROW_SCHEMA, _KEYS).to_pylist():
            state = states[Unit(line["generator"], line["case"], line["seed"])]
            state.metrics[line["metric"], line["version"]] = cast(Status, line["status"])
        return states

    def done(self, metrics: Collection[MetricKey], retry: Collection[Status] = ()) -> set[Unit]:
        """Units that hold a row for every wanted (metric, version), none of them with a status to retry."""
        wanted = set(metrics)
        return {
            unit
            for unit, state in self.recorded().items()
            if wanted <= state.metrics.keys() and not any(state.metrics[key] in retry for key in wanted)
        }

    def compact(self) -> None:
        """Merge all shards into one; a kill at any moment neither loses nor doubles a row."""
        self.flush()
        old = shard_folders(self.folder)
        if len(old) < 2:
            return
        rows = query(self.folder, "rows", ROW_SCHEMA, _SORTED_ROWS).cast(ROW_SCHEMA)
        clips = query(self.folder, "clips", CLIP_SCHEMA, _SORTED_CLIPS).cast(CLIP_SCHEMA)
        commit_shard(self.folder, rows, clips)
        remove_shards(old)

    def close(self) -> None:
        """Flush and release the lock."""
        try:
            if not self._lock.closed:
                self.flush()
        finally:
            self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except OSError as unsaved:
            if error is None:
                raise
            error.add_note(f"and the last {self.pending} units could not be stored: {unsaved}")


_KEYS = 'SELECT generator, "case", seed, metric, version, status FROM {table}'
_SORTED_ROWS = 'SELECT * FROM {table} ORDER BY generator, "case", seed, metric, version'
_SORTED_CLIPS = 'SELECT * FROM {table} ORDER BY generator, "case", seed'


def _locked(folder: Path) -> IO[str]:
    stream = (folder / "lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        stream.seek(0)
        holder = stream.read().strip() or "unknown"
        stream.close()
        raise StoreError(
            f"{folder} is being written by another sweep (process {holder}): wait for it, or name another run"
        ) from error
    stream.truncate(0)
    stream.write(str(os.getpid()))
    stream.flush()
    return stream
