"""Whether an unpacked run is what it says: schema, hashes, suite, coverage. One line for each thing that is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.clip_store import CLIP_NAME, CLIPS
from benchmarks.manifest import Manifest, MetricFacts, StoreError
from benchmarks.records import CLIP_SCHEMA, ROW_SCHEMA
from benchmarks.references import check_references
from benchmarks.set_rows import FILE as SETS
from benchmarks.set_rows import SET_SCHEMA
from benchmarks.shards import shard_folders
from benchmarks.store import Run
from benchmarks.suite import load_suite, suite_names
from eval.hashing import file_sha256
from eval.metric import METRICS, MetricSpec

MAX_ROWS = 50_000_000
STATUSES = {"ok", "skipped", "failed", "missing"}
_UNIT = ["generator", "case", "seed"]
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ROUNDING = 1e-9


def mistakes(folder: Path, *, any_suite: bool = False) -> Iterator[str]:
    """Everything that is wrong with the run in `folder`; nothing for a run that can be imported.

    any_suite: also take a suite that is not the shipped one of its name.
    """
    try:
        run = Run(folder)
        run.manifest.parsed_suite()
    except StoreError as error:
        yield str(error).replace(str(folder), "the run")
        return
    yield from _suite_mistakes(run.manifest, any_suite)
    yield from _metric_mistakes(run.manifest)
    formed = list(_schema_mistakes(folder))
    yield from formed
    if formed:
        return  # what follows reads the tables
    try:
        rows, clips = run.rows(), run.clips()
    except StoreError as error:
        yield str(error).replace(str(folder), "the run")
        return
    yield from _row_mistakes(run.manifest, rows)
    yield from _clip_mistakes(folder, clips)
    yield from _coverage_mistakes(run.manifest, rows, clips)
    yield from _set_mistakes(folder, run.manifest)
    try:
        check_references(run.manifest.parsed_suite(), folder)
    except StoreError as error:
        yield str(error)


def remarks(run: Run) -> Iterator[str]:
    """What a reader of the import should know, though nothing is wrong with it."""
    if run.manifest.suite_name not in suite_names():
        yield f"suite {run.manifest.suite_name!r} is not shipped here: its runs are ranked among themselves"
    for facts in run.manifest.metrics:
        if facts.name not in METRICS:
            yield f"metric {facts.name!r} is not known here: it is shown as the run describes it"
        elif METRICS.get(facts.name).spec.version != facts.version:
            here = METRICS.get(facts.name).spec.version
            yield f"metric {facts.name!r} is version {facts.version} in the run and {here} here: not ranked together"
    outcomes = run.outcome_table().to_pandas()
    scored, whole = outcomes.loc[outcomes["status"] == "ok", "rows"].sum(), outcomes["rows"].sum()
    yield f"{scored:,} of {whole:,} rows hold a number"


def _suite_mistakes(manifest: Manifest, any_suite: bool) -> Iterator[str]:
    name = manifest.suite_name
    suite = manifest.parsed_suite()
    if (suite.name, suite.version) != (name, manifest.suite_version):
        said, held = f"{name} version {manifest.suite_version}", f"{suite.name} version {suite.version}"
        yield f"manifest.json: says suite {said}, and holds suite {held}"
    if any_suite or name not in suite_names():
        return
    here = load_suite(name)
    if not here.cases:
        return  # its cases are the clips of a folder
    if here.version != manifest.suite_version:
        yield f"suite {name!r} is version {here.version} here and {manifest.suite_version} in the run: sweep it again"
    elif here.sha256 != manifest.suite_hash:
        yield (
            f"suite {name!r} version {here.version} has hash {here.sha256[:12]} here and {manifest.suite_hash[:12]} in "
            "the run: cases, weights or reference clips differ; --any-suite takes it as a suite of its own"
        )


def _metric_mistakes(manifest: Manifest) -> Iterator[str]:
    """Metrics of the same name and version must mean the same here and there."""
    for facts in manifest.metrics:
        if facts.name not in METRICS:
            continue
        spec: MetricSpec = METRICS.get(facts.name).spec
        if spec.version != facts.version:
            continue
        for name in ("family", "unit", "low", "high", "direction"):
            here, there = getattr(spec, name), getattr(facts, name)
            if here != there:
                yield f"metric {facts.name!r} version {facts.version}: its {name} is {here} here and {there} in the run"


def _schema_mistakes(folder: Path) -> Iterator[str]:
    shards = shard_folders(folder)
    if not shards:
        yield "the run holds no shards: nothing was swept"
    tables = [(shard / f"{name}.parquet", schema) for shard in shards for name, schema in _TABLES.items()]
    if (folder / SETS).is_file():
        tables.append((folder / SETS, SET_SCHEMA))
    total = 0
    for path, schema in tables:
        place = path.relative_to(folder).as_posix()
        try:
            file = pq.ParquetFile(path)
        except FileNotFoundError:
            yield f"{place}: is missing"
            continue
        except (pa.ArrowException, OSError) as error:
            yield f"{place}: not readable as Parquet: {str(error).splitlines()[0][:100]}"
            continue
        found = file.schema_arrow.remove_metadata()
        total += file.metadata.num_rows
        if found != schema:
            wrong = sorted({field.name for field in set(schema) ^ set(found)}) or ["their order"]
            yield f"{place}: columns differ from this version's: {', '.join(wrong)[:200]}"
    if total > MAX_ROWS:
        yield f"{total:,} rows, and {MAX_ROWS:,} are taken"


_TABLES = {"rows": ROW_SCHEMA, "clips": CLIP_SCHEMA}


def _row_mistakes(manifest: Manifest, rows: pd.DataFrame) -> Iterator[str]:
    facts = {(each.name, each.version): each for each in manifest.metrics}
    same = (rows["run"] == manifest.run) & (rows["suite"] == manifest.suite_name)
    same &= rows["suite_hash"] == manifest.suite_hash
    yield from _count(rows, ~same, "carry another run, suite or suite hash than manifest.json")
    known = pd.Series([key in facts for key in zip(rows["metric"], rows["version"], strict=True)], index=rows.index)
    yield from _count(rows, ~known, "are of a metric or version that manifest.json does not name")
    yield from _count(rows, ~rows["status"].isin(STATUSES), "have a status that is none")
    ok = rows["status"] == "ok"
    finite = np.isfinite(rows["value"].astype(float))
    yield from _count(rows, ok != finite, "have a number and no status ok, or the reverse")
    low, high = _ends(rows, facts, lambda one: one.low), _ends(rows, facts, lambda one: one.high)
    outside = ok & known & ((rows["value"] < low - _ROUNDING) | (rows["value"] > high + _ROUNDING))
    yield from _count(rows, outside, "lie outside their metric's range")
    yield from _count(rows, rows.duplicated([*_UNIT, "metric", "version"]), "are there twice")
    encoders = rows[ok].groupby("metric")[["encoder", "encoder_sha256"]].nunique().max(axis=1)
    for metric in encoders[encoders > 1].index:
        yield f"metric {metric!r} was scored by more than one encoder: its numbers do not compare"


def _ends(
    rows: pd.DataFrame, facts: dict[tuple[str, int], MetricFacts], end: Callable[[MetricFacts], float]
) -> pd.Series:
    keys = zip(rows["metric"], rows["version"], strict=True)
    return pd.Series([end(facts[key]) if key in facts else np.nan for key in keys], index=rows.index, dtype=float)


def _clip_mistakes(folder: Path, clips: pd.DataFrame) -> Iterator[str]:
    """Every clip named is there, under its own hash, and no other file is."""
    named = {str(file) for file in clips["file"] if file}
    there = {path.name for path in (folder / CLIPS).iterdir()} if (folder / CLIPS).is_dir() else set()
    odd = {name for name in named if not CLIP_NAME.fullmatch(name)}
    for name in sorted(odd)[:3]:
        yield f"clips table: {name[:100]!r} is no name of a clip"
    if missing := named - there - odd:
        yield f"{len(missing):,} clips of the table are not in clips/, such as {min(missing)}"
    if extra := there - named:
        yield f"{len(extra):,} files in clips/ belong to no record, such as {min(extra)}"
    own = [
        str(file).partition(".")[0] == sha256 for file, sha256 in zip(clips["file"], clips["clip_sha256"], strict=True)
    ]
    yield from _count(clips, (clips["file"] != "") & ~pd.Series(own, index=clips.index), "name a file of another hash")
    for name in sorted(named & there):
        if file_sha256(folder / CLIPS / name) != name.partition(".")[0]:
            yield f"clips/{name}: its content does not have the hash that it is named by"


def _coverage_mistakes(manifest: Manifest, rows: pd.DataFrame, clips: pd.DataFrame) -> Iterator[str]:
    """Every generator was asked for everything, and every clip has a row for every metric."""
    names = {facts.name for facts in manifest.generators}
    planned = {(name, case, seed) for name in names for case, seed in manifest.planned()}
    stored = set(zip(clips["generator"], clips["case"], clips["seed"].astype(int), strict=True))
    if lacking := planned - stored:
        yield (
            f"{len(lacking):,} of {len(planned):,} planned clips are not recorded: finish the sweep first, "
            f"with moviegen sweep --resume {manifest.run}"
        )
    if beyond := stored - planned:
        yield f"{len(beyond):,} clips were never planned, such as {min(beyond)[:2]}"
    units = set(zip(rows["generator"], rows["case"], rows["seed"].astype(int), strict=True))
    if strays := units - stored:
        yield f"rows of {len(strays):,} clips that are not recorded"
    wanted = len(manifest.metrics)
    keys = {(facts.name, facts.version) for facts in manifest.metrics}
    current = rows[[key in keys for key in zip(rows["metric"], rows["version"], strict=True)]]
    counts = current.groupby(_UNIT).size()
    short = int((counts < wanted).sum()) + len(stored & planned) - len(set(counts.index) & stored & planned)
    if short:
        yield f"{short:,} clips lack the row of some metric: finish the sweep first"
    if manifest.status != "complete":
        yield f"the run is not complete: finish it with moviegen sweep --resume {manifest.run}"


def _set_mistakes(folder: Path, manifest: Manifest) -> Iterator[str]:
    if not (folder / SETS).is_file():
        return
    rows = pq.read_table(folder / SETS).to_pandas()
    same = (rows["run"] == manifest.run) & (rows["suite_hash"] == manifest.suite_hash)
    yield from _count(rows, ~same, "of sets.parquet carry another run or suite hash than manifest.json")
    known = {(facts.name, facts.version) for facts in manifest.set_metrics}
    named = pd.Series([key in known for key in zip(rows["metric"], rows["version"], strict=True)], index=rows.index)
    yield from _count(rows, ~named, "of sets.parquet are of a metric that manifest.json does not name")


def _count(rows: pd.DataFrame, wrong: pd.Series, what: str) -> Iterator[str]:
    number = int(wrong.sum())
    if number:
        first = rows[wrong].iloc[0]
        example = ", ".join(str(first[name])[:60] for name in ("generator", "case", "metric") if name in first)
        yield f"{number:,} rows {what}, such as {example}"


__all__ = ["STATUSES", "mistakes", "remarks"]
