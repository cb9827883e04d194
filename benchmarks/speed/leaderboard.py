"""How long a leaderboard takes: 100,000 rows and 2,000 draws, against DuckDB's plain mean by generator and metric."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np

from benchmarks.leaderboard import build_board
from benchmarks.manifest import CodeFacts, EnvironmentFacts, GeneratorFacts, Manifest, MetricFacts
from benchmarks.records import UnitResult
from benchmarks.store import Run, RunWriter
from benchmarks.suite import CaseModel, MetricModel, Suite
from eval.hashing import json_sha256
from eval.metric import Family
from eval.planner import Score

GENERATORS, CASES, SEEDS, METRICS = 10, 250, 2, 20
DRAWS = 2_000
REPEATS = 5


def main() -> None:
    """Print both times (best of REPEATS) and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        run = _write_run(Path(folder) / "speed")
        rows = run.row_table(["value"]).num_rows
        plain_s = _best(lambda: _plain_mean(run))
        board_s = _best(lambda: build_board([run], draws=DRAWS))
    print(
        f"leaderboard: {rows:,} rows, {DRAWS:,} draws: {board_s:.3f} s; "
        f"plain mean in DuckDB {plain_s:.3f} s; ratio {board_s / plain_s:.1f}"
    )


def _plain_mean(run: Run) -> None:
    sql = "SELECT generator, metric, avg(value) FROM read_parquet($rows) GROUP BY ALL"
    files = [str(path) for path in run.folder.glob("shards/*/rows.parquet")]
    with duckdb.connect() as connection:
        connection.sql(sql, params={"rows": files}).fetchall()


def _best(work: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)


def _write_run(folder: Path) -> Run:
    generator = np.random.default_rng(0)
    names = [f"metric_{m}" for m in range(METRICS)]
    with RunWriter.create(folder, _manifest(names)) as writer:
        for g in range(GENERATORS):
            for c in range(CASES):
                for seed in range(SEEDS):
                    values = generator.random(METRICS)
                    scores = [Score(name, 1, float(value), "ok") for name, value in zip(names, values, strict=True)]
                    writer.add(UnitResult(f"generator-{g}", f"case-{c}", seed, scores, f"{g:032x}{c:016x}{seed:016x}"))
    return Run(folder)


def _manifest(names: list[str]) -> Manifest:
    suite = Suite.model_construct(
        name="speed",
        version=1,
        seeds=tuple(range(SEEDS)),
        metrics=tuple(MetricModel.model_construct(name=name) for name in names),
        cases=tuple(CaseModel(id=f"case-{c}") for c in range(CASES)),
    ).model_dump(mode="json")
    families: tuple[Family, ...] = ("temporal", "motion", "picture", "sound")
    return Manifest(
        run="speed",
        created=datetime.now(UTC),
        suite_name="speed",
        suite_version=1,
        suite_hash=json_sha256(suite),
        suite=suite,
        metrics=tuple(
            MetricFacts(name=name, version=1, family=families[m % 4], unit="1", low=0.0, high=1.0, direction="higher")
            for m, name in enumerate(names)
        ),
        generators=tuple(GeneratorFacts(name=f"generator-{g}") for g in range(GENERATORS)),
        code=CodeFacts(version="speed"),
        environment=EnvironmentFacts(python="", platform="", cpu_count=1),
        planned_units=GENERATORS * CASES * SEEDS,
        status="complete",
    )


if __name__ == "__main__":
    main()
