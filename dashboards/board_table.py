"""The leaderboard as a table: a Board as a data frame, and what each column means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from benchmarks.leaderboard import Board, BoardRow, Interval, MetricColumn, SetCell, SetColumn

BRACKETS = {"": "contender", "ceiling": "▲ ceiling", "floor": "▼ floor"}
"""How a row's bracket is shown: a shape and a word, never a colour alone."""

DIRECTIONS = {"higher": "↑ higher", "lower": "↓ lower", "band": "↔ near the reference"}

UNITS = {"1/s": "1/s", "s": "seconds", "Hz": "Hz", "LUFS": "LUFS", "cuts/s": "cuts a second"}

SET_DIRECTIONS = {**DIRECTIONS, "band": "↔ more is not better"}
"""Of measures of sets, which no band of reference clips is measured for."""

FAMILY_HELP = {
    "alignment": "Whether the clip shows what the prompt says.",
    "identity": "Whether the people of the portraits are in the clip, and stay themselves.",
    "temporal": "Steadiness in time: flicker, frozen, duplicated and looping frames, cuts.",
    "motion": "How much moves, and how plausibly.",
    "picture": "Sharpness, noise, blocks, exposure, contrast, colour.",
    "sound": "Loudness, clipping, silence, bandwidth.",
    "synchrony": "Whether sounds start when something happens in the picture.",
    "conformance": "Whether the clip has the form that was asked for: size, frame rate, length, sound.",
    "provenance": "Whether the clip says what it is: a generator's mark, content credentials.",
}


def bracket_text(bracket: str) -> str:
    return BRACKETS.get(bracket, bracket)


def rank_text(rank: tuple[int, int] | None) -> str:
    """`1`, `2–4`, or a dash where there is no rank."""
    if rank is None:
        return "–"
    best, worst = rank
    return str(best) if best == worst else f"{best}–{worst}"


def interval_text(interval: Interval, digits: int = 3) -> str:
    """`0.712–0.745`; empty where there is no interval."""
    if interval.low is None or interval.high is None:
        return ""
    return f"{interval.low:.{digits}f}–{interval.high:.{digits}f}"


def number_text(value: float | None) -> str:
    """A metric's value for reading: four significant digits, thousands apart."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def unit_text(unit: str) -> str:
    """The unit for reading; a pure number has none."""
    return "" if unit == "1" else unit


def range_text(column: MetricColumn | SetColumn) -> str:
    """`0 to 1`, `0 to ∞ cuts/s`."""
    low, high = ("∞" if abs(end) == float("inf") else number_text(abs(end)) for end in (column.low, column.high))
    return f"{'-' if column.low < 0 else ''}{low} to {high} {unit_text(column.unit)}".strip()


def shown_rows(board: Board, name_part: str, brackets: Sequence[str]) -> list[BoardRow]:
    """The rows whose generator contains `name_part` (any case) and whose bracket is among `brackets` as shown."""
    part = name_part.strip().casefold()
    return [r for r in board.rows if part in r.generator.casefold() and bracket_text(r.bracket) in brackets]


BRACKET, COVERAGE, CASES, COST, INTERVALS = "bracket", "coverage", "cases", "cost", "family intervals"
EXTRAS = (BRACKET, COVERAGE, CASES, COST, INTERVALS)
"""Columns that can be shown beside rank, name, total and families; metrics can be shown too, by their names."""
FIRST_EXTRAS = (BRACKET, COVERAGE, CASES, COST)


def board_frame(
    rows: Sequence[BoardRow],
    families: Sequence[str],
    extras: Sequence[str] = FIRST_EXTRAS,
    costs: Mapping[str, tuple[float, float]] | None = None,
) -> pd.DataFrame:
    """One line per generator, in the rows' order; families in the order given.

    extras: of EXTRAS, and names of metrics. costs: generator → seconds to make and to score a clip.
    """
    known = costs or {}
    columns: dict[str, list[Any]] = {
        "Rank": [rank_text(row.rank) for row in rows],
        "Generator": [row.generator for row in rows],
        "Total": [row.total.value for row in rows],
        "Interval": [interval_text(row.total) for row in rows],
    }
    if BRACKET in extras:
        columns["Bracket"] = [bracket_text(row.bracket) for row in rows]
    for name in families:
        columns[name] = [_family_value(row, name) for row in rows]
        if INTERVALS in extras:
            columns[f"{name} interval"] = [_family_interval(row, name) for row in rows]
    if COVERAGE in extras:
        columns["Coverage"] = [None if row.coverage is None else 100 * row.coverage for row in rows]
    if CASES in extras:
        columns["Cases"] = [row.cases for row in rows]
    if COST in extras:
        columns["Making"] = [known.get(row.name, (None, None))[0] for row in rows]
        columns["Scoring"] = [known.get(row.name, (None, None))[1] for row in rows]
    for name in extras:
        if name not in EXTRAS:
            columns[name] = [row.metrics[name].raw.value for row in rows]
            columns[f"{name} interval"] = [interval_ends(row.metrics[name].raw) for row in rows]
    return pd.DataFrame(columns)


def _family_interval(row: BoardRow, family: str) -> str:
    interval = row.families.get(family)
    return "" if interval is None else interval_text(interval)


def set_frame(rows: Sequence[BoardRow], columns: Sequence[SetColumn]) -> pd.DataFrame:
    """The set metrics of these generators, one line per generator and metric, with the reason beside each gap."""
    return pd.DataFrame(
        [
            {
                "Generator": row.generator,
                "Measure": column.name,
                "Value": cell.value.value,
                "Interval": interval_ends(cell.value),
                "Better": SET_DIRECTIONS[column.direction],
                "Samples": cell.samples,
                "Clips": f"{cell.clips:,} of {cell.expected:,}",
                "Compared": compared_text(cell),
            }
            for column in columns
            for row in rows
            if (cell := row.sets.get(column.name)) is not None
        ],
        columns=["Generator", "Measure", "Value", "Interval", "Better", "Samples", "Clips", "Compared"],
    )


def interval_ends(interval: Interval) -> str:
    """`1.24 to 1.5`, for numbers of any size and sign; empty where there is no interval."""
    if interval.low is None or interval.high is None:
        return ""
    return f"{number_text(interval.low)} to {number_text(interval.high)}"


def compared_text(cell: SetCell) -> str:
    """Whether a number may be compared; else why not, or why there is none."""
    return cell.reason or "yes"


def set_config() -> dict[str, Any]:
    """Widths and help of set_frame's columns; the texts are ours."""
    column = st.column_config
    return {
        "Generator": column.TextColumn(width=140),
        "Measure": column.TextColumn(width=190, help="A measure of all clips of a generator together."),
        "Value": column.NumberColumn(width=90, format="%.4g"),
        "Interval": column.TextColumn(width=130, help="95% interval."),
        "Better": column.TextColumn(width=150),
        "Samples": column.NumberColumn(width=70, help="What the number rests on: clips, their frames, or cases."),
        "Clips": column.TextColumn(width=90, help="Clips that were used, of those that were asked for."),
        "Compared": column.TextColumn(width=420, help="Whether generators may be compared by it; if not, why."),
    }


def _family_value(row: BoardRow, family: str) -> float | None:
    interval = row.families.get(family)
    return None if interval is None else interval.value


def column_config(board: Board, families: Sequence[str]) -> dict[str, Any]:
    """Widths, formats and help of the columns. Help texts are ours: Streamlit renders them as Markdown."""
    column = st.column_config
    percent = f"{board.confidence:.0%}"
    return {
        "Rank": column.TextColumn(
            width=60,
            help=f"Best and worst place that the data allow at {percent} confidence. Generators whose ranks overlap "
            "are tied. A dash: too little could be scored for a rank, or nothing counts.",
        ),
        "Generator": column.TextColumn(width=140),
        "Bracket": column.TextColumn(
            width=95,
            help="Ceilings and floors are generators with a known place: if a contender beats a ceiling or loses to a "
            "floor, look at the clips.",
        ),
        "Total": column.ProgressColumn(
            width=130,
            format="%.3f",
            min_value=0,
            max_value=1,
            help="Weighted mean of the family scores: 0 is worst, 1 is best. Weights are the suite's.",
        ),
        "Interval": column.TextColumn(
            width=105, help=f"{percent} interval of the total, from {board.draws:,} bootstrap draws over cases."
        ),
        **{name: _family_column(column, name) for name in families},
        "Coverage": column.NumberColumn(
            width=80, format="%.1f %%", help="Scored rows out of expected rows, over the metrics that count."
        ),
        "Cases": column.NumberColumn(width=60, help="Cases with at least one scored row."),
        "Making": column.NumberColumn(
            width=75, format="%.2f s", help="Cost: mean seconds to make a clip, on the machine that ran the sweep."
        ),
        "Scoring": column.NumberColumn(
            width=75, format="%.2f s", help="Cost: mean seconds to score a clip, on the machine that ran the sweep."
        ),
        **{one.name: column.NumberColumn(width=110, format="%.4g", help=_metric_help(one)) for one in board.columns},
    }


def _metric_help(column: MetricColumn) -> str:
    """Our own words only: a run's summary of a metric may be a stranger's."""
    unit = f" in {UNITS[column.unit]}" if column.unit in UNITS else ""
    return f"Mean over cases{unit}; better: {DIRECTIONS[column.direction]}. Its page tells the rest."


def _family_column(column: Any, name: str) -> Any:
    return column.NumberColumn(name.capitalize(), width=90, format="%.3f", help=FAMILY_HELP.get(name, ""))


def metric_table(board: Board, sources: dict[tuple[str, int], str]) -> pd.DataFrame:
    """What every metric means: one line each. sources: (name, version) → where the metric comes from."""
    return pd.DataFrame(
        [
            {
                "Metric": column.name,
                "Family": column.family,
                "Better": DIRECTIONS[column.direction],
                "Range": range_text(column),
                "Measures": column.summary,
                "Blind to": column.blind_spots,
                "Counts": f"weight {column.weight:g}" if column.counted else f"no: {column.note}",
                "Encoder": column.encoder,
                "Version": column.version,
                "Source": sources.get((column.name, column.version), ""),
            }
            for column in board.columns
        ]
        + [
            {
                "Metric": column.name,
                "Family": column.family,
                "Better": SET_DIRECTIONS[column.direction],
                "Range": range_text(column),
                "Measures": column.summary,
                "Blind to": column.blind_spots,
                "Counts": "no: about all clips together, and totals are means over cases",
                "Encoder": column.encoder,
                "Version": column.version,
                "Source": column.source,
            }
            for column in board.set_columns
        ]
    )
