"""Differences with intervals about a line at 0; shape and colour both say who is better."""

from __future__ import annotations

import altair as alt
import pandas as pd

KINDS = ("A better", "tied", "B better")
COLOURS = ("#2a7fc1", "#8a94a0", "#d8622b")
SHAPES = ("triangle-right", "circle", "triangle-left")


def difference_plot(data: pd.DataFrame, *, dark: bool = False) -> alt.LayerChart | alt.FacetChart:
    """The chart over difference_table.utility_points; measures from top to bottom in the data's order."""
    order = list(data["measure"])
    legend = alt.Legend(title=None, orient="bottom", labelFontSize=12, symbolSize=80)
    base = alt.Chart(data).encode(
        y=alt.Y("measure:N", sort=order, title=None, axis=alt.Axis(ticks=False, domain=False, labelLimit=120)),
        tooltip=[
            alt.Tooltip("measure:N"),
            alt.Tooltip("favours:N"),
            *(alt.Tooltip(f"{name}:Q", format="+.4f") for name in ("value", "low", "high")),
        ],
    )
    coloured = base.encode(color=alt.Color("favours:N", scale=alt.Scale(domain=KINDS, range=COLOURS), legend=legend))
    x = alt.X("low:Q", title=None, axis=alt.Axis(format="+.2~f", tickCount=7), scale=alt.Scale(nice=True, padding=30))
    bars = coloured.mark_rule(strokeWidth=3, opacity=0.75).encode(x=x, x2="high:Q")
    shape = alt.Shape("favours:N", scale=alt.Scale(domain=KINDS, range=SHAPES), legend=legend)
    dots = coloured.mark_point(filled=True, size=130, opacity=1).encode(x="value:Q", shape=shape)
    labels = base.mark_text(align="left", dx=8, color="#e4e4e0" if dark else "#31333f").encode(
        x="high:Q", text="label:N"
    )
    zero = alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(strokeDash=[4, 3], color="#8a94a0").encode(x="zero:Q")
    return alt.layer(zero, bars, dots, labels).properties(height=30 * len(order) + 80)
