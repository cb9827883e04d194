"""Both clips of a case in step, with the prompt and both scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from benchmarks.leaderboard import Board, BoardRow
from benchmarks.store import Run
from dashboards.board_table import DIRECTIONS, number_text, unit_text
from dashboards.player import play_together
from dashboards.prompt import show_prompt
from dashboards.results import case_clips, case_rows


def show_pair(run: Run, board: Board, case: str, seed: int, a: BoardRow, b: BoardRow) -> None:
    """The prompt, the two clips played together, and both scores of one case and seed."""
    clips = case_clips(run, case, seed)
    pair = [clips.get(row.name) for row in (a, b)]
    show_prompt(next((str(clip["prompt"]) for clip in pair if clip is not None and clip["prompt"]), None))
    files = [_file(run, clip) for clip in pair]
    for place, letter, row, clip, file in zip(st.columns(2), "AB", (a, b), pair, files, strict=True):
        place.text(f"{letter}: {row.generator}" + ("" if file else f". No clip. {_why(clip)}"))
    shown = [file for file in files if file]
    if len(shown) == 1:
        st.text("The one clip there is:")
    if shown:
        play_together(run.id, shown)
    rows = case_rows(run, board, case, seed)
    st.dataframe(
        score_pair(board, rows, a.name, b.name),
        hide_index=True,
        placeholder="–",
        height=420,
        column_config={"Metric": st.column_config.TextColumn(pinned=True)},
        alt="Scores of A and B on this case",
    )


def _file(run: Run, clip: Mapping[Any, Any] | None) -> str:
    """The clip's name in the run's clips folder; empty where there is none."""
    name = "" if clip is None else str(clip["file"] or "")
    path = run.clip_path(name) if name else None
    return "" if path is None else path.name


def _why(clip: Mapping[Any, Any] | None) -> str:
    return "Not made yet." if clip is None else f"{clip['status']}: {clip['reason']}"


def score_pair(board: Board, rows: pd.DataFrame, a: str, b: str) -> pd.DataFrame:
    """Metric, both values (or the reason why there is none), and their difference in the metric's unit."""
    cells: dict[tuple[str, str], Mapping[Any, Any]] = {
        (str(row["generator"]), str(row["metric"])): row for row in rows.to_dict("records")
    }
    lines = []
    for column in board.columns:
        pair = [cells.get((name, column.name)) for name in (a, b)]
        values = [float(row["value"]) if row is not None and row["status"] == "ok" else None for row in pair]
        first, second = values
        lines.append(
            {
                "Metric": column.name,
                "A": _cell(pair[0]),
                "B": _cell(pair[1]),
                "A − B": "" if first is None or second is None else f"{first - second:+.4g}",
                "Better": DIRECTIONS[column.direction],
                "Unit": unit_text(column.unit),
            }
        )
    return pd.DataFrame(lines)


def _cell(row: Mapping[Any, Any] | None) -> str:
    if row is None:
        return "–"
    return number_text(float(row["value"])) if row["status"] == "ok" else f"{row['status']}: {row['reason']}"
