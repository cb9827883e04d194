"""A run of numbers alone, as large as the dashboard's benchmark asks: 20 generators, 1,000 cases, 40 metrics."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from benchmarks.manifest import CodeFacts, EnvironmentFacts, GeneratorFacts, Manifest, MetricFacts
from benchmarks.records import CLIP_SCHEMA, ROW_SCHEMA
from benchmarks.shards import commit_shard
from benchmarks.store import Run, RunWriter
from benchmarks.suite import CaseModel, MetricModel, Suite
from eval.hashing import json_sha256
from eval.metric import Family

GENERATORS, CASES, METRICS = 20, 1000, 40
FAMILIES: tuple[Family, ...] = ("alignment", "temporal", "motion", "picture", "sound")


def write_big_run(folder: Path) -> Run:
    """Write the run: the generators differ a little, the cases much, as in real sweeps. No clip is kept."""
    made = _manifest(folder.name)
    RunWriter.create(folder, made).close()
    random = np.random.default_rng(0)
    quality_G = np.linspace(0.4, 0.7, GENERATORS)
    case_C = random.normal(0, 0.15, CASES)
    values_GCM = quality_G[:, None, None] + case_C[:, None] + random.normal(0, 0.1, (GENERATORS, CASES, METRICS))
    for number, (facts, values_CM) in enumerate(zip(made.generators, np.clip(values_GCM, 0, 1), strict=True)):
        commit_shard(folder, _rows(made, facts.name, number, values_CM), _clips(facts.name, number))
    with RunWriter(folder) as writer:
        writer.compact()
    return Run(folder)


def plain_mean(run: Run) -> None:
    """DuckDB's mean by generator and metric: what any leaderboard must at least compute."""
    sql = "SELECT generator, metric, avg(value) FROM read_parquet($rows) GROUP BY ALL"
    files = [str(path) for path in run.folder.glob("shards/*/rows.parquet")]
    with duckdb.connect() as connection:
        connection.sql(sql, params={"rows": files}).fetchall()


def _cases() -> list[str]:
    return [f"case-{c:04d}" for c in range(CASES)]


def _hashes(number: int) -> list[str]:
    return [f"{number:032x}{c:032x}" for c in range(CASES)]


def _rows(made: Manifest, generator: str, number: int, values_CM: np.ndarray) -> pa.Table:
    count = CASES * METRICS
    constants = {"run": made.run, "suite": made.suite_name, "suite_hash": made.suite_hash, "generator": generator,
                 "version": 1, "seed": 0, "encoder": "", "encoder_sha256": "", "status": "ok", "reason": "",
                 "seconds": 0.01}  # fmt: skip
    columns = {
        "case": np.repeat(_cases(), METRICS),
        "clip_sha256": np.repeat(_hashes(number), METRICS),
        "metric": np.tile([facts.name for facts in made.metrics], CASES),
        "value": values_CM.ravel(),
    }
    arrays = [
        pa.array(columns[field.name], field.type)
        if field.name in columns
        else pa.array([constants[field.name]] * count, field.type)
        for field in ROW_SCHEMA
    ]
    return pa.Table.from_arrays(arrays, schema=ROW_SCHEMA)


def _clips(generator: str, number: int) -> pa.Table:
    cases, hashes = _cases(), _hashes(number)
    lines = [
        {
            "generator": generator, "case": case, "seed": 0, "clip_sha256": sha256, "file": f"{sha256}.mp4",
            "status": "ok", "reason": "", "prompt": f"A small {('dog', 'cat', 'boat')[c % 3]} crosses street {c}.",
            "tags": [f"street:{c % 10}"], "width": 640, "height": 360, "fps": 24.0, "duration_s": 4.0,
            "has_audio": True, "frames": 96, "notes": [], "generate_seconds": 1.0 + number, "score_seconds": 0.5,
            "decodes": 1, "computed": [],
        }
        for c, (case, sha256) in enumerate(zip(cases, hashes, strict=True))
    ]  # fmt: skip
    return pa.Table.from_pylist(lines, schema=CLIP_SCHEMA)


def _manifest(run: str) -> Manifest:
    names = [f"metric_{m:02d}" for m in range(METRICS)]
    suite = Suite.model_construct(
        name="speed",
        version=1,
        seeds=(0,),
        metrics=tuple(MetricModel.model_construct(name=name) for name in names),
        cases=tuple(CaseModel(id=case) for case in _cases()),
    ).model_dump(mode="json")
    facts = tuple(
        MetricFacts(name=name, version=1, family=FAMILIES[m % len(FAMILIES)], unit="1", low=0.0, high=1.0,
                    direction="higher", summary="a number", blind_spots="everything else", source="made up")
        for m, name in enumerate(names)
    )  # fmt: skip
    brackets = {0: "floor", GENERATORS - 1: "ceiling"}
    return Manifest(
        run=run,
        created=datetime.now(UTC),
        suite_name="speed",
        suite_version=1,
        suite_hash=json_sha256(suite),
        suite=suite,
        metrics=facts,
        generators=tuple(
            GeneratorFacts(name=f"generator-{g:02d}", bracket=brackets.get(g, "")) for g in range(GENERATORS)
        ),
        code=CodeFacts(version="speed"),
        environment=EnvironmentFacts(python="", platform="", cpu_count=1),
        planned_units=GENERATORS * CASES,
        status="complete",
    )
