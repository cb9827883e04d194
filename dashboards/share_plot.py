"""Shares of groups with intervals: as read and corrected side by side, an even split as a dashed line."""

from __future__ import annotations

import altair as alt
import pandas as pd

METHODS = {"as read": "#8a94a0", "corrected": "#2a7fc1", "labels and readings": "#0f9b74"}
SHAPES = ("circle", "square", "triangle-up")


def share_plot(shares: pd.DataFrame) -> alt.FacetChart:
    """The chart over StoredAudit.share_frame(): a row of panels, one for each attribute."""
    methods = [method for method in METHODS if method in set(shares["method"])]
    colour = alt.Color(
        "method:N",
        scale=alt.Scale(domain=methods, range=[METHODS[method] for method in methods]),
        legend=alt.Legend(title=None, orient="bottom"),
    )
    axis = alt.Axis(format="%", tickCount=5)
    base = alt.Chart(shares).encode(
        y=alt.Y("group:N", title=None, sort=None),
        yOffset=alt.YOffset("method:N", sort=methods),
        color=colour,
        tooltip=[
            alt.Tooltip(name, format=".1%" if name in ("value", "low", "high") else "")
            for name in ("group", "method", "value", "low", "high", "clips", "prompts")
        ],
    )
    scale = alt.Scale(domain=[0, 1])
    bars = base.mark_rule(strokeWidth=3, opacity=0.75).encode(
        x=alt.X("low:Q", title=None, scale=scale, axis=axis), x2="high:Q"
    )
    shape = alt.Shape("method:N", scale=alt.Scale(domain=methods, range=list(SHAPES[: len(methods)])), legend=None)
    dots = base.mark_point(filled=True, size=80, opacity=1).encode(x="value:Q", shape=shape)
    even = alt.Chart(shares).mark_rule(strokeDash=[4, 3], color="#d8622b").encode(x="even:Q")
    layered = alt.layer(even, bars, dots).properties(width=560, height=alt.Step(18))
    header = alt.Header(labelAngle=0, labelAnchor="start", labelOrient="top", labelFontSize=13)
    chart: alt.FacetChart = layered.facet(row=alt.Row("attribute:N", title=None, header=header)).resolve_scale(
        y="independent"
    )
    return chart
