"""Which run a page shows: suite, then run, with the run's id always in the address; and what to do without one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from benchmarks.leaderboard import Board
from benchmarks.store import Run, open_run
from dashboards import results
from dashboards.results import RunLabel

_LAST = "last run"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A run and its leaderboard."""

    run: Run
    board: Board


def title_row() -> tuple[DeltaGenerator, DeltaGenerator, DeltaGenerator]:
    """Places side by side: the page's title, the box for the suite, the box for the run."""
    title, left, right = st.columns([4, 2, 5], vertical_alignment="bottom")
    return title, left, right


def choose(left: DeltaGenerator, right: DeltaGenerator) -> Chosen | None:
    """The run that the reader chose, or None where there is nothing to show; the page then says what to do."""
    root = folder_or_advice()
    if root is None:
        return None
    labels = results.run_labels(root)
    if not labels:
        nothing_yet(root)
        return None
    run_id = _pick(labels, left, right)
    try:
        run = open_run(root, run_id)
        return Chosen(run, results.load_board(run))
    except ValueError as error:
        st.error("This run cannot be shown:")
        st.text(str(error))
        return None


def folder_or_advice() -> Path | None:
    """The runs folder; where the app was started in another way than by `serve`, how to start it."""
    root = results.runs_folder()
    if root is None:
        st.error("This page does not know where the runs are. Start it with:")
        st.code("moviegen dashboard --runs runs", language="bash")
    return root


def nothing_yet(root: Path) -> None:
    """What to do when there is no run."""
    st.info("No runs yet. Make one on the built-in suite, then reload this page:")
    st.code("make sweep", language="bash")
    st.text("or score the clips you have:")
    st.code("moviegen sweep footage --generators mine=folder:PATH", language="bash")
    st.text("Runs are looked for in:")
    st.code(str(root), language=None)


def _pick(labels: list[RunLabel], left: DeltaGenerator, right: DeltaGenerator) -> str:
    """The address names the run; without it, the run of the page before; else the newest.

    The run's id always stands in the address, so that a link stays right when newer runs come.
    """
    by_id = {label.id: label for label in labels}
    wanted = st.query_params.get("run")
    if wanted is not None and wanted not in by_id:
        st.warning("The run in this link is not here. Showing the newest instead. Asked for:")
        st.text(wanted[:200])
    before = str(st.session_state.get(_LAST, ""))
    current = by_id.get(wanted or before, labels[0])
    suites = list(dict.fromkeys(f"{label.suite} v{label.suite_version}" for label in labels))
    suite = left.selectbox("Suite", suites, index=suites.index(f"{current.suite} v{current.suite_version}"))
    ids = [label.id for label in labels if f"{label.suite} v{label.suite_version}" == suite]
    index = ids.index(current.id) if current.id in ids else 0
    run_id = right.selectbox("Run", ids, index=index, format_func=lambda i: by_id[i].text())
    if wanted != run_id:
        st.query_params["run"] = run_id
    st.session_state[_LAST] = run_id
    return run_id


def counted(number: int, noun: str) -> str:
    """`1 case`, `96 cases`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
