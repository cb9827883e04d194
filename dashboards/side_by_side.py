"""One case, side by side: the prompt, each generator's clip playing, and what the case scored.

Text that came with a suite or a run is shown with st.text and table cells only: those never read it as
Markdown or HTML.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from benchmarks.leaderboard import Board, BoardRow
from benchmarks.store import Run
from dashboards.address import base_url
from dashboards.board_table import DIRECTIONS, bracket_text, number_text, rank_text, unit_text
from dashboards.clips import clip_url
from dashboards.player import PLAYED
from dashboards.prompt import show_prompt
from dashboards.results import case_clips, case_rows

PER_ROW = 3


def show_case(run: Run, board: Board, case: str, seed: int, generators: Sequence[str]) -> None:
    """The prompt, the chosen generators' clips, and the scores of one case and seed."""
    clips = case_clips(run, case, seed)
    chosen = [row for row in board.rows if row.generator in generators]
    prompts = [clip["prompt"] for clip in clips.values() if clip["prompt"]]
    show_prompt(prompts[0] if prompts else None)
    tags = sorted({tag for clip in clips.values() for tag in clip["tags"]})
    if tags:
        st.text(f"Tags: {', '.join(tags)}")
    for start in range(0, len(chosen), PER_ROW):
        for column, row in zip(st.columns(PER_ROW), chosen[start : start + PER_ROW], strict=False):
            with column:
                show_clip(run, row, clips.get(row.name))
    show_scores(board, chosen, case_rows(run, board, case, seed))


def show_clip(run: Run, row: BoardRow, clip: Mapping[Hashable, Any] | None) -> None:
    """One generator's clip with its form and notes, or why there is none."""
    st.text(f"{row.generator}   {bracket_text(row.bracket)} · rank {rank_text(row.rank)}")
    file = "" if clip is None else str(clip["file"] or "")
    path = run.clip_path(file) if file else None
    if path is None or clip is None:
        st.text("No clip. " + ("Not made yet." if clip is None else f"{clip['status']}: {clip['reason']}"))
        return
    _play(clip_url(base_url(), run.id, path.name), path.suffix[1:], f"clip of {row.generator}")
    if clip["status"] != "ok":
        st.text(f"{clip['status']}: {clip['reason']}")
    st.text(_form(clip))
    for note in clip["notes"] if clip["notes"] is not None else ():
        st.text(f"Note: {note}")


def _play(url: str, suffix: str, alt: str) -> None:
    if suffix in PLAYED:
        st.video(url, loop=True, alt=alt)
    elif suffix == "gif":
        st.image(url, width="stretch")
    else:
        st.text(f"Browsers do not play .{suffix} files; the clip is in the run's clips folder.")


def _form(clip: Mapping[Hashable, Any]) -> str:
    """`64×64 · 8 fps · 4 s · sound`, as far as it is known."""
    parts = []
    if pd.notna(clip["width"]) and pd.notna(clip["height"]):
        parts.append(f"{int(clip['width'])}×{int(clip['height'])}")
    if pd.notna(clip["fps"]):
        parts.append(f"{clip['fps']:g} fps")
    if pd.notna(clip["duration_s"]):
        parts.append(f"{clip['duration_s']:.3g} s")
    if pd.notna(clip["has_audio"]):
        parts.append("with sound" if clip["has_audio"] else "silent")
    return " · ".join(parts)


def show_scores(board: Board, chosen: Sequence[BoardRow], rows: pd.DataFrame) -> None:
    """What the case scored: one row per metric, one column per generator."""
    st.dataframe(
        score_table(board, chosen, rows),
        hide_index=True,
        height="content",
        column_config={
            "Metric": st.column_config.TextColumn(pinned=True),
            **{row.generator: st.column_config.TextColumn(alignment="right") for row in chosen},
        },
        alt="Scores of this case: one row per metric, one column per generator",
    )


def score_table(board: Board, chosen: Sequence[BoardRow], rows: pd.DataFrame) -> pd.DataFrame:
    """Metric × generator for one case; a cell is the value, or the status and the reason why there is none."""
    cells = {
        (str(row["generator"]), str(row["metric"])): number_text(float(row["value"]))
        if row["status"] == "ok"
        else f"{row['status']}: {row['reason']}"
        for row in rows.to_dict("records")
    }
    return pd.DataFrame(
        {
            "Metric": [column.name for column in board.columns],
            "Better": [DIRECTIONS[column.direction] for column in board.columns],
            "Unit": [unit_text(column.unit) for column in board.columns],
            **{row.generator: [cells.get((row.name, column.name), "–") for column in board.columns] for row in chosen},
        }
    )
