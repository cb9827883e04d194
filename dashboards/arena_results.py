"""What the votes say: strengths, net win rates, agreement, and the metrics that foresee them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from benchmarks.arena import results as arena
from benchmarks.arena.axes import AXES
from benchmarks.arena.ballots import current
from benchmarks.arena.prediction import Goodness, goodness
from benchmarks.arena.results import AxisResult
from benchmarks.arena.votes import FILE, VoteBox, VotesError
from benchmarks.estimates import Interval
from benchmarks.store import Run, open_run
from dashboards.arena_vote import load_slate
from dashboards.charts import is_dark, show_chart
from dashboards.exports import export_tables
from dashboards.interval_plot import interval_plot, interval_points
from dashboards.results import Stamp

MOST_METRICS = 12


def show_results(run: Run) -> None:
    """One axis of the run's votes; or what to do where there are none."""
    try:
        votes, notes = _votes(
            str(run.folder.parent), run.id, run.stamp, VoteBox(run.folder.parent / FILE).count(run.id)
        )
    except VotesError as error:
        st.error("The votes cannot be read:")
        st.text(str(error))
        return
    for note in notes:
        st.text(note)
    labels = {axis.label: axis for axis in AXES.values() if (votes["axis"] == axis.name).any()}
    if not labels:
        st.info("No votes on this run yet. Change to Vote above, and give some; or take in votes cast elsewhere:")
        st.code("moviegen arena import votes.csv", language="bash")
        return
    label = st.selectbox("Question", list(labels), key="axis", bind="query-params")
    axis = labels[label]
    result = _result(str(run.folder.parent), run.id, run.stamp, len(votes), axis.name)
    st.text(axis.question)
    told = arena.sentences(result)
    for sentence in told:
        st.text(sentence)
    _show_strengths(result)
    _show_net_wins(result)
    _show_predictions(result)
    st.subheader("Take away")
    facts = [f"Suite {run.manifest.suite_name} {run.manifest.suite_hash}; run {run.id}.", axis.question, *told, *notes]
    tables = {
        "Strengths": arena.strength_frame(result),
        "Net win rates": arena.net_win_frame(result),
        "Metrics against votes": arena.prediction_frame(result),
    }
    export_tables(f"arena-{run.id}-{axis.name}", f"Arena: {axis.label}", facts, tables)
    st.text("All votes of this run, one row each:")
    export_tables(f"votes-{run.id}", "Votes", [f"Run {run.id}."], {"Votes": votes}, key="votes")


@st.cache_data(max_entries=8, show_spinner=False)
def _votes(root: str, run_id: str, stamp: Stamp, count: int) -> tuple[pd.DataFrame, list[str]]:  # noqa: ARG001
    run = open_run(Path(root), run_id)
    return current(VoteBox(Path(root) / FILE).votes(run_id), load_slate(run))


@st.cache_resource(max_entries=32, show_spinner="Counting the votes…")
def _result(root: str, run_id: str, stamp: Stamp, count: int, axis: str) -> AxisResult:
    votes, _ = _votes(root, run_id, stamp, count)
    scores = _goodness(root, run_id, stamp, tuple(sorted(set(votes["case"]))))
    return arena.axis_result(votes, AXES[axis], scores, confidence=arena.CONFIDENCE)


@st.cache_resource(max_entries=4, show_spinner=False)
def _goodness(root: str, run_id: str, stamp: Stamp, cases: tuple[str, ...]) -> Goodness:  # noqa: ARG001
    return goodness(open_run(Path(root), run_id), set(cases))


def _plot(rows: list[tuple[str, Interval]], form: str, zero: float, alt: str, scale: float = 1) -> None:
    data = interval_points(rows, form, scale)
    if not data.empty:
        show_chart(interval_plot, data, zero, dark=is_dark(), alt=alt)


def _show_strengths(result: AxisResult) -> None:
    st.subheader("Who is preferred")
    fitted = [row for row in result.strengths if row.strength.value is not None]
    if fitted:
        st.text(
            "Bradley–Terry: the chance in % of being preferred to an average generator of those shown, with 95% "
            "intervals over cases; a tie is half a win. Ranks are the places that the votes allow."
        )
        rows = [(row.generator, row.chance) for row in fitted]
        _plot(rows, ".0f", 50, "Chance of being preferred, with intervals; the table below holds the same", 100)
    else:
        st.info("Too few votes for strengths: generators must be linked by wins and losses both ways. Vote more.")
    st.dataframe(
        pd.DataFrame(
            {
                "Rank": [
                    "–" if r.rank is None else "–".join(dict.fromkeys(map(str, r.rank))) for r in result.strengths
                ],
                "Generator": [row.generator for row in result.strengths],
                "Chance": [_told(row.chance, ".0%") for row in result.strengths],
                "Strength (log-odds)": [_told(row.strength, "+.2f") for row in result.strengths],
                "Votes": [row.votes for row in result.strengths],
                "Cases": [row.cases for row in result.strengths],
                "Why not": [row.reason for row in result.strengths],
            }
        ),
        hide_index=True,
        alt="Strengths of the generators with intervals",
    )


def _show_net_wins(result: AxisResult) -> None:
    st.subheader("Net win rates")
    st.text("(Wins − losses) / all, ties in the denominator, each two clips by the majority of their raters.")
    names = [row.generator for row in result.strengths]
    shown = st.selectbox("Of", names, key="of")
    rows = [(row.b, row.net) for row in result.net_wins if row.a == shown]
    rows += [(row.a, _negative(row.net)) for row in result.net_wins if row.b == shown]
    st.text("In % against each other generator; to the right it is preferred. A bar that crosses 0 is a tie.")
    _plot(sorted(rows), "+.0f", 0, "Net win rate against each other generator; the table below holds all", 100)
    st.dataframe(
        pd.DataFrame(
            {
                "A": [row.a for row in result.net_wins],
                "B": [row.b for row in result.net_wins],
                "Net win rate of A": [_told(row.net, "+.0%") for row in result.net_wins],
                "p (adjusted)": [row.p_adjusted for row in result.net_wins],
                "Wins": [row.wins for row in result.net_wins],
                "Ties": [row.ties for row in result.net_wins],
                "Losses": [row.losses for row in result.net_wins],
                "Cases": [row.cases for row in result.net_wins],
            }
        ),
        hide_index=True,
        placeholder="–",
        column_config={"p (adjusted)": st.column_config.NumberColumn(format="%.3f")},
        alt="Net win rate of every pair of generators",
    )


def _show_predictions(result: AxisResult) -> None:
    st.subheader("Which metrics foresee the votes")
    known = [row for row in result.predictions if row.accuracy.value is not None]
    if not known:
        st.info("No two clips that raters told apart have scores to compare yet.")
        return
    st.text(
        "Share in % of the comparisons that raters decided in which the metric scores the same clip better; 50 is "
        "chance. Ties of raters are left out, equal scores count half; 95% intervals over cases."
    )
    rows = [(row.metric, row.accuracy) for row in known[:MOST_METRICS]]
    _plot(rows, ".0f", 50, "Accuracy of the best metrics; the table below holds all", 100)
    st.dataframe(
        pd.DataFrame(
            {
                "Metric": [row.metric for row in result.predictions],
                "Family": [row.family for row in result.predictions],
                "Foresees": [_told(row.accuracy, ".0%") for row in result.predictions],
                "p (adjusted)": [row.p_adjusted for row in result.predictions],
                "Comparisons": [row.items for row in result.predictions],
                "Cases": [row.cases for row in result.predictions],
                "Why not": [row.reason for row in result.predictions],
            }
        ),
        hide_index=True,
        placeholder="–",
        column_config={"p (adjusted)": st.column_config.NumberColumn(format="%.3f")},
        alt="How often each metric foresees the votes",
    )


def _negative(net: Interval) -> Interval:
    ends = (net.value, net.high, net.low)
    return Interval(*(None if end is None else -end for end in ends))


def _told(interval: Interval, form: str) -> str:
    if interval.value is None:
        return "–"
    if interval.low is None or interval.high is None:
        return format(interval.value, form)
    return f"{format(interval.value, form)} ({format(interval.low, form)} to {format(interval.high, form)})"
