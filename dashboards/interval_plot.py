"""Values with intervals, one line each, about a line that means "no difference"."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from benchmarks.estimates import Interval

BLUE = "#2a7fc1"
COLUMNS = ["name", "value", "low", "high", "label"]


def interval_points(rows: Sequence[tuple[str, Interval]], form: str, scale: float = 1) -> pd.DataFrame:
    """name, value, low, high, label of the rows that have a value; form: of the labels, in the scaled unit."""
    return pd.DataFrame(
        [
            {
                "name": name,
                "value": scale * found.value,
                "low": scale * (found.value if found.low is None else found.low),
                "high": scale * (found.value if found.high is None else found.high),
                "label": format(scale * found.value, form),
            }
            for name, found in rows
            if found.value is not None
        ],
        columns=COLUMNS,
    )


def interval_plot(data: pd.DataFrame, zero: float, *, dark: bool = False) -> alt.LayerChart | alt.FacetChart:
    """The chart over interval_points, from top to bottom in the data's order. zero: where nothing differs."""
    names = alt.Axis(labelLimit=150, ticks=False, domain=False)
    base = alt.Chart(data).encode(
        y=alt.Y("name:N", sort=list(data["name"]), title=None, axis=names, scale=alt.Scale(padding=0.3)),
        tooltip=[alt.Tooltip("name:N"), *(alt.Tooltip(f"{name}:Q", format="+.3f") for name in COLUMNS[1:4])],
    )
    x = alt.X("low:Q", title=None, scale=alt.Scale(zero=False, nice=True, padding=30), axis=alt.Axis(tickCount=6))
    bars = base.mark_rule(strokeWidth=3, opacity=0.75, color=BLUE).encode(x=x, x2="high:Q")
    ends = [base.mark_tick(thickness=2, size=12, color=BLUE).encode(x=f"{end}:Q") for end in ("low", "high")]
    dots = base.mark_point(filled=True, size=130, opacity=1, color=BLUE).encode(x="value:Q")
    labels = base.mark_text(align="left", dx=9, baseline="middle", color="#e4e4e0" if dark else "#31333f").encode(
        x="high:Q", text="label:N"
    )
    line = alt.Chart(pd.DataFrame({"zero": [zero]})).mark_rule(strokeDash=[4, 3], color="#8a94a0").encode(x="zero:Q")
    return alt.layer(line, bars, *ends, dots, labels).properties(height=30 * len(data) + 60)
