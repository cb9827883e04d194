"""The cases of a run: find one by its words or tags, and see what every generator made of it, moment by moment."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from benchmarks.leaderboard import BoardRow
from benchmarks.store import Run
from benchmarks.traces import Trace
from dashboards import results
from dashboards.charts import is_dark, show_chart
from dashboards.exports import export_tables
from dashboards.player import play_together, show_moments
from dashboards.prompt import show_prompt
from dashboards.run_picker import Chosen, choose, counted, title_row
from dashboards.side_by_side import PER_ROW, show_clip, show_scores
from dashboards.trace_plot import reaches, trace_plot

PER_PAGE = 20
FIRST_SHOWN = 6
"""Clips of a case that are shown until others are chosen."""
MOMENTS = 6

ORDERS = {"as named": ("case", True), "contenders differ most": ("spread", False), "hardest first": ("mean", True)}


def page() -> None:
    title, *boxes = title_row()
    title.title("Cases")
    chosen = choose(*boxes)
    if chosen is None:
        return
    index = results.case_index(chosen.run)
    if index.empty:
        st.info("This run has no clips yet. Continue it, then reload this page:")
        st.code(f"moviegen sweep --resume {chosen.run.id}", language=None)
        return
    found = search(chosen.run, index)
    if found.empty:
        st.info("No case matches. Take a word or a tag away.")
        return
    case = pick_case(chosen, found, index)
    show_case(chosen, index, case)


def search(run: Run, index: pd.DataFrame) -> pd.DataFrame:
    """The cases that hold every word (in id or prompt) and every tag, in the order asked for."""
    words_box, tags_box, order_box = st.columns([4, 5, 3])
    words = words_box.text_input("Search prompts", key="q", bind="query-params", placeholder="words, in any order")
    tags = sorted({tag for each in index["tags"] for tag in each})
    wanted = tags_box.multiselect("Tags", tags, key="tags", bind="query-params")
    order = order_box.selectbox("Order", list(ORDERS), key="order", bind="query-params")
    merged = index.merge(results.case_totals(run), on="case", how="left")
    column, ascending = ORDERS[order or "as named"]
    return matching(merged, words or "", wanted).sort_values(
        [column, "case"], ascending=[ascending, True], ignore_index=True, na_position="last"
    )


def matching(index: pd.DataFrame, words: str, tags: Sequence[str]) -> pd.DataFrame:
    """The lines that hold every word, in any case, and every tag."""
    text = (index["case"] + " " + index["prompt"].fillna("")).str.casefold()
    keep = pd.Series(True, index=index.index)
    for word in words.casefold().split():
        keep &= text.str.contains(word, regex=False)
    for tag in tags:
        keep &= index["tags"].map(lambda own, tag=tag: tag in own).astype(bool)
    return index[keep]


def pick_case(chosen: Chosen, found: pd.DataFrame, index: pd.DataFrame) -> str:
    """One page of the cases found, and the one ticked in it, or linked to; the first where that was not found."""
    pages = -(-len(found) // PER_PAGE)
    number = 1
    if pages > 1:
        number = min(st.pagination(pages, key="page", bind="query-params"), pages)
    shown = found.iloc[(number - 1) * PER_PAGE : number * PER_PAGE]
    st.text(f"{counted(len(found), 'case')} of {len(index):,}. Tick one to see its clips.")
    table = pd.DataFrame(
        {
            "Case": shown["case"],
            "Prompt": shown["prompt"],
            "Tags": shown["tags"].map(", ".join),
            "Mean": shown["mean"],
            "Spread": shown["spread"],
        }
    )
    event = st.dataframe(
        table,
        hide_index=True,
        placeholder="–",
        height=250,
        on_select="rerun",
        selection_mode="single-row",
        key=f"cases/{chosen.run.id}/{number}/{len(found)}",
        column_config={
            "Case": st.column_config.TextColumn(width=90),
            "Prompt": st.column_config.TextColumn(width=560),
            "Tags": st.column_config.TextColumn(width=220),
            "Mean": st.column_config.NumberColumn(
                width=70, format="%.3f", help="Mean of the contenders' totals on this case: 0 is worst, 1 is best."
            ),
            "Spread": st.column_config.NumberColumn(
                width=70, format="%.3f", help="The best contender's total on this case less the worst one's."
            ),
        },
        alt="Cases found: id, prompt, tags, mean and spread of the totals",
    )
    stem = f"{chosen.board.suite}-{chosen.run.id}-cases"
    facts = [f"Suite {chosen.board.suite} {chosen.board.suite_hash}; run {chosen.run.id}."]
    export_tables(stem, "Cases", facts, {"Cases": found[["case", "prompt", "tags", "mean", "spread"]]})
    return _chosen_case(list(shown["case"]), set(found["case"]), event.selection.rows)


def _chosen_case(shown: list[str], known: set[str], ticked: list[int]) -> str:
    last = st.session_state.get("case ticked")
    if ticked and ticked != last:
        st.session_state["case"] = shown[ticked[0]]
    st.session_state["case ticked"] = ticked
    linked = st.query_params.get("case", "")
    case = str(st.session_state.get("case", linked))
    case = case if case in known else shown[0]
    if linked != case:
        st.query_params["case"] = case
    return case


@st.fragment
def show_case(chosen: Chosen, index: pd.DataFrame, case: str) -> None:
    """The prompt, every generator's clip with its traces, the worst frames, the scores."""
    st.subheader("What they made of it")
    line = index[index["case"] == case].iloc[0]
    show_prompt(line["prompt"])
    st.text(" · ".join([f"Case {case}", *line["tags"]]))
    names = [row.generator for row in chosen.board.rows]
    left, middle, right = st.columns([8, 2, 3], vertical_alignment="bottom")
    generators = left.multiselect("Generators", names, default=names[:FIRST_SHOWN], key="show", bind="query-params")
    seeds = [int(seed) for seed in line["seeds"]]
    seed = middle.selectbox("Seed", seeds, key="seed", bind="query-params")
    in_step = right.toggle("Play all in step", key="step", bind="query-params")
    rows = [row for row in chosen.board.rows if row.generator in generators]
    if not rows:
        st.info("Choose at least one generator.")
        return
    clips = results.case_clips(chosen.run, case, seed)
    traces = {row.generator: _traces(chosen.run, clips.get(row.name)) for row in rows}
    if in_step:
        show_in_step(chosen.run, rows, clips)
    else:
        show_each(chosen.run, rows, clips, traces)
    show_worst(chosen.run, rows, clips, traces)
    st.subheader("Scores of this case")
    show_scores(chosen.board, rows, results.case_rows(chosen.run, chosen.board, case, seed))


def _traces(run: Run, clip: Mapping[Hashable, Any] | None) -> list[Trace]:
    return results.clip_trace_list(run, str(clip["clip_sha256"])) if clip is not None and clip["clip_sha256"] else []


def _file(run: Run, clip: Mapping[Hashable, Any] | None) -> str:
    path = run.clip_path(str(clip["file"] or "")) if clip is not None else None
    return "" if path is None else path.name


def show_in_step(run: Run, rows: Sequence[BoardRow], clips: Mapping[str, Mapping[Hashable, Any]]) -> None:
    """One player over all clips, eight at most."""
    found = [(row.generator, file) for row in rows if (file := _file(run, clips.get(row.name)))][:8]
    st.text(" · ".join(f"{chr(65 + place)}: {name}" for place, (name, _) in enumerate(found)))
    play_together(run.id, [file for _, file in found], height=300)


def show_each(
    run: Run,
    rows: Sequence[BoardRow],
    clips: Mapping[str, Mapping[Hashable, Any]],
    traces: Mapping[str, Sequence[Trace]],
) -> None:
    """Each clip in its own player, with its traces under it on common scales."""
    # Noise would flatten every other line: what goes beyond a lane is drawn at its edge.
    judged = [row.generator for row in rows if row.bracket != "floor"] or list(traces)
    ranges = reaches([traces[name] for name in judged if traces[name]] or list(traces.values()))
    dark = is_dark()
    for start in range(0, len(rows), PER_ROW):
        for column, row in zip(st.columns(PER_ROW), rows[start : start + PER_ROW], strict=False):
            with column:
                show_clip(run, row, clips.get(row.name))
                own = traces[row.generator]
                if own:
                    show_chart(
                        trace_plot,
                        own,
                        ranges,
                        dark=dark,
                        key=f"traces {row.generator}",
                        alt="Over time: " + "; ".join(trace.summary for trace in own),
                    )
    if not any(traces.values()):
        st.text(
            "No traces: the feature cache beside the runs has nothing of these clips. A sweep fills it; an imported "
            "run, or a cache that was emptied, has none."
        )


def show_worst(
    run: Run,
    rows: Sequence[BoardRow],
    clips: Mapping[str, Mapping[Hashable, Any]],
    traces: Mapping[str, Sequence[Trace]],
) -> None:
    """The frames of one clip where one quantity is worst."""
    able = [row for row in rows if any(trace.worse for trace in traces[row.generator])]
    if not able:
        return
    st.subheader("Worst frames")
    left, right = st.columns(2)
    name = left.selectbox("Of", [row.generator for row in able], key="worst of")
    row = next(row for row in able if row.generator == name)
    judged = {trace.name: trace for trace in traces[row.generator] if trace.worse}
    trace = judged[right.selectbox("By", list(judged), key="worst by")]
    moments = trace.worst(MOMENTS)
    st.text(f"{trace.name.capitalize()}: {trace.summary}. Worst first.")
    show_moments(run.id, _file(run, clips.get(row.name)), [time_s for time_s, _ in moments])
    st.text(" · ".join(f"{time_s:.2f} s: {value:.4g} {trace.unit}" for time_s, value in moments))


page()
