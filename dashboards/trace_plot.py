"""What happens inside clips, moment by moment: one lane for each quantity, on the clip's own time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
import pandas as pd

from benchmarks.traces import Trace

LANES = ("flicker", "motion", "consistency", "sound")
INK = "#2a7fc1"
MARK = "#d8622b"
_LANE_HEIGHT = 56
_FILL, _FOOT, _TITLE = 0.52, 0.08, 0.86
"""Of a lane: how high its line may go, where it begins, and where its title stands above it."""


def reaches(traces: Sequence[Sequence[Trace]]) -> dict[str, tuple[float, float]]:
    """The range of each quantity over several clips, so that their lanes compare."""
    found: dict[str, list[float]] = {}
    for trace in (trace for clip in traces for trace in clip):
        known = trace.values_T[np.isfinite(trace.values_T)]
        if known.size:
            found.setdefault(trace.name, []).extend((float(known.min()), float(known.max())))
    return {name: (min(ends) if name == "consistency" else min(0.0, *ends), max(ends)) for name, ends in found.items()}


def lanes(traces: Sequence[Trace], ranges: Mapping[str, tuple[float, float]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Points (lane, time, y, value) and marks (time, y, what) of one clip; the first lane lies on top."""
    names = [name for name in LANES if name in {trace.name for trace in traces}]
    points, marks = [], []
    for trace in traces:
        base = len(names) - 1 - names.index(trace.name) + _FOOT
        low, high = ranges[trace.name]
        y_T = base + _FILL * np.clip((trace.values_T - low) / max(high - low, 1e-12), 0, 1)
        points.append(
            pd.DataFrame({"lane": trace.name, "time": trace.times_T, "y": y_T, "value": trace.values_T}).dropna()
        )
        marks += [{"time": time_s, "y": base + _FILL / 2, "what": "sudden sound"} for time_s in trace.marks]
        for time_s, value in trace.worst(1):
            height = base + _FILL * min(max((value - low) / max(high - low, 1e-12), 0), 1)
            marks.append({"time": time_s, "y": height, "what": f"worst {trace.name}"})
    frame = pd.concat(points, ignore_index=True) if points else pd.DataFrame(columns=["lane", "time", "y", "value"])
    return frame, pd.DataFrame(marks, columns=["time", "y", "what"])


def trace_plot(
    traces: Sequence[Trace], ranges: Mapping[str, tuple[float, float]], *, dark: bool = False
) -> alt.LayerChart | alt.FacetChart:
    """The chart of one clip. ranges: of `reaches` over all clips beside it."""
    points, marks = lanes(traces, ranges)
    names = [name for name in LANES if name in set(points["lane"])]
    units = {trace.name: trace.unit for trace in traces}
    titles = pd.DataFrame(
        {
            "y": [len(names) - 1 - place + _TITLE for place in range(len(names))],
            "text": [f"{name}, {ranges[name][0]:.3g} to {ranges[name][1]:.3g} {units[name]}" for name in names],
        }
    )
    scale = alt.Scale(domain=[-0.05, len(names)], nice=False)
    y = alt.Y("y:Q", title=None, axis=None, scale=scale)
    x = alt.X("time:Q", title="seconds", scale=alt.Scale(nice=False), axis=alt.Axis(tickCount=5))
    lines = (
        alt.Chart(points)
        .mark_line(color=INK, strokeWidth=1.5)
        .encode(
            x=x,
            y=y,
            detail="lane:N",
            tooltip=["lane:N", alt.Tooltip("time:Q", format=".2f"), alt.Tooltip("value:Q", format=".4g")],
        )
    )
    shape = alt.Shape(
        "what:N",
        scale=alt.Scale(
            domain=["worst flicker", "worst consistency", "sudden sound"],
            range=["triangle-down", "triangle-up", "stroke"],
        ),
        legend=None,
    )
    events = (
        alt.Chart(marks)
        .mark_point(color=MARK, filled=True, size=70, opacity=1, strokeWidth=2)
        .encode(x="time:Q", y="y:Q", shape=shape, tooltip=["what:N", alt.Tooltip("time:Q", format=".2f")])
    )
    text = (
        alt.Chart(titles)
        .mark_text(align="left", baseline="middle", fontSize=11, color="#c9cdd3" if dark else "#555b66")
        .encode(x=alt.value(4), y="y:Q", text="text:N")
    )
    return alt.layer(lines, events, text).properties(height=_LANE_HEIGHT * max(len(names), 1) + 40)
