"""The identity page: whether clips show the people whose portraits were given, generator by generator."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from benchmarks.leaderboard import Board
from benchmarks.store import Run, StoreError, open_run
from dashboards import board_table, dot_plot, results
from dashboards.charts import is_dark, show_chart

FAMILY = "identity"
COMMAND = "moviegen sweep identity --generators oracle,reference"


def page() -> None:
    st.title("Identity")
    root = results.runs_folder()
    if root is None:
        st.error("This page does not know where the runs are. Start it with:")
        st.code("moviegen dashboard --runs runs", language="bash")
        return
    runs = identity_runs(root)
    if not runs:
        st.info("Nothing to show yet. Identity is measured where cases give portraits:")
        st.code(COMMAND, language="bash")
        st.text("Runs are looked for in:")
        st.code(str(root), language=None)
        return
    wanted = st.query_params.get("run", "")
    ids = [run.id for run in runs]
    place = st.selectbox(
        "Run",
        range(len(runs)),
        index=ids.index(wanted) if wanted in ids else 0,
        format_func=lambda i: f"{runs[i].manifest.suite_name} · {runs[i].id}",
    )
    if st.query_params.get("run") != ids[place]:
        st.query_params["run"] = ids[place]
    show(runs[place], results.load_board(runs[place]))


def identity_runs(root: Path) -> list[Run]:
    """Runs whose suite has metrics of the identity family, newest first."""
    found = []
    for label in results.run_labels(root):
        try:
            run = open_run(root, label.id)
        except StoreError:
            continue
        if any(facts.family == FAMILY for facts in run.manifest.metrics):
            found.append(run)
    return found


def show(run: Run, board: Board) -> None:
    columns = [column for column in board.columns if column.family == FAMILY]
    if run.manifest.status != "complete":
        st.warning("This run is not finished: numbers can still change.")
    st.text(
        "Faces that were not found count against a score, never out of it. Likeness alone can be had by pasting the "
        "portrait: read it beside the copy-paste guard and the drift."
    )
    measure = st.selectbox("Measure", [column.name for column in columns], key="measure", bind="query-params")
    data = dot_plot.points(board, board.rows, measure)
    if data.empty:
        st.info("None of these generators has a value for this measure. The table below says why.")
    else:
        title = dot_plot.measure_title(board, measure)
        st.text(title)
        show_chart(dot_plot.dot_plot, data, dark=is_dark(), alt=f"Dot plot with intervals: {title}")
    st.dataframe(values(board), hide_index=True, placeholder="–", alt="Identity metrics of each generator")
    with st.expander("What the numbers mean"):
        for column in columns:
            st.text(f"{column.name}: {column.summary}. Blind to: {column.blind_spots}.")


def values(board: Board) -> pd.DataFrame:
    """One row for each generator and metric: its mean with interval, and how many clips it rests on."""
    return pd.DataFrame(
        [
            {
                "Generator": row.generator,
                "Bracket": board_table.bracket_text(row.bracket),
                "Metric": column.name,
                "Mean": row.metrics[column.name].raw.value,
                "Interval": board_table.interval_text(row.metrics[column.name].raw),
                "Better": board_table.DIRECTIONS[column.direction],
                "Scored": f"{row.metrics[column.name].scored} of {row.metrics[column.name].expected}",
            }
            for row in board.rows
            for column in board.columns
            if column.family == FAMILY
        ]
    )


page()
