"""The dot plot: one measure, one line per generator, the interval as a bar. No radar: its area is an artefact."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from benchmarks.leaderboard import Board, BoardRow, Interval
from dashboards.board_table import DIRECTIONS, SET_DIRECTIONS, interval_text, number_text, unit_text

# Blue, green and vermilion stay apart in the common colour blindnesses; the shapes say the same without colour.
COLOURS = ("#2a7fc1", "#0f9b74", "#d8622b")
SHAPES = ("circle", "triangle-up", "triangle-down")
TOTAL = "Total"


def measures(board: Board) -> list[str]:
    """What can be plotted: the total, the families, then each metric, then each measure of sets."""
    metrics = [column.name for column in board.columns]
    return [TOTAL, *board.families, *metrics, *(column.name for column in board.set_columns)]


def points(board: Board, rows: Sequence[BoardRow], measure: str) -> pd.DataFrame:
    """generator, bracket, value, low, high, label for each row that has the measure."""
    found = [(row, _interval(board, row, measure)) for row in rows]
    return pd.DataFrame(
        [
            {
                "generator": row.generator,
                "bracket": row.bracket or "contender",
                "value": interval.value,
                "low": interval.value if interval.low is None else interval.low,
                "high": interval.value if interval.high is None else interval.high,
                "label": _label(board, measure, interval.value),
                "interval": interval_text(interval, 4) or "no interval",
            }
            for row, interval in found
            if interval is not None and interval.value is not None
        ],
        columns=["generator", "bracket", "value", "low", "high", "label", "interval"],
    )


def _label(board: Board, measure: str, value: float) -> str:
    return f"{value:.3f}" if measure == TOTAL or measure in board.families else number_text(value)


def _interval(board: Board, row: BoardRow, measure: str) -> Interval | None:
    if measure == TOTAL:
        return row.total
    if measure in board.families:
        return row.families.get(measure)
    if measure in row.sets:  # a number that must not be compared is no dot beside others
        return row.sets[measure].value if row.sets[measure].ranks else None
    cell = row.metrics.get(measure)
    return None if cell is None else cell.raw


def measure_title(board: Board, measure: str) -> str:
    """What is plotted: the measure with its unit and direction, and the confidence of the bars."""
    bars = f"bars show the {board.confidence:.0%} interval"
    if measure == TOTAL or measure in board.families:
        return f"{measure.capitalize()} score: 0 is worst, 1 is best; {bars}"
    of_set = next((column for column in board.set_columns if column.name == measure), None)
    if of_set is not None:
        return f"{of_set.name}, better: {SET_DIRECTIONS[of_set.direction]}; bars show the 95% interval"
    column = next(c for c in board.columns if c.name == measure)
    unit = f" in {unit_text(column.unit)}" if unit_text(column.unit) else ""
    return f"{column.name}{unit}, better: {DIRECTIONS[column.direction]}; {bars}"


def dot_plot(data: pd.DataFrame, *, dark: bool = False) -> alt.LayerChart | alt.FacetChart:
    """The chart over `points`; generators from top to bottom in the data's order.

    dark: whether the page is dark; Streamlit themes everything in a chart but the colour of text marks.
    """
    order = list(data["generator"])
    kinds = ["contender", "ceiling", "floor"]
    legend = alt.Legend(title=None, orient="bottom", columnPadding=8, labelFontSize=12, symbolSize=70)
    names = alt.Axis(labelLimit=110, ticks=False, domain=False)
    base = alt.Chart(data).encode(
        y=alt.Y("generator:N", sort=order, title=None, axis=names, scale=alt.Scale(padding=0.3)),
        tooltip=[
            alt.Tooltip("generator:N", title="generator"),
            alt.Tooltip("bracket:N", title="bracket"),
            alt.Tooltip("label:N", title="value"),
            alt.Tooltip("interval:N", title="interval"),
        ],
    )
    coloured = base.encode(
        color=alt.Color("bracket:N", scale=alt.Scale(domain=kinds, range=list(COLOURS)), legend=legend)
    )
    values = alt.Axis(tickCount=6, format="~g")
    low = alt.X("low:Q", title=None, scale=alt.Scale(zero=False, nice=True, padding=16), axis=values)
    bars = coloured.mark_rule(strokeWidth=3, opacity=0.75).encode(x=low, x2="high:Q")
    ends = [coloured.mark_tick(thickness=2, size=12).encode(x=f"{end}:Q") for end in ("low", "high")]
    shape = alt.Shape("bracket:N", scale=alt.Scale(domain=kinds, range=list(SHAPES)), legend=legend)
    dots = coloured.mark_point(filled=True, size=130, opacity=1).encode(x="value:Q", shape=shape)
    labels = base.mark_text(align="left", dx=9, baseline="middle", color="#e4e4e0" if dark else "#31333f").encode(
        x="high:Q", text="label:N"
    )
    return alt.layer(bars, *ends, dots, labels).properties(height=30 * len(order) + 100)
