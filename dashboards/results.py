"""What the pages read of the store, cached by the run's stamp so that a growing run shows its newest rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from benchmarks.compare import Comparison, compare_in
from benchmarks.cube import ScoreCube, score_cube
from benchmarks.leaderboard import Board, build_board
from benchmarks.store import Run, list_runs, open_run

Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class RunLabel:
    """A run as the picker shows it."""

    id: str
    suite: str
    suite_version: int
    suite_hash: str
    created: str
    status: str

    def text(self) -> str:
        unfinished = "" if self.status == "complete" else " · not finished"
        return f"{self.suite} v{self.suite_version} · {self.created} · {self.id}{unfinished}"


def runs_folder() -> Path | None:
    """The runs folder that `serve` was given; None when the app was started in another way."""
    try:
        return Path(st.secrets["moviegen"]["runs"])
    except (FileNotFoundError, KeyError):
        return None


def run_labels(root: Path) -> list[RunLabel]:
    """Every run in the folder, newest first; manifests are read again only when one of them has changed."""
    stamps = sorted((path.parent.name, path.stat().st_mtime_ns) for path in root.glob("*/manifest.json"))
    return _run_labels(str(root), tuple(stamps))


@st.cache_data(max_entries=4, show_spinner=False)
def _run_labels(root: str, stamps: tuple[tuple[str, int], ...]) -> list[RunLabel]:  # noqa: ARG001 - part of the key
    return [_label(run) for run in list_runs(Path(root))]


def _label(run: Run) -> RunLabel:
    made = run.manifest
    created = made.created.strftime("%Y-%m-%d %H:%M")
    return RunLabel(run.id, made.suite_name, made.suite_version, made.suite_hash, created, made.status)


def load_board(run: Run) -> Board:
    """The leaderboard of one run."""
    return _board(str(run.folder.parent), run.id, run.stamp)


# As resources: pages share one object and change nothing in it; copying it at each visit would take longer than the rest.
@st.cache_resource(max_entries=16, show_spinner="Comparing the generators…")
def _board(root: str, run_id: str, stamp: Stamp) -> Board:
    return build_board([open_run(Path(root), run_id)], cube=_cube(root, run_id, stamp))


def load_cube(run: Run) -> ScoreCube:
    """Every number of one run: generator × metric × case. Shared: not to be changed."""
    return _cube(str(run.folder.parent), run.id, run.stamp)


@st.cache_resource(max_entries=4, show_spinner="Reading the rows…")
def _cube(root: str, run_id: str, stamp: Stamp) -> ScoreCube:  # noqa: ARG001
    return score_cube([open_run(Path(root), run_id)])


def load_comparison(run: Run, a: str, b: str) -> Comparison:
    """Generator a against generator b, case by case."""
    return _comparison(str(run.folder.parent), run.id, run.stamp, a, b)


@st.cache_resource(max_entries=32, show_spinner="Comparing case by case…")
def _comparison(root: str, run_id: str, stamp: Stamp, a: str, b: str) -> Comparison:
    return compare_in(_cube(root, run_id, stamp), open_run(Path(root), run_id).manifest, a, b)


def case_index(run: Run) -> pd.DataFrame:
    """One line per case: case, prompt, tags, seeds (tuples), in the order of the case ids."""
    return _case_index(str(run.folder.parent), run.id, run.stamp)


@st.cache_data(max_entries=8, show_spinner=False)
def _case_index(root: str, run_id: str, stamp: Stamp) -> pd.DataFrame:  # noqa: ARG001
    clips = open_run(Path(root), run_id).clips()
    return clips.groupby("case", as_index=False, sort=True).agg(
        prompt=("prompt", "first"),
        tags=("tags", "first"),
        seeds=("seed", lambda seeds: tuple(sorted({int(seed) for seed in seeds}))),
    )


def case_rows(run: Run, board: Board, case: str, seed: int) -> pd.DataFrame:
    """The rows of one case and seed, for the metric versions that the board shows."""
    rows = run.rows(case=case, seed=seed)
    shown = {(column.name, column.version) for column in board.columns}
    return rows[[key in shown for key in zip(rows["metric"], rows["version"], strict=True)]]


def outcomes(run: Run) -> pd.DataFrame:
    """How many rows ended how: generator, metric, version, status, reason, rows; most frequent first."""
    return _outcomes(str(run.folder.parent), run.id, run.stamp)


@st.cache_data(max_entries=8, show_spinner=False)
def _outcomes(root: str, run_id: str, stamp: Stamp) -> pd.DataFrame:  # noqa: ARG001
    keys = ["generator", "metric", "version", "status", "reason"]
    counted = open_run(Path(root), run_id).row_table(keys).group_by(keys).aggregate([([], "count_all")])
    frame: pd.DataFrame = counted.to_pandas().rename(columns={"count_all": "rows"})
    return frame.sort_values(["rows", *keys], ascending=[False] + [True] * len(keys), ignore_index=True)


def outcome_sentences(counts: pd.DataFrame) -> list[str]:
    """`3 of 576 rows failed` and its like for each status that is not `ok`, worst first."""
    total = int(counts["rows"].sum())
    by_status = counts.groupby("status")["rows"].sum()
    verbs = {"failed": "failed", "missing": "have no clip", "skipped": "were skipped because the metric does not apply"}
    return [f"{int(by_status[s]):,} of {total:,} rows {verb}" for s, verb in verbs.items() if s in by_status.index]
