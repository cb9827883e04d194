"""What the pages read of the store, cached by the run's stamp so that a growing run shows its newest rows."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from benchmarks.compare import Comparison, compare_in
from benchmarks.cube import ScoreCube, score_cube
from benchmarks.estimates import roll_up
from benchmarks.leaderboard import Board, build_board
from benchmarks.metric_study import BracketCheck, Correlation, Spread, bracket_check, correlations, spreads
from benchmarks.store import Run, list_runs, open_run
from benchmarks.sweep import CACHE
from benchmarks.traces import Trace, clip_traces

Stamp = tuple[int, int, int]

MOST_POINTS = 400
"""Of a trace: as many as a plot under a player can show."""


@dataclass(frozen=True, slots=True)
class RunLabel:
    """A run as the picker shows it."""

    id: str
    suite: str
    suite_version: int
    suite_hash: str
    created: str
    status: str
    generators: int = 0
    who: str | None = None
    """Who made it, where it was imported; None for a run made here."""

    def text(self) -> str:
        unfinished = "" if self.status == "complete" else " · not finished"
        imported = "" if self.who is None else " · imported"
        return f"{self.suite} v{self.suite_version} · {self.created} · {self.id}{unfinished}{imported}"


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
    who = None if made.imported is None else made.imported.who
    return RunLabel(
        run.id,
        made.suite_name,
        made.suite_version,
        made.suite_hash,
        created,
        made.status,
        len(made.generators),
        who,
    )


def load_board(run: Run) -> Board:
    """The leaderboard of one run."""
    return _board(str(run.folder.parent), run.id, run.stamp)


# As resources: pages share one object and change nothing in it; a copy at each visit would take longer than the rest.
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
    frame: pd.DataFrame = open_run(Path(root), run_id).case_table().to_pandas()
    seeds = frame["seeds"].map(lambda each: tuple(int(seed) for seed in each))
    return frame.assign(tags=frame["tags"].map(tuple), seeds=seeds)


def case_totals(run: Run) -> pd.DataFrame:
    """One line per case: case, mean (of the contenders' totals on it, 0…1) and spread (largest less smallest).

    NaN where no contender has every metric that counts.
    """
    return _case_totals(str(run.folder.parent), run.id, run.stamp)


@st.cache_data(max_entries=8, show_spinner=False)
def _case_totals(root: str, run_id: str, stamp: Stamp) -> pd.DataFrame:
    cube = _cube(root, run_id, stamp)
    contenders = [g for g, entrant in enumerate(cube.entrants) if not entrant.bracket]
    _, totals_GC = roll_up(cube.plan, cube.utility_GMC[contenders or slice(None)].transpose(0, 2, 1))
    known = pd.DataFrame(totals_GC, columns=list(cube.cases))
    return pd.DataFrame(
        {"case": known.columns, "mean": known.mean().to_numpy(), "spread": (known.max() - known.min()).to_numpy()}
    )


def metric_spreads(run: Run, metric: str) -> list[Spread]:
    """How each generator's cases are spread over a metric of the run."""
    cube = load_cube(run)
    return spreads(cube, _place(cube, metric))


def metric_brackets(run: Run, metric: str) -> list[BracketCheck]:
    """Whether a metric tells the run's ceilings from its floors."""
    return _metric_brackets(str(run.folder.parent), run.id, run.stamp, metric)


@st.cache_data(max_entries=64, show_spinner=False)
def _metric_brackets(root: str, run_id: str, stamp: Stamp, metric: str) -> list[BracketCheck]:
    cube = _cube(root, run_id, stamp)
    return bracket_check(cube, _place(cube, metric))


def metric_correlations(run: Run, metric: str) -> list[Correlation]:
    """What a metric of the run goes with, the closest first."""
    return _metric_correlations(str(run.folder.parent), run.id, run.stamp, metric)


@st.cache_data(max_entries=64, show_spinner=False)
def _metric_correlations(root: str, run_id: str, stamp: Stamp, metric: str) -> list[Correlation]:
    cube = _cube(root, run_id, stamp)
    return correlations(cube, _place(cube, metric))


def _place(cube: ScoreCube, metric: str) -> int:
    return [each.facts.name for each in cube.metrics].index(metric)


def clip_trace_list(run: Run, clip_sha256: str) -> list[Trace]:
    """What the feature cache beside the runs holds of a clip, moment by moment."""
    return _clip_trace_list(str(run.folder.parent / CACHE), clip_sha256)


@st.cache_data(max_entries=256, show_spinner=False, ttl=600)
def _clip_trace_list(cache: str, clip_sha256: str) -> list[Trace]:
    return [trace.thinned(MOST_POINTS) for trace in clip_traces(Path(cache), clip_sha256)]


def case_rows(run: Run, board: Board, case: str, seed: int) -> pd.DataFrame:
    """The rows of one case and seed, for the metric versions that the board shows."""
    rows = _case_rows(str(run.folder.parent), run.id, run.stamp, case, seed)
    shown = {(column.name, column.version) for column in board.columns}
    return rows[[key in shown for key in zip(rows["metric"], rows["version"], strict=True)]]


@st.cache_data(max_entries=64, show_spinner=False)
def _case_rows(root: str, run_id: str, stamp: Stamp, case: str, seed: int) -> pd.DataFrame:  # noqa: ARG001
    return open_run(Path(root), run_id).rows(case=case, seed=seed)


def case_clips(run: Run, case: str, seed: int) -> dict[str, dict[Hashable, Any]]:
    """Generator → the record of its clip of one case and seed (records.CLIP_SCHEMA)."""
    return _case_clips(str(run.folder.parent), run.id, run.stamp, case, seed)


@st.cache_data(max_entries=64, show_spinner=False)
def _case_clips(
    root: str,
    run_id: str,
    stamp: Stamp,  # noqa: ARG001
    case: str,
    seed: int,
) -> dict[str, dict[Hashable, Any]]:
    records = open_run(Path(root), run_id).clips(case=case, seed=seed).to_dict("records")
    return {str(record["generator"]): record for record in records}


def outcomes(run: Run) -> pd.DataFrame:
    """How many rows ended how: generator, metric, version, status, reason, rows; most frequent first."""
    return _outcomes(str(run.folder.parent), run.id, run.stamp)


@st.cache_data(max_entries=8, show_spinner=False)
def _outcomes(root: str, run_id: str, stamp: Stamp) -> pd.DataFrame:  # noqa: ARG001
    frame: pd.DataFrame = open_run(Path(root), run_id).outcome_table().to_pandas()
    return frame


def clip_outcomes(run: Run) -> pd.DataFrame:
    """How many clips ended how: generator, status, reason, clips; most frequent first."""
    return _clip_outcomes(str(run.folder.parent), run.id, run.stamp)


@st.cache_data(max_entries=8, show_spinner=False)
def _clip_outcomes(root: str, run_id: str, stamp: Stamp) -> pd.DataFrame:  # noqa: ARG001
    frame: pd.DataFrame = open_run(Path(root), run_id).clip_outcome_table().to_pandas()
    return frame


def costs(run: Run) -> dict[str, tuple[float, float]]:
    """Generator → mean seconds to make a clip and to score it."""
    return _costs(str(run.folder.parent), run.id, run.stamp)


@st.cache_data(max_entries=8, show_spinner=False)
def _costs(root: str, run_id: str, stamp: Stamp) -> dict[str, tuple[float, float]]:  # noqa: ARG001
    lines = open_run(Path(root), run_id).cost_table().to_pylist()
    return {line["generator"]: (line["generate_s"], line["score_s"]) for line in lines}


def storage(run: Run) -> dict[str, tuple[int, int]]:
    """Files and bytes of each part of a run's folder (clips, shards, …)."""
    return _storage(str(run.folder), run.stamp)


@st.cache_data(max_entries=64, show_spinner=False)
def _storage(folder: str, stamp: Stamp) -> dict[str, tuple[int, int]]:  # noqa: ARG001
    found: dict[str, tuple[int, int]] = {}
    for path in Path(folder).rglob("*"):
        if path.is_file() and not path.is_symlink():
            part = path.relative_to(folder).parts[0]
            files, size = found.get(part, (0, 0))
            found[part] = (files + 1, size + path.stat().st_size)
    return found


def outcome_sentences(counts: pd.DataFrame) -> list[str]:
    """`3 of 576 rows failed` and its like for each status that is not `ok`, worst first."""
    total = int(counts["rows"].sum())
    by_status = counts.groupby("status")["rows"].sum()
    verbs = {"failed": "failed", "missing": "have no clip", "skipped": "were skipped because the metric does not apply"}
    return [f"{int(by_status[s]):,} of {total:,} rows {verb}" for s, verb in verbs.items() if s in by_status.index]
