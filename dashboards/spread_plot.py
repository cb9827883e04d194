"""How each generator's cases are spread over one metric: 5 to 95 %, the middle half, the median, and the mean."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from benchmarks.leaderboard import Board
from benchmarks.metric_study import Spread
from dashboards.dot_plot import COLOURS, SHAPES

KINDS = ("contender", "ceiling", "floor")


def spread_frame(board: Board, metric: str, spreads: Sequence[Spread]) -> pd.DataFrame:
    """generator, bracket, q05 … q95, mean, low, high, cases; in the board's order."""
    by_name = {one.generator: one for one in spreads}
    rows = []
    for row in board.rows:
        one = by_name.get(row.generator)
        if one is None:
            continue
        raw = row.metrics[metric].raw
        quantiles = dict(zip(("q05", "q25", "q50", "q75", "q95"), one.quantiles, strict=True))
        rows.append(
            {
                "generator": row.generator,
                "bracket": row.bracket or "contender",
                **quantiles,
                "mean": raw.value,
                "low": raw.low,
                "high": raw.high,
                "cases": one.cases,
            }
        )
    columns = ["generator", "bracket", "q05", "q25", "q50", "q75", "q95", "mean", "low", "high", "cases"]
    return pd.DataFrame(rows, columns=columns)


def spread_plot(data: pd.DataFrame, *, dark: bool = False) -> alt.LayerChart | alt.FacetChart:
    """The chart over spread_frame; generators from top to bottom in the data's order."""
    order = list(data["generator"])
    legend = alt.Legend(title=None, orient="bottom", labelFontSize=12, symbolSize=70)
    colour = alt.Color("bracket:N", scale=alt.Scale(domain=KINDS, range=COLOURS), legend=legend)
    numbers = [alt.Tooltip(f"{name}:Q", format=".4g") for name in ("mean", "low", "high", "q05", "q50", "q95")]
    base = alt.Chart(data).encode(
        y=alt.Y("generator:N", sort=order, title=None, axis=alt.Axis(ticks=False, domain=False, labelLimit=110)),
        color=colour,
        tooltip=["generator:N", *numbers, "cases:Q"],
    )
    x = alt.X("q05:Q", title=None, scale=alt.Scale(zero=False, nice=True, padding=16), axis=alt.Axis(format="~g"))
    whole = base.mark_rule(strokeWidth=2, opacity=0.6).encode(x=x, x2="q95:Q")
    half = base.mark_bar(height=11, opacity=0.35).encode(x="q25:Q", x2="q75:Q")
    middle = base.mark_tick(thickness=3, size=15).encode(x="q50:Q")
    shape = alt.Shape("bracket:N", scale=alt.Scale(domain=KINDS, range=SHAPES), legend=legend)
    edge = "#0e1117" if dark else "#ffffff"
    means = base.mark_point(filled=True, size=90, opacity=1, stroke=edge, strokeWidth=1).encode(x="mean:Q", shape=shape)
    return alt.layer(whole, half, middle, means).properties(height=30 * len(order) + 90)
