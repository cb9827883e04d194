"""The leaderboard page: who is ahead, how sure that is, and the clips behind it."""

from __future__ import annotations

import streamlit as st

from benchmarks.leaderboard import Board, BoardRow
from benchmarks.store import Run
from dashboards import board_table, dot_plot, results
from dashboards.charts import is_dark, show_chart
from dashboards.exports import export_files
from dashboards.run_picker import choose, counted, title_row
from dashboards.side_by_side import show_case

# How many generators' clips are shown until some are chosen.
FIRST_SHOWN = 3
# How many measures of sets are shown until others are chosen: each has a line for every generator.
SETS_SHOWN = 2


def page() -> None:
    title, *boxes = title_row()
    title.title("Leaderboard")
    chosen = choose(*boxes)
    if chosen is not None:
        show_board(chosen.run, chosen.board)


def show_board(run: Run, board: Board) -> None:
    show_state(run, board)
    rows, families, extras = filters(board)
    if not rows:
        st.info("No generator matches these filters. Clear the name, or tick a bracket.")
        return
    show_table(run, board, rows, families, extras)
    show_sets(board, rows)
    show_plot(board, rows)
    show_clips(run, board, rows)
    show_meanings(run, board)
    show_outcomes(run, board)


def show_state(run: Run, board: Board) -> None:
    """One line on what this is, and everything a reader must know."""
    made = run.manifest
    st.text(
        f"{counted(len(board.rows), 'generator')} · {counted(board.cases, 'case')} · "
        f"{counted(len(board.columns), 'metric')} · "
        f"code {f'{made.code.version} {made.code.commit[:10]}'.strip()} · suite hash {board.suite_hash[:12]}"
    )
    if made.status != "complete":
        st.warning("This run is not finished: ranks can still change. Continue it with:")
        st.code(f"moviegen sweep --resume {run.id}", language=None)
    for note in board.notes:
        st.text(f"Note: {note}")


def filters(board: Board) -> tuple[list[BoardRow], list[str], list[str]]:
    """The generators, the family columns and the other columns to show."""
    present = [text for key, text in board_table.BRACKETS.items() if any(row.bracket == key for row in board.rows)]
    name, brackets, columns, more = st.columns([3, 4, 6, 5])
    part = name.text_input("Generator", key="name", bind="query-params", placeholder="part of a name")
    kinds = brackets.pills(
        "Brackets", present, selection_mode="multi", default=present, key="brackets", bind="query-params"
    )
    families = columns.multiselect(
        "Family columns", board.families, default=list(board.families), key="families", bind="query-params"
    )
    extras = more.multiselect(
        "Other columns",
        [*board_table.EXTRAS, *(column.name for column in board.columns)],
        default=list(board_table.FIRST_EXTRAS),
        key="columns",
        bind="query-params",
    )
    shown = board_table.shown_rows(board, part or "", kinds)
    return shown, [name for name in board.families if name in families], extras


def show_table(run: Run, board: Board, rows: list[BoardRow], families: list[str], extras: list[str]) -> None:
    """The table; rows chosen in it are the generators whose clips are shown below."""
    key = "/".join(["board", *board.runs, *(row.generator for row in rows)])
    frame = board_table.board_frame(rows, families, extras, results.costs(run))
    event = st.dataframe(
        frame,
        hide_index=True,
        height="content" if len(rows) <= 25 else 900,
        placeholder="–",
        column_config=board_table.column_config(board, families),
        on_select="rerun",
        selection_mode="multi-row",
        key=key,
        alt="Leaderboard: one row per generator",
    )
    choose_ticked(key, [rows[place].generator for place in event.selection.rows if place < len(rows)])
    for row in rows:
        for reason in row.reasons:
            st.text(f"{row.generator}: {reason}")
    export_files(f"{board.suite}-{'-'.join(board.runs)}", frame, board.to_csv, board.to_html)


def show_sets(board: Board, rows: list[BoardRow]) -> None:
    """Measures of all clips of a generator together, beside the totals and never in them."""
    if not board.set_columns:
        return
    st.subheader("All clips together")
    st.text(
        "These compare the whole set of a generator's clips with real ones, or the clips of one prompt with each "
        "other. They are no part of the totals: those are means over cases, and a number about a set is a number "
        "about no case."
    )
    names = [column.name for column in board.set_columns]
    wanted = st.multiselect("Measures", names, default=names[:SETS_SHOWN], key="sets", bind="query-params")
    st.dataframe(
        board_table.set_frame(rows, [column for column in board.set_columns if column.name in wanted]),
        hide_index=True,
        placeholder="–",
        column_config=board_table.set_config(),
        alt="Measures of all clips of each generator, with intervals and reasons",
    )


def choose_ticked(table: str, ticked: list[str]) -> None:
    """Show the clips of the rows that were just ticked; a filter, which starts a new table, leaves the choice."""
    last_table, last_ticked = st.session_state.get("ticked", ("", []))
    if ticked != (last_ticked if last_table == table else []):
        st.session_state["show"] = ticked
    st.session_state["ticked"] = (table, ticked)


def show_plot(board: Board, rows: list[BoardRow]) -> None:
    """One measure of every generator with its interval."""
    st.subheader("How sure is it?")
    measure = st.selectbox("Measure", dot_plot.measures(board), key="measure", bind="query-params")
    data = dot_plot.points(board, rows, measure)
    if data.empty:
        st.info("None of these generators has a value for this measure.")
        return
    title = dot_plot.measure_title(board, measure)
    st.text(title)
    show_chart(dot_plot.dot_plot, data, dark=is_dark(), alt=f"Dot plot with intervals: {title}")


@st.fragment
def show_clips(run: Run, board: Board, rows: list[BoardRow]) -> None:
    """The clips of one case side by side."""
    st.subheader("The clips behind the numbers")
    index = results.case_index(run).set_index("case")
    if index.empty:
        st.info("This run has no clips yet.")
        return
    cases = list(index.index)
    prompts = dict(zip(cases, index["prompt"], strict=True))

    def label(case: str) -> str:
        prompt = " ".join(str(prompts[case]).split())
        return f"{case} · {prompt}"[:160] if prompt else case

    def step(by: int) -> None:
        st.session_state["case"] = cases[(cases.index(st.session_state["case"]) + by) % len(cases)]

    # Not bound: a bound box would put its label, with the prompt in it, into the address.
    linked = st.query_params.get("case", "")
    if st.session_state.get("case") not in cases:
        st.session_state["case"] = linked if linked in cases else cases[0]
    generators = st.multiselect(
        "Generators (or tick rows of the table)",
        [row.generator for row in board.rows],
        default=[row.generator for row in rows[:FIRST_SHOWN]],
        key="show",
        bind="query-params",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        case = st.selectbox("Case", cases, format_func=label, key="case")
        seeds = list(index.loc[case, "seeds"])
        seed = st.selectbox("Seed", seeds, key="seed", bind="query-params", width=100)
        st.button("Previous", on_click=step, args=(-1,), icon=":material/arrow_back:")
        st.button("Next", on_click=step, args=(1,), icon=":material/arrow_forward:")
    if linked != case:
        st.query_params["case"] = case
    if not generators:
        st.info("Choose at least one generator.")
        return
    show_case(run, board, case, seed, generators)


def show_meanings(run: Run, board: Board) -> None:
    """What each metric measures, and what it cannot see."""
    with st.expander("What the numbers mean"):
        st.text(
            f"Intervals are {board.confidence:.0%} and come from resampling cases, {board.draws:,} times. Family "
            "scores and totals run from 0 (worst) to 1 (best). Generators whose ranks overlap are tied. Weights, and "
            "the values that count as 0 and 1, are the suite's."
        )
        sources = {(facts.name, facts.version): facts.source for facts in run.manifest.metrics}
        st.dataframe(
            board_table.metric_table(board, sources),
            hide_index=True,
            row_height=66,
            height=620,
            column_config={
                "Metric": st.column_config.TextColumn(pinned=True),
                "Measures": st.column_config.TextColumn(width="large"),
                "Blind to": st.column_config.TextColumn(width="large"),
                "Source": st.column_config.TextColumn(width="medium"),
            },
            alt="What each metric measures, its range, direction, blind spots and source",
        )


def show_outcomes(run: Run, board: Board) -> None:
    """Which rows have no number, and why."""
    shown = {(column.name, column.version) for column in board.columns}
    counts = results.outcomes(run)
    counts = counts[[key in shown for key in zip(counts["metric"], counts["version"], strict=True)]]
    sentences = results.outcome_sentences(counts)
    if not sentences:
        st.text(f"All {int(counts['rows'].sum()):,} rows were scored.")
        return
    with st.expander("; ".join(sentences) + ": why?"):
        st.dataframe(
            counts[counts["status"] != "ok"].head(500)[["rows", "status", "generator", "metric", "reason"]],
            hide_index=True,
            column_config={"reason": st.column_config.TextColumn(width="large")},
            alt="Rows without a number, by reason",
        )


page()
