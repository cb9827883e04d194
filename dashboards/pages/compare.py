"""Two generators case by case: what differs, how sure that is, and the clips that show it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from benchmarks.compare import Comparison
from benchmarks.leaderboard import Board, BoardRow
from benchmarks.store import Run
from dashboards import difference_table, results
from dashboards.charts import is_dark, show_chart
from dashboards.difference_plot import difference_plot
from dashboards.exports import export_tables
from dashboards.pair import show_pair
from dashboards.run_picker import Chosen, choose, counted, title_row

MOST_CASES = 200
"""Cases listed; the rest differ less, and stand in the exports."""


def page() -> None:
    title, *boxes = title_row()
    title.title("Compare")
    chosen = choose(*boxes)
    if chosen is None:
        return
    if len(chosen.board.rows) < 2:
        st.info("This run has one generator. Sweep another one on the same suite to compare them:")
        st.code(f"moviegen sweep {chosen.board.suite} --generators A,B", language="bash")
        return
    a, b = pick_two(chosen.board)
    if a.generator == b.generator:
        st.info("Choose two different generators.")
        return
    show(chosen, a, b)


def pick_two(board: Board) -> tuple[BoardRow, BoardRow]:
    """The two generators; at first the two best contenders, or whatever there is."""
    names = [row.generator for row in board.rows]
    contenders = [row.generator for row in board.rows if not row.bracket]
    first = [*contenders, *(name for name in names if name not in contenders)][:2]
    left, swap, right = st.columns([6, 1.3, 6], vertical_alignment="bottom")
    for key, default in zip(("a", "b"), first, strict=True):
        linked = st.query_params.get(key, default)
        if st.session_state.get(key) not in names:
            st.session_state[key] = linked if linked in names else default
    a = left.selectbox("A", names, key="a")
    swap.button("Swap", icon=":material/swap_horiz:", on_click=_swap, help="Exchange A and B", width="stretch")
    b = right.selectbox("B", names, key="b")
    for key, name in (("a", a), ("b", b)):
        if st.query_params.get(key) != name:
            st.query_params[key] = name
    rows = {row.generator: row for row in board.rows}
    return rows[a], rows[b]


def _swap() -> None:
    st.session_state["a"], st.session_state["b"] = st.session_state["b"], st.session_state["a"]


def show(chosen: Chosen, a: BoardRow, b: BoardRow) -> None:
    run, board = chosen.run, chosen.board
    found = results.load_comparison(run, a.generator, b.generator)
    for sentence in difference_table.verdict(found):
        st.text(sentence)
    show_plot(found)
    show_metrics(run, board, found)
    show_cases(run, board, found, a, b)


def show_plot(found: Comparison) -> None:
    st.subheader("A − B, from worst to best on a scale of 1")
    data = difference_table.utility_points(found)
    if data.empty:
        st.info("The two share no case with a value that counts: nothing can be compared.")
        return
    st.text(
        f"Dots to the right: A is better. Bars show the {found.confidence:.0%} interval; a bar that crosses 0 is a tie."
    )
    show_chart(
        difference_plot,
        data,
        dark=is_dark(),
        alt="Differences of the total and the families with intervals; the table below holds the same and all metrics",
    )


def show_metrics(run: Run, board: Board, found: Comparison) -> None:
    """Every metric's difference, test, wins and losses."""
    st.subheader("Metric by metric")
    frame = difference_table.difference_frame(found, board.columns)
    wanted = st.pills("Show", ["all", "A better", "B better", "tied"], default="all", key="only", bind="query-params")
    shown = frame if wanted in (None, "all") else frame[frame["Favours"] == wanted.removesuffix(" better")]
    st.dataframe(
        shown,
        hide_index=True,
        placeholder="–",
        height="content" if len(shown) <= 15 else 560,
        column_config=difference_table.difference_config(found.confidence),
        alt="Difference of A and B by metric, with interval, test, wins, ties, losses and net win rate",
    )
    if found.notes:
        with st.expander(f"Compared on fewer cases, or left out: {counted(len(found.notes), 'note')}"):
            for note in found.notes:
                st.text(note)
    stem = f"{board.suite}-{run.id}-{found.a}-vs-{found.b}"
    facts = [*difference_table.verdict(found), f"Suite {found.suite} {found.suite_hash}; run {run.id}.", *found.notes]
    tables = {"Metrics": frame, "Cases": difference_table.case_frame(found)}
    export_tables(stem, f"{found.a} against {found.b}", facts, tables)


@st.fragment
def show_cases(run: Run, board: Board, found: Comparison, a: BoardRow, b: BoardRow) -> None:
    """The cases that differ most, and both clips of one of them."""
    st.subheader("Where they differ most")
    if not found.cases:
        st.info("No case has values from both.")
        return
    measures = ["total", *(name for name, part in found.metrics.items() if part.utility is not None)]
    measure = st.selectbox("By", measures, key="by", bind="query-params")
    ordered = difference_table.ordered_cases(found, measure)
    if not ordered:
        st.info("No case has this measure from both.")
        return
    index = results.case_index(run).set_index("case")
    listed = ordered[:MOST_CASES]
    left, right = st.columns([3, 2])
    with left:
        st.text(f"{len(listed):,} of {len(ordered):,} cases, largest difference first. Tick one to see its clips.")
        event = st.dataframe(
            pd.DataFrame(
                {
                    "Case": [case for case, _ in listed],
                    "A − B": [value for _, value in listed],
                    "Prompt": [str(index["prompt"].get(case, "")) for case, _ in listed],
                }
            ),
            hide_index=True,
            height=300,
            on_select="rerun",
            selection_mode="single-row",
            key=f"cases/{run.id}/{found.a}/{found.b}/{measure}",
            column_config={"A − B": st.column_config.NumberColumn(format="%+.3f", width=80)},
            alt="Cases by how much A and B differ",
        )
    case = _case([case for case, _ in ordered], set(index.index), event.selection.rows)
    seeds = list(index["seeds"].get(case, ()))
    with right:
        st.text("Chosen case:")
        st.text(case)
        seed = st.selectbox("Seed", seeds, key="seed", bind="query-params") if seeds else None
        with st.container(horizontal=True):
            st.button("Previous", on_click=_step, args=(ordered, case, -1), icon=":material/arrow_back:")
            st.button("Next", on_click=_step, args=(ordered, case, 1), icon=":material/arrow_forward:")
    if seed is None:
        st.info("No clips of this case are stored yet.")
        return
    show_pair(run, board, case, int(seed), a, b)


def _case(cases: list[str], known: set[str], ticked: list[int]) -> str:
    """The case that was ticked last, stepped to, or linked to (even one that cannot be compared); else the first."""
    last = st.session_state.get("ticked case")
    if ticked != last and ticked:
        st.session_state["case"] = cases[ticked[0]]
    st.session_state["ticked case"] = ticked
    linked = st.query_params.get("case", "")
    case = str(st.session_state.get("case", linked))
    case = case if case in known else cases[0]
    if linked != case:
        st.query_params["case"] = case
    return case


def _step(ordered: list[tuple[str, float]], case: str, by: int) -> None:
    cases = [name for name, _ in ordered]
    st.session_state["case"] = cases[(cases.index(case) + by) % len(cases)] if case in cases else cases[0]


page()
