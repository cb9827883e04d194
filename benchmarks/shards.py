"""Shards: how whole units reach the disk at once, and how several shards read as one table.

    shards/000001/{rows,clips}.parquet

A shard is a folder, written under a temporary name and renamed: the rename commits rows and clip records together.
Later shards win, so merging shards needs no other step that must be atomic:

* a unit's clip record is the latest one with a clip, or else the latest one;
* a (unit, metric, version) has one row: the latest one that belongs to that clip.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.clip_store import CLIPS, TEMPORARY
from benchmarks.manifest import StoreError

_TRIES = 3

_UNIT = 'generator, "case", seed'
_COUNT_UNITS = f"SELECT count(*), count(DISTINCT ({_UNIT})) FROM read_parquet($clips)"  # noqa: S608 - constants of ours
_PLAIN = {"rows": "SELECT * FROM read_parquet($rows)", "clips": "SELECT * FROM read_parquet($clips)"}
"""Enough while no unit was written twice: ten times faster than looking for the latest."""

# file_index: the place of the shard in the list of files, which is in the order of writing.
_LATEST = "ORDER BY clip_sha256 <> '' DESC, file_index DESC"
_LATEST_CLIPS = f"""
    SELECT * FROM read_parquet($clips)
    QUALIFY row_number() OVER (PARTITION BY {_UNIT} {_LATEST}) = 1"""  # noqa: S608 - as above
_LATEST_ROWS = f"""
    SELECT r.* FROM (SELECT *, file_index FROM read_parquet($rows)) AS r
    JOIN (SELECT {_UNIT}, clip_sha256 AS unit_clip FROM ({_LATEST_CLIPS})) AS u USING ({_UNIT})
    WHERE r.clip_sha256 IN ('', unit_clip)
    QUALIFY row_number() OVER (PARTITION BY {_UNIT}, metric, version {_LATEST}) = 1"""  # noqa: S608 - as above
_LATEST_ONLY = {"rows": f"SELECT * EXCLUDE (file_index) FROM ({_LATEST_ROWS})", "clips": _LATEST_CLIPS}  # noqa: S608


def shard_folders(run_folder: Path) -> list[Path]:
    """Committed shards in the order of writing."""
    try:
        found = list((run_folder / "shards").iterdir())
    except FileNotFoundError:
        return []
    return sorted((p for p in found if re.fullmatch(r"\d{6,}", p.name)), key=lambda p: int(p.name))


def commit_shard(run_folder: Path, rows: pa.Table, clips: pa.Table) -> Path:
    """Write one shard and rename it into place. On OSError nothing of it remains."""
    last = shard_folders(run_folder)
    number = int(last[-1].name) + 1 if last else 1
    folder = run_folder / "shards" / f"{number:06d}"
    temporary = folder.with_name(f"{TEMPORARY}{folder.name}")
    try:
        temporary.mkdir(parents=True)
        for name, table in (("rows", rows), ("clips", clips)):
            with (temporary / f"{name}.parquet").open("wb") as stream:
                pq.write_table(table, stream, compression="zstd")
                stream.flush()
                os.fsync(stream.fileno())
        temporary.rename(folder)
    except OSError:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    _sync_folder(folder.parent)
    return folder


def remove_shards(folders: Iterable[Path]) -> None:
    """Take shards away, each at once: a half-removed shard is only a temporary leftover."""
    for folder in folders:
        temporary = folder.with_name(f"{TEMPORARY}old-{folder.name}")
        folder.rename(temporary)
        shutil.rmtree(temporary)


def remove_leftovers(run_folder: Path) -> None:
    """Remove what a killed writer left under temporary names. Only the holder of the lock may call this."""
    for parent in (run_folder, run_folder / "shards", run_folder / CLIPS):
        for path in parent.glob(f"{TEMPORARY}*"):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def query(
    run_folder: Path,
    table: Literal["rows", "clips"],
    empty: pa.Schema,
    sql: str = "SELECT * FROM {table}",
    **values: Any,
) -> pa.Table:
    """Query all shards as one table.

    sql: a constant of ours with {table} for the table and $name for each bound value; never text from outside.
    empty: the columns of the answer where the run has no shard yet.
    Raises StoreError where a shard cannot be read.
    """
    for attempt in range(_TRIES):
        folders = shard_folders(run_folder)
        if not folders:
            return empty.empty_table()
        try:
            return _execute(folders, table, sql, values)
        except duckdb.IOException as error:
            # A writer may merge the shards while we read them: what they held is in a newer shard then.
            if attempt == _TRIES - 1 or shard_folders(run_folder) == folders:
                raise _unreadable(run_folder, error) from error
        except duckdb.Error as error:
            raise _unreadable(run_folder, error) from error
    raise AssertionError("unreachable: the last attempt returns or raises")


def _execute(folders: Sequence[Path], table: Literal["rows", "clips"], sql: str, values: Mapping[str, Any]) -> pa.Table:
    files = {name: [_literal(folder / f"{name}.parquet") for folder in folders] for name in ("rows", "clips")}
    with duckdb.connect() as connection:
        units, distinct = connection.sql(_COUNT_UNITS, params={"clips": files["clips"]}).fetchall()[0]
        source = (_PLAIN if units == distinct else _LATEST_ONLY)[table]
        used = {name: paths for name, paths in files.items() if f"${name}" in source}
        return connection.sql(sql.format(table=f"({source})"), params={**used, **values}).to_arrow_table()


def _unreadable(run_folder: Path, error: duckdb.Error) -> StoreError:
    return StoreError(f"{run_folder}: the shards cannot be read: {str(error).splitlines()[0]}")


def _literal(path: Path) -> str:
    """A path in which DuckDB sees no pattern."""
    return re.sub(r"([\[*?])", r"[\1]", str(path.absolute()))


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
