"""What a metric does as a clip is damaged more and more: a table of grades, and one curve with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from benchmarks.damage_curves import Curve


def damage_frame(curves: Sequence[Curve], direction: str) -> pd.DataFrame:
    """One line per kind of damage: what it is, whether the metric notices, the values from whole to most damaged."""
    rows = [
        {
            "Damage": curve.damage,
            "What": curve.summary,
            "Noticed": noticed(curve, direction),
            "Whole": curve.values[0],
            "Course": list(curve.values),
            **{f"Grade {grade}": value for grade, value in enumerate(curve.values[1:], start=1)},
            "Grades": ", ".join(f"{strength:g}" for strength in curve.strengths if strength is not None)
            + f" {curve.unit}",
            "Clips": curve.clips,
        }
        for curve in curves
    ]
    return pd.DataFrame(rows)


def noticed(curve: Curve, direction: str) -> str:
    """`worse`, `better`, `changes` (no end is better), or `no`: intervals of the whole and the worst clips overlap."""
    rises, falls = curve.lows[-1] > curve.highs[0], curve.highs[-1] < curve.lows[0]
    if not rises and not falls:
        return "no"
    if direction == "band":
        return "↑ changes" if rises else "↓ changes"
    return ("↑ " if rises else "↓ ") + ("better" if rises == (direction == "higher") else "worse")


def damage_config() -> dict[str, Any]:
    """Widths, formats and help of damage_frame's columns; the texts are ours."""
    column = st.column_config
    return {
        "Damage": column.TextColumn(pinned=True, width=110),
        "What": column.TextColumn(width=230),
        "Noticed": column.TextColumn(
            width=90, help="Whether the intervals of whole clips and of the most damaged ones lie apart."
        ),
        "Whole": column.NumberColumn(width=80, format="%.4g"),
        "Course": column.LineChartColumn(width=120, help="From the whole clip to the most damaged one."),
        **{f"Grade {grade}": column.NumberColumn(width=80, format="%.4g") for grade in range(1, 5)},
        "Grades": column.TextColumn(width=170),
        "Clips": column.NumberColumn(width=60),
    }


def damage_plot(curve: Curve) -> alt.LayerChart | alt.FacetChart:
    """The curve of one kind of damage with its 95% interval, from the whole clip on the left."""
    names = ["whole", *(f"{strength:g}" for strength in curve.strengths[1:] if strength is not None)]
    data = pd.DataFrame({"grade": names, "value": curve.values, "low": curve.lows, "high": curve.highs})
    base = alt.Chart(data).encode(
        x=alt.X("grade:N", sort=names, title=f"{curve.damage}, {curve.unit}", axis=alt.Axis(labelAngle=0)),
        tooltip=["grade:N", *(alt.Tooltip(f"{name}:Q", format=".4g") for name in ("value", "low", "high"))],
    )
    y = alt.Y("low:Q", title=None, scale=alt.Scale(zero=False, nice=True, padding=8), axis=alt.Axis(format="~g"))
    bars = base.mark_rule(strokeWidth=3, opacity=0.7, color="#2a7fc1").encode(y=y, y2="high:Q")
    line = base.mark_line(color="#2a7fc1", strokeWidth=1.5, opacity=0.6).encode(y="value:Q")
    dots = base.mark_point(filled=True, size=90, opacity=1, color="#2a7fc1").encode(y="value:Q")
    return alt.layer(bars, line, dots).properties(height=240)
