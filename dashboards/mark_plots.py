"""Plots of watermark audits: attack by strength, share detected by rate of false alarms, survival of reshares."""

from __future__ import annotations

import altair as alt
import pandas as pd

from dashboards.dot_plot import COLOURS

DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3])
"""Marks differ by dashes, too: colour alone must not tell them apart."""
_DARK_CELL = 0.6
_ROW, _ROOM = 24, 70
"""Pixels of a line of the map, and of its axis."""


def heat_map(cells: pd.DataFrame) -> alt.LayerChart | alt.FacetChart:
    """The chart over StoredAudit.heat_frame() of one mark and measure: a line per attack, mild to strong.

    Every cell has its number; strengths of attacks have different units, so columns are steps of each ladder.
    """
    frame = _placed(cells)
    shown = [
        alt.Tooltip("attack:N"),
        alt.Tooltip("given:N", title="strength"),
        *(alt.Tooltip(f"{name}:Q", format=".3f") for name in ("value", "low", "high")),
        *(alt.Tooltip(f"{name}:Q") for name in ("trials", "failed", "skipped")),
    ]
    attacks = list(dict.fromkeys(frame["attack"]))
    base = alt.Chart(frame).encode(
        x=alt.X("step:O", title="step of the ladder, mild to strong", axis=alt.Axis(labelAngle=0, grid=False)),
        y=alt.Y("attack:N", title=None, sort=attacks, axis=alt.Axis(labelLimit=240)),
        tooltip=shown,
    )
    scale = alt.Scale(domain=[0, 1], scheme="viridis")
    boxes = base.mark_rect(stroke="#8a94a0", strokeWidth=0.5).encode(
        color=alt.Color("value:Q", scale=scale, legend=None)
    )
    ink = alt.condition(f"datum.value > {_DARK_CELL}", alt.value("#111"), alt.value("#fff"))
    words = base.mark_text(fontSize=11).encode(text=alt.Text("value:Q", format=".2f"), color=ink)
    return alt.layer(boxes, words).properties(height=_ROW * len(attacks) + _ROOM)


def _placed(cells: pd.DataFrame) -> pd.DataFrame:
    frame = cells.dropna(subset=["value"]).copy()
    given = zip(frame["strength"], frame["unit"], strict=True)
    frame["given"] = [f"{strength:g} {unit}".strip() for strength, unit in given]
    frame["step"] = frame.groupby("attack", sort=False).cumcount() + 1
    return frame


def roc_plot(points: pd.DataFrame) -> alt.LayerChart | alt.FacetChart:
    """The chart over StoredAudit.roc_frame() of one curve of each mark: false alarms on a logarithmic scale."""
    line = _by_mark(points[points["rate"] > 0]).encode(
        x=alt.X("rate:Q", title="rate of false alarms", scale=alt.Scale(type="log"), axis=alt.Axis(format=".0e")),
        y=alt.Y("detected:Q", title="share detected", scale=alt.Scale(domain=[0, 1])),
        tooltip=["mark:N", alt.Tooltip("rate:Q", format=".1e"), alt.Tooltip("detected:Q", format=".3f")],
    )
    return alt.layer(line.mark_line(interpolate="step-after", strokeWidth=2)).properties(height=320)


def survival_plot(curve: pd.DataFrame) -> alt.LayerChart | alt.FacetChart:
    """The chart over StoredAudit.survival_frame() of one chain: the share still detected after each reshare."""
    base = _by_mark(curve).encode(x=alt.X("generation:Q", title="times reshared", axis=alt.Axis(tickMinStep=1)))
    share = alt.Y("share:Q", title="share still detected", scale=alt.Scale(domain=[0, 1]))
    shown = ["mark:N", "generation:Q", *(alt.Tooltip(f"{name}:Q", format=".2f") for name in ("share", "low", "high"))]
    band = base.mark_area(opacity=0.15, interpolate="step-after").encode(y=alt.Y("low:Q"), y2="high:Q")
    line = base.mark_line(interpolate="step-after", strokeWidth=2, point=True).encode(y=share, tooltip=shown)
    return alt.layer(band, line).properties(height=320)


def _by_mark(frame: pd.DataFrame) -> alt.Chart:
    marks = list(dict.fromkeys(frame["mark"]))
    colours = [COLOURS[place % len(COLOURS)] for place in range(len(marks))]
    dashes = [DASHES[place % len(DASHES)] for place in range(len(marks))]
    legend = alt.Legend(title=None, orient="bottom", labelLimit=400)
    return alt.Chart(frame).encode(
        color=alt.Color("mark:N", scale=alt.Scale(domain=marks, range=colours), legend=legend),
        strokeDash=alt.StrokeDash("mark:N", scale=alt.Scale(domain=marks, range=dashes), legend=legend),
    )
