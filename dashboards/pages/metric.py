"""One metric closely: how it is spread, whether brackets rank as they should, what damages it, what it goes with."""

from __future__ import annotations

from urllib.parse import urlencode

import numpy as np
import pandas as pd
import streamlit as st

from benchmarks.cube import ScoreCube
from benchmarks.damage_curves import curves_of
from benchmarks.leaderboard import MetricColumn
from dashboards import results
from dashboards.address import base_url
from dashboards.board_table import DIRECTIONS, interval_ends, number_text, range_text, unit_text
from dashboards.charts import is_dark, show_chart
from dashboards.damage_plot import damage_config, damage_frame, damage_plot
from dashboards.exports import export_tables
from dashboards.run_picker import Chosen, choose, counted, title_row
from dashboards.spread_plot import spread_frame, spread_plot

ENDS = 5
"""Cases shown from each end."""


def page() -> None:
    title, *boxes = title_row()
    title.title("Metric")
    chosen = choose(*boxes)
    if chosen is None:
        return
    columns = {column.name: column for column in chosen.board.columns}
    name = st.selectbox("Metric", list(columns), key="metric", bind="query-params")
    cube = results.load_cube(chosen.run)
    m = [metric.facts.name for metric in cube.metrics].index(name)
    show_facts(chosen, columns[name])
    spread = show_spread(chosen, columns[name])
    brackets = show_brackets(chosen, name)
    damage = show_damage(columns[name])
    related = show_correlations(chosen, name)
    tables = {"Distribution over cases": spread, "Bracket check": brackets, "Damage": damage, "Correlation": related}
    facts = [f"Suite {chosen.board.suite} {chosen.board.suite_hash}; run {chosen.run.id}.", columns[name].summary]
    export_tables(f"{chosen.board.suite}-{chosen.run.id}-{name}", f"Metric {name}", facts, tables)
    show_ends(chosen, cube, m)


def show_facts(chosen: Chosen, column: MetricColumn) -> None:
    """What the number means, where it comes from, and what it cannot see."""
    source = next((facts.source for facts in chosen.run.manifest.metrics if facts.name == column.name), "")
    counts = f"weight {column.weight:g} in {column.family}" if column.counted else f"not counted: {column.note}"
    encoder = f"{column.encoder} {column.encoder_sha256[:12]}".strip() or "none"
    st.text(f"{column.summary[:1].upper()}{column.summary[1:]}.")
    st.text(
        f"Family {column.family} · version {column.version} · {range_text(column)} · "
        f"better: {DIRECTIONS[column.direction]} · {counts} · "
        f"encoder: {encoder}"
    )
    st.text(f"Blind to: {column.blind_spots or 'not stated'}")
    st.text(f"Source: {source or 'not stated'}")


def show_spread(chosen: Chosen, column: MetricColumn) -> pd.DataFrame:
    """The distribution over cases of every generator."""
    st.subheader("Distribution over cases")
    data = spread_frame(chosen.board, column.name, results.metric_spreads(chosen.run, column.name))
    if data.empty:
        st.info("No case has a value. The page Runs says why.")
        return data
    unit = unit_text(column.unit)
    st.text(
        f"{'In ' + unit + '. ' if unit else ''}Thin line: 5 to 95 % of cases; band: the middle half; upright mark: "
        "median; dot: mean."
    )
    show_chart(
        spread_plot,
        data,
        dark=is_dark(),
        alt="Distribution over cases for each generator; the exports hold the numbers",
    )
    return data


def show_brackets(chosen: Chosen, name: str) -> pd.DataFrame:
    """Whether the metric tells the ceilings of this run from its floors."""
    st.subheader("Bracket check")
    found = results.metric_brackets(chosen.run, name)
    frame = pd.DataFrame(
        [
            {
                "Ceiling": one.ceiling,
                "Floor": one.floor,
                "Difference": one.difference.value,
                "Interval": interval_ends(one.difference),
                "p (adjusted)": one.p,
                "Outcome": one.outcome,
            }
            for one in found
        ],
        columns=["Ceiling", "Floor", "Difference", "Interval", "p (adjusted)", "Outcome"],
    )
    if frame.empty:
        st.text("This run has no ceiling and floor to hold the metric against. Sweep some:")
        st.code(f"moviegen sweep {chosen.board.suite} --generators oracle,noise,YOURS", language="bash")
        return frame
    st.text(
        "The ceiling less the floor, paired by case. Not told apart is no fault where the floor spoils something else "
        "than what the metric looks at."
    )
    st.dataframe(
        frame,
        hide_index=True,
        height="content",
        column_config={"Difference": st.column_config.NumberColumn(format="%.4g")},
        alt="Ceilings against floors with differences, intervals and tests",
    )
    return frame


def show_damage(column: MetricColumn) -> pd.DataFrame:
    """What graded damage does to the metric, as it was measured when this version was shipped."""
    st.subheader("Under graded damage")
    curves = curves_of(column.name, column.version)
    if not curves:
        st.text("Not measured for this metric and version. Metrics of the Backlot suite are measured by:")
        st.code("python -m benchmarks.damage_curves", language="bash")
        return pd.DataFrame(columns=["Damage"])
    st.text("Oracle clips of the Backlot, damaged more and more: means over the same clips, 95% intervals in the plot.")
    frame = damage_frame(curves, column.direction)
    st.dataframe(
        frame,
        hide_index=True,
        height="content",
        column_config=damage_config(),
        alt="Value of the metric at each grade of each kind of damage",
    )
    names = [curve.damage for curve in curves]
    first = next((i for i, told in enumerate(frame["Noticed"]) if told != "no"), 0)
    damage = st.selectbox("Damage", names, index=first, key="damage", bind="query-params")
    show_chart(damage_plot, curves[names.index(damage)], alt="The metric at each grade of the damage, with intervals")
    return frame.drop(columns="Course")


def show_correlations(chosen: Chosen, name: str) -> pd.DataFrame:
    """Which other metrics rise and fall with this one."""
    st.subheader("Goes with")
    frame = pd.DataFrame(
        [
            {
                "Metric": one.metric,
                "Over cases": one.within.value,
                "Interval": interval_ends(one.within),
                "Over generators": one.between,
            }
            for one in results.metric_correlations(chosen.run, name)
        ],
        columns=["Metric", "Over cases", "Interval", "Over generators"],
    )
    if frame.empty:
        st.text("No other metric has enough cases in common.")
        return frame
    st.text("Rank correlations, -1 to 1: over the cases of each generator, averaged; and over the generators' means.")
    st.dataframe(
        frame,
        hide_index=True,
        height=320,
        placeholder="–",
        column_config={
            "Over cases": st.column_config.NumberColumn(format="%+.2f"),
            "Over generators": st.column_config.NumberColumn(format="%+.2f"),
        },
        alt="Rank correlations with the other metrics, closest first",
    )
    return frame


@st.fragment
def show_ends(chosen: Chosen, cube: ScoreCube, m: int) -> None:
    """One generator's cases at both ends of the metric, each with a link to its clips."""
    st.subheader("Cases at both ends")
    generator = st.selectbox(
        "Generator", [row.generator for row in chosen.board.rows], key="generator", bind="query-params"
    )
    values_C = cube.raw_GMC[cube.find(generator), m]
    order = [int(c) for c in np.argsort(values_C, kind="stable") if not np.isnan(values_C[c])]
    if not order:
        st.text("None of its cases has a value.")
        return
    picked = order if len(order) <= 2 * ENDS else [*order[:ENDS], *order[-ENDS:]]
    index = results.case_index(chosen.run).set_index("case")["prompt"]
    cases = [cube.cases[c] for c in picked]
    address = f"{base_url()}/cases?"
    st.dataframe(
        pd.DataFrame(
            {
                "Value": [number_text(float(values_C[c])) for c in picked],
                "Clips": [address + urlencode({"run": chosen.run.id, "case": case}) for case in cases],
                "Case": cases,
                "Prompt": [str(index.get(case, "")) for case in cases],
            }
        ),
        hide_index=True,
        column_config={"Clips": st.column_config.LinkColumn(display_text="open", width=60)},
        alt="Lowest and highest cases of the generator",
    )
    st.text(f"The lowest and the highest of {counted(len(order), 'case')}.")


page()
