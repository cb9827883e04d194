"""A run packed into one file, and such a file checked and imported."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from benchmarks.clip_store import CLIPS
from benchmarks.manifest import RUN_ID, ImportFacts, StoreError, write_manifest
from benchmarks.references import REFERENCES
from benchmarks.set_rows import FILE as SETS
from benchmarks.shards import shard_folders
from benchmarks.store import Run
from benchmarks.submission.check import mistakes, remarks
from benchmarks.submission.unpack import RECORD, Limits, SubmitError, free_bytes, unpack
from eval.cache import temporary_beside
from eval.hashing import file_sha256

MOST_LINES = 30
"""Mistakes that are named; a run that has more has them for one reason."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Record(BaseModel):
    """submission.json: who packed a run, when, and the hashes of its files."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    format: Literal["moviegen-submission-1"] = "moviegen-submission-1"
    who: str = Field(min_length=1, max_length=200)
    packed: AwareDatetime
    files: dict[str, Sha256]


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a check. folder: where the run lies now; None where it was only checked."""

    run: str
    who: str
    folder: Path | None
    remarks: tuple[str, ...]


def pack(run: Run, target: Path, who: str) -> int:
    """Write a run into one zip, for `submit check` elsewhere; how many files it holds. Raises SubmitError, OSError."""
    if not who.strip():
        raise SubmitError("who made the run? name the team or person with --who")
    if target.exists():
        raise SubmitError(f"{target} exists: choose another file")
    shards = [shard / f"{name}.parquet" for shard in shard_folders(run.folder) for name in ("rows", "clips")]
    below = sorted(path for name in (CLIPS, REFERENCES) for path in (run.folder / name).rglob("*"))
    wanted = [run.folder / "manifest.json", run.folder / SETS, *shards, *below]
    files = [path for path in wanted if path.is_file() and not path.is_symlink() and not path.name.startswith(".")]
    names = {path.relative_to(run.folder).as_posix(): path for path in files}
    record = Record(
        who=who.strip(),
        packed=datetime.now(UTC),
        files={name: file_sha256(path) for name, path in names.items()},
    )
    temporary = temporary_beside(target)
    try:
        # Clips and Parquet are compressed already.
        with zipfile.ZipFile(temporary, "x", zipfile.ZIP_STORED) as archive:
            archive.writestr(RECORD, record.model_dump_json(indent=1))
            for name, path in names.items():
                archive.write(path, name)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return len(names)


def check(
    source: Path,
    root: Path,
    *,
    who: str = "",
    name: str = "",
    keep: bool = True,
    any_suite: bool = False,
    limits: Limits | None = None,
) -> Imported:
    """Unpack, check and, with `keep`, import a run made elsewhere into the runs folder `root`.

    who: who made it, where the file does not say. name: under which id it is kept; its own by default.
    Raises SubmitError with one line for each mistake; nothing stays behind then. Raises OSError (a full disk).
    """
    if not source.exists():
        raise SubmitError(f"{source} is not there")
    root.mkdir(parents=True, exist_ok=True)
    if source.is_file() and source.stat().st_size > free_bytes(root):
        raise SubmitError(f"{source.name} does not fit on the disk that holds {root}")
    temporary = temporary_beside(root / "submission")
    temporary.mkdir()
    try:
        unpack(source, temporary, limits)
        record = _record(temporary)
        found = [*_hash_mistakes(temporary, record), *itertools.islice(mistakes(temporary, any_suite=any_suite), 200)]
        if found:
            raise SubmitError("\n".join(_shortened(found)))
        made = Run(temporary)
        run_id = _free_id(root, name or made.id) if keep else made.id
        told = (record.who if record else "") or who.strip()
        if keep and not told:
            raise SubmitError("the file does not say who made the run: name them with --who")
        notes = tuple(remarks(made))
        folder = _keep(temporary, root, run_id, made, told, record, source) if keep else None
        return Imported(run_id, told, folder, notes)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _record(folder: Path) -> Record | None:
    path = folder / RECORD
    if not path.is_file():
        return None
    try:
        record = Record.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise SubmitError(f"{RECORD}: {place}: {first['msg']}") from error
    path.unlink()
    return record


def _hash_mistakes(folder: Path, record: Record | None) -> list[str]:
    """Files that are not as they were packed."""
    if record is None:
        return []
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    lines = [f"{name}: packed, and not in the file" for name in sorted(record.files.keys() - there)]
    lines += [f"{name}: in the file, and never packed" for name in sorted(there - record.files.keys())]
    both = sorted(there & record.files.keys())
    return lines + [f"{n}: changed since it was packed" for n in both if file_sha256(folder / n) != record.files[n]]


def _shortened(lines: Sequence[str]) -> list[str]:
    """The first mistakes, each on one line, and how many more there are."""
    shown = [" ".join(line.split())[:400] for line in lines[:MOST_LINES]]
    return shown if len(lines) <= MOST_LINES else [*shown, f"and {len(lines) - MOST_LINES:,} more"]


def _free_id(root: Path, name: str) -> str:
    if not re.fullmatch(RUN_ID, name):
        raise SubmitError(f"run name {name[:100]!r}: letters, digits, '.', '_' and '-' only, a letter or digit first")
    if (root / name).exists():
        raise SubmitError(f"run {name!r} is in {root} already: import it under another name with --name")
    return name


def _keep(folder: Path, root: Path, run_id: str, made: Run, who: str, record: Record | None, source: Path) -> Path:
    """Mark the run as imported and move it into place."""
    facts = ImportFacts(
        who=who,
        packed=record.packed if record else None,
        imported=datetime.now(UTC),
        file_sha256=file_sha256(source) if source.is_file() else "",
    )
    write_manifest(folder, made.manifest.model_copy(update={"imported": facts, "run": run_id}))
    if run_id != made.id:
        _rename_rows(folder, run_id)
    for name in (CLIPS, "shards"):
        (folder / name).mkdir(exist_ok=True)
    target = root / run_id
    try:
        folder.rename(target)
    except OSError as error:
        raise StoreError(f"run {run_id!r} could not be moved into {root}: {error.strerror}") from error
    return target


def _rename_rows(folder: Path, run_id: str) -> None:
    """Give every row the id that the run is kept under."""
    for path in (*folder.glob("shards/*/rows.parquet"), *folder.glob(SETS)):
        table = pq.read_table(path)
        place = table.schema.get_field_index("run")
        renamed = table.set_column(place, table.schema.field(place), pa.array([run_id] * len(table), pa.string()))
        pq.write_table(renamed, path, compression="zstd")


def imported_json(found: Imported) -> str:
    """The JSON document of `submit check --json`."""
    where = None if found.folder is None else str(found.folder)
    return json.dumps({"run": found.run, "who": found.who, "folder": where, "remarks": list(found.remarks)}, indent=2)
